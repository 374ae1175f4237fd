"""``python -m metadata convert|delta|merge``: see ``metadata.commands``."""

from __future__ import annotations

import sys

from metadata.commands import main

sys.exit(main(sys.argv[1:]))
