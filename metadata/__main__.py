"""``python -m metadata convert|delta|merge``: see ``metadata.commands``."""

from __future__ import annotations

import gc
import os
import sys

from metadata.commands import main

gc.disable()  # a process of seconds: looking for rings costs more than they do
code = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)  # all files are written; taking thousands of objects apart one by one takes a while
