"""Say that something wants attention: part of the transaction that made it so."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection

from jobs import registry

CHANNEL: Final = "gatehouse_work"

_UPSERT: Final = """
    INSERT INTO jobs_work AS w (kind, subject_id, queue, wake_at)
    VALUES (%s, %s, %s, coalesce(%s, gatehouse_now()))
    ON CONFLICT (kind, subject_id) DO UPDATE SET wake_at = least(w.wake_at, excluded.wake_at)
"""


def wake(kind: str, subject_id: int, *, at: datetime | None = None) -> None:
    """Ask for attention at once or at a moment; the earlier of two wakes wins.

    Belongs to the current transaction: nothing happens when it is rolled back, and the ticker hears
    of it when it commits. Raises UnknownKind.
    """
    queue = registry.kind(kind).queue
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [kind, subject_id, queue, at])
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
