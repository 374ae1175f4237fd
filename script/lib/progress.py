"""What script/server says while it works, and how it ends when it cannot."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class CannotStart(Exception):
    """The start ends here; the message is one sentence for the person at the terminal."""


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what begins and, when it took a noticeable time, how long it took."""
    print(f"  {text} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    seconds = time.monotonic() - started
    print(f" done ({seconds:.1f} s)" if seconds >= 0.5 else " done", flush=True)


def fail(text: str) -> int:
    """Print why nothing was started and return the exit status."""
    print(f"Gatehouse: {text}", file=sys.stderr, flush=True)
    return 1
