"""The ticker: sees which rows want attention and rings for them. Any number may run, one leads.

The leader holds a session's advisory lock; when its connection ends, another takes over. Two
leaders for a moment do no harm: claims decide, not rings. Only the ticker writes to Redis.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import psycopg
import redis
from django.db import Error as DatabaseError
from django.db import connection, transaction

from core.db import database_now
from jobs import periodic, registry
from jobs.rq import BATCH, Bell, redis_of
from jobs.wake import CHANNEL

logger = logging.getLogger(__name__)

LEADER_LOCK: Final = 7_119_001
POLL_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 0.01
AGAIN_SECONDS: Final = 30.0
PERIODIC_SECONDS: Final = 5.0
SWEEP_SECONDS: Final = 600.0
MOST_ROWS: Final = 1000
SPREAD: Final = 4

_DUE: Final = """
    WITH due AS (
        SELECT id FROM jobs_work
        WHERE (wake_at <= %(now)s AND lease_until IS NULL OR lease_until < %(now)s)
          AND (queued_until IS NULL OR queued_until < %(now)s)
        ORDER BY coalesce(wake_at, lease_until)
        LIMIT %(most)s
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE jobs_work w SET queued_until = %(now)s + %(again)s
    FROM due
    WHERE w.id = due.id
    RETURNING w.queue, w.id
"""

_NEXT: Final = """
    SELECT extract(epoch FROM least(
        (SELECT min(wake_at) FROM jobs_work WHERE wake_at > %(now)s AND lease_until IS NULL),
        (SELECT min(lease_until) FROM jobs_work WHERE lease_until > %(now)s)
    ) - %(now)s)
"""

_FORGET: Final = "UPDATE jobs_work SET queued_until = NULL WHERE queued_until IS NOT NULL"


class Ticker:
    """One process's ticker; ``run`` returns after ``stop``."""

    def __init__(self, *, poll_seconds: float = POLL_SECONDS) -> None:
        self.poll_seconds = poll_seconds
        self.leads = False
        self._stop = threading.Event()
        self._bells: dict[str, Bell] = {}
        self._periodic_at = 0.0
        self._sweep_at = 0.0

    def stop(self) -> None:
        """Have ``run`` return soon; safe to call from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Lead or wait to lead, until stopped; a lost database or Redis is waited for."""
        self._bells = {queue: Bell(redis_of(queue)) for queue in registry.QUEUES}
        while not self._stop.is_set():
            try:
                self._serve()
            except (DatabaseError, psycopg.Error, redis.RedisError) as error:
                logger.warning("ticker: %s; trying again", " ".join(str(error).split())[:300])
                self._stop.wait(self.poll_seconds)
            finally:
                self.leads = False
                connection.close()

    def _serve(self) -> None:
        """Lead for as long as this connection lasts, once the lock is ours."""
        while not self._stop.is_set() and not self._elected():
            self._stop.wait(self.poll_seconds)
        if self._stop.is_set():
            return
        self.leads = True
        logger.info("ticker: leading")
        self._execute(f"LISTEN {CHANNEL}")
        while not self._stop.is_set():
            self._tick()
            self._wait(min(self.poll_seconds, self._until_next()))

    def _elected(self) -> bool:
        return bool(self._execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK])[0][0])

    def _execute(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def _tick(self) -> None:
        """Do everything that is due at this moment."""
        moment = time.monotonic()
        if moment >= self._periodic_at:
            self._heal()
            periodic.wake_due()
            self._periodic_at = moment + PERIODIC_SECONDS
        if False in {bell.is_same() for bell in self._bells.values()}:
            logger.warning("ticker: Redis is new or was emptied; ringing again for every row")
            self._execute(_FORGET)
        if moment >= self._sweep_at:
            for bell in self._bells.values():
                bell.sweep()
            self._sweep_at = moment + SWEEP_SECONDS
        while self._ring_due() == MOST_ROWS and not self._stop.is_set():
            pass

    def _heal(self) -> None:
        odd = sorted({key for bell in self._bells.values() for key in bell.heal()})
        if odd:
            logger.warning("ticker: removed from Redis what RQ never wrote: %s", ", ".join(odd))

    def _ring_due(self) -> int:
        """Ring for the rows that are due and not rung for lately; returns how many.

        The mark is committed first: a crash in between costs AGAIN_SECONDS, while ringing first
        would ring without end when the commit fails. A failing Redis takes the mark back.
        """
        with transaction.atomic():
            rows = self._execute(
                _DUE,
                {
                    "now": database_now(),
                    "most": MOST_ROWS,
                    "again": timedelta(seconds=AGAIN_SECONDS),
                },
            )
        by_queue: dict[str, list[int]] = {queue: [] for queue in registry.QUEUES}
        for queue, work_id in rows:
            by_queue[queue].append(work_id)
        try:
            for queue, ids in by_queue.items():
                for batch in batches(ids):
                    self._bells[queue].ring(queue, batch)
        except redis.RedisError:
            self._execute(
                "UPDATE jobs_work SET queued_until = NULL WHERE id = ANY(%s)",
                [[work_id for _, work_id in rows]],
            )
            raise
        return len(rows)

    def _until_next(self) -> float:
        """Return the seconds until the next row becomes due, at least a breath."""
        seconds = self._execute(_NEXT, {"now": database_now()})[0][0]
        return math.inf if seconds is None else max(QUIET_SECONDS, float(seconds))

    def _wait(self, seconds: float) -> None:
        """Wait for a NOTIFY, at most so long; several that came together count as one."""
        raw = connection.connection
        for _ in raw.notifies(timeout=seconds, stop_after=1):
            pass


def batches(ids: list[int]) -> Iterator[list[int]]:
    """Cut ids into jobs: spread over several workers when few, at most BATCH in one when many."""
    size = min(BATCH, max(1, math.ceil(len(ids) / SPREAD)))
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
