"""``python -m metadata convert|delta|merge``: see ``metadata.commands``."""

from __future__ import annotations

import gc
import sys

from metadata.commands import main

gc.disable()  # a process of seconds: looking for rings costs more than they do
sys.exit(main(sys.argv[1:]))
