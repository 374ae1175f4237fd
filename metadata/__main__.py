"""``python -m metadata convert|delta|merge``: see ``metadata.commands``."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from itertools import pairwise

from metadata import spawned


def run() -> int:
    """Run the command that the arguments name."""
    gc.disable()  # a process of seconds: looking for rings costs more than they do
    sys.setswitchinterval(0.001)  # the thread that compresses needs Python for moments only
    _begin(sys.argv[1:])
    from metadata.commands import main

    return main(sys.argv[1:])


def _begin(arguments: list[str]) -> None:
    """Let git begin with what is likely to be asked while all else loads, where ids are full."""
    given = dict(pairwise(arguments))
    path = spawned.directory(given.get("--repo", ""))
    old, new, one = (given.get(option, "") for option in ("--from", "--to", "--commit"))
    if arguments[:1] == ["delta"] and _full(old) and _full(new):
        spawned.ahead(path, [*spawned.DIFFERING, old, new])
        spawned.answering_ahead(path, old, new)
        listing = spawned.NAMES if "--no-zip" in arguments else spawned.LISTING
        spawned.ahead(path, [*listing, new])
    elif arguments[:1] == ["convert"] and _full(one):
        spawned.ahead(path, [*spawned.LISTING, one])
        spawned.answering_ahead(path, one)


def _full(name: str) -> bool:
    return len(name) in (40, 64) and not name.strip("0123456789abcdef")


try:
    code = run()
except KeyboardInterrupt:
    code = 130  # 128 and SIGINT, as a shell says it; nobody wants to see where it was
with suppress(OSError, AttributeError):  # whoever reads them may have gone, or was never there
    sys.stdout.flush()
    sys.stderr.flush()
os._exit(code)  # all files are written; taking thousands of objects apart one by one takes a while
