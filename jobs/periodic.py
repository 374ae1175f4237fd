"""Work that returns by itself: the ticker wakes it when it has rested long enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection

from jobs import registry


@dataclass(frozen=True)
class Periodic:
    """A row of work that is woken whenever it finished longer ago than ``seconds``."""

    name: str
    seconds: float
    kind: str
    subject_id: int


_table: dict[str, Periodic] = {}

# Only a row that nobody attends to and that is not waiting anyway; a first one is inserted.
_WAKE: Final = """
    INSERT INTO jobs_work AS w (kind, subject_id, queue, wake_at)
    VALUES (%s, %s, %s, gatehouse_now())
    ON CONFLICT (kind, subject_id) DO UPDATE SET wake_at = gatehouse_now()
    WHERE w.wake_at IS NULL AND w.lease_until IS NULL
      AND (w.finished_at IS NULL OR w.finished_at <= gatehouse_now() - make_interval(secs => %s))
"""


def register(name: str, seconds: float, kind: str, subject_id: int) -> None:
    """Have the ticker wake this work about every ``seconds``; a name is registered once."""
    if name in _table:
        raise ValueError(f"{name} is registered twice")
    _table[name] = Periodic(name, seconds, kind, subject_id)


def wake_due() -> None:
    """Wake every periodic work that has rested long enough; called by the leading ticker."""
    with connection.cursor() as cursor:
        for entry in _table.values():
            queue = registry.kind(entry.kind).queue
            cursor.execute(_WAKE, [entry.kind, entry.subject_id, queue, entry.seconds])
