"""Let a worker stand between its last check and the intent: somebody else holds the calendar."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

from environments.services import calendar
from tests.support.databases import role_connection
from tests.support.processes import wait_until

SECONDS = 20.0
WAITING = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND classid = (%(key)s >> 32) & 4294967295 AND objid = %(key)s & 4294967295
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def key() -> int:
    """The number of the calendar's lock."""
    digest = hashlib.sha256(calendar.LOCK.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def someone_waits() -> bool:
    """Whether a connection waits for the calendar."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"key": key()})
        return bool(cursor.fetchone()[0])


def started(work: Callable[[], Any]) -> threading.Thread:
    """Run something on a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@contextmanager
def held_at_the_calendar(worker: Callable[[], Any], seconds: float = SECONDS) -> Iterator[None]:
    """Let the worker run up to its last lock, and go on from there when the block ends."""
    with role_connection("web") as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [key()])
        thread = started(worker)
        wait_until(someone_waits, seconds=seconds)
        yield
        other.rollback()
        thread.join(seconds)
        assert not thread.is_alive()
