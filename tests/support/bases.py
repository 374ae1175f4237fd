"""Rows that many tests begin with, written once for a module of tests.

The rows stay in an open transaction; each test works in a savepoint above them, with copies of the
objects, and leaves nothing behind. Tests of the module that begin with an empty database run before
(``tests.support.order``), and other rows take the place of those that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import transaction

T = TypeVar("T")

FIXTURES = ("founded", "founded_world")
"""The fixtures of modules that keep rows."""

_open: list[transaction.Atomic] = []


def _leave() -> None:
    while _open:
        transaction.set_rollback(True)
        _open.pop().__exit__(None, None, None)


@contextmanager
def kept(make: Callable[[], T], blocker: Any) -> Iterator[T]:
    """Write rows and keep them until the block ends or others are kept."""
    with blocker.unblock():
        _leave()
        outer = transaction.atomic()
        outer.__enter__()
        _open.append(outer)
        try:
            rows = make()
        except BaseException:
            _leave()
            raise
    yield rows
    with blocker.unblock():
        if outer in _open:
            _leave()
