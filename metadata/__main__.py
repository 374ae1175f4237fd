"""``python -m metadata convert|delta|merge``: see ``metadata.commands``."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress


def run() -> int:
    """Run the command that the arguments name."""
    gc.disable()  # a process of seconds: looking for rings costs more than they do
    sys.setswitchinterval(0.001)  # the thread that compresses needs Python for moments only
    from metadata.commands import main

    return main(sys.argv[1:])


try:
    code = run()
except KeyboardInterrupt:
    code = 128 + signal.SIGINT  # as a shell says it; nobody wants to see where it was
with suppress(OSError, AttributeError):  # whoever reads them may have gone, or was never there
    sys.stdout.flush()
    sys.stderr.flush()
os._exit(code)  # all files are written; taking thousands of objects apart one by one takes a while
