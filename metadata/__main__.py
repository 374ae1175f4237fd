"""``python -m metadata convert|delta|merge``: see ``metadata.commands``."""

from __future__ import annotations

import gc
import os
import sys


def run() -> int:
    """Run the command that the arguments name."""
    gc.disable()  # a process of seconds: looking for rings costs more than they do
    sys.setswitchinterval(0.001)  # the thread that compresses needs Python for moments only
    from metadata.commands import main

    return main(sys.argv[1:])


code = run()
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)  # all files are written; taking thousands of objects apart one by one takes a while
