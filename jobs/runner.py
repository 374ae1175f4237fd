"""What a worker does when the bell rings: claim rows, call their handlers, say when to look again.

``advance`` is the only function that a job in Redis can name. It is given ids and believes nothing
else: a row that does not want attention is passed over, so ids pushed by hand do nothing. Every row
has its own transactions and its own try/except; a bad one does not stop its neighbours.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from core.context import (
    Actor,
    Origin,
    acting_as,
    coming_from,
    current_actor,
    request_scope,
)
from core.errors import DomainError, ExternalFault
from jobs import registry
from jobs.claims import LEASE_SECONDS, Claim, Next
from jobs.errors import JobRefused, LostClaim
from jobs.wake import CHANNEL

logger = logging.getLogger(__name__)

MAX_HOPS: Final = 20
HOPS_SECONDS: Final = 10.0
BATCH_SECONDS: Final = 30.0
RETRY_SECONDS: Final = (2.0, 30.0)
CRASH_SECONDS: Final = (60.0, 900.0)
LOCK_WAIT: Final = "5s"

# Set by the worker's SIGTERM: finish the hop at hand, hand the rest back.
stopping = threading.Event()

_CLAIM: Final = """
    WITH moment AS MATERIALIZED (SELECT gatehouse_now() AS now),
    due AS (
        SELECT w.id, w.lease_until IS NOT NULL AS orphaned
        FROM jobs_work w, moment
        WHERE w.id = %s AND w.queue = %s
          AND (w.wake_at <= moment.now AND w.lease_until IS NULL OR w.lease_until < moment.now)
        FOR UPDATE OF w
    )
    UPDATE jobs_work w
    SET fence = w.fence + 1, lease_until = moment.now + make_interval(secs => %s), wake_at = NULL,
    queued_until = NULL,
        tries = w.tries + due.orphaned::int,
        last_error = CASE WHEN due.orphaned THEN 'the worker disappeared' ELSE w.last_error END
    FROM due, moment
    WHERE w.id = due.id
    RETURNING w.kind, w.subject_id, w.fence, w.tries
"""

_FINISH: Final = """
    WITH moment AS MATERIALIZED (SELECT gatehouse_now() AS now)
    UPDATE jobs_work w
    SET wake_at = least(w.wake_at, moment.now + make_interval(secs => %s)), lease_until = NULL,
    finished_at = moment.now,
        tries = %s, last_error = %s
    FROM moment
    WHERE w.id = %s AND w.fence = %s
    RETURNING w.wake_at
"""


@dataclass(frozen=True)
class _Outcome:
    """What is written when a claim ends."""

    next: Next
    tries: int = 0
    error: str = ""


def advance(queue: str, ids: list[int]) -> None:
    """Attend to those of the rows that want attention and belong to the queue.

    What is not begun when the time of a batch is over, or when the worker is told to stop, is given
    back for the ticker to ring again.
    """
    ends = time.monotonic() + BATCH_SECONDS
    with acting_as(worker_actor(queue)), coming_from(worker_origin):
        for index, work_id in enumerate(ids):
            if stopping.is_set() or time.monotonic() > ends:
                _hand_back(ids[index:])
                return
            _advance_row(queue, work_id)


def worker_actor(queue: str) -> Actor:
    """Return who acts in the history when this process works."""
    return Actor("worker", None, f"{queue} worker {socket.gethostname()}/{os.getpid()}")


def worker_origin() -> Origin:
    """Return where a worker's events come from."""
    return Origin(via="worker", auth="worker", executor=current_actor().name)


def _advance_row(queue: str, work_id: int) -> None:
    """Attend to one row; whatever happens is written to the row or to the log."""
    try:
        claimed = _claim(queue, work_id)
        if claimed is None:
            return
        claim, tries = claimed
        with request_scope(f"{claim.kind}-{claim.subject_id}-{claim.fence}"):
            outcome = _attend(queue, claim, tries)
            if outcome is not None:
                _finish(claim, outcome)
    except Exception:
        # One row's trouble, even with the database, is not its neighbour's.
        logger.exception("row of work %s: left to its lease", work_id)
        _mend_connection()


def _claim(queue: str, work_id: int) -> tuple[Claim, int] | None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
        cursor.execute(_CLAIM, [work_id, queue, LEASE_SECONDS])
        row = cursor.fetchone()
    if row is None:
        return None
    kind, subject_id, fence, tries = row
    return Claim(kind, subject_id, fence, work_id), tries


def _attend(queue: str, claim: Claim, tries: int) -> _Outcome | None:
    """Call the handler until it wants to rest; None when the row is no longer ours."""
    try:
        return _Outcome(_hop(queue, claim))
    except LostClaim as lost:
        logger.info("%s", lost)
        return None
    except JobRefused as refusal:
        return _refused(claim, queue, refusal)
    except ExternalFault as fault:
        if not fault.retryable:
            return _crashed(claim, tries, fault)
        logger.info("%s %s: %s", claim.kind, claim.subject_id, fault.code)
        wait = _doubled(RETRY_SECONDS, tries)
        return _Outcome(Next.after(wait), tries + 1, f"{fault.code}: {fault.message}")
    except Exception as error:  # noqa: BLE001 - any bug of any handler ends here
        return _crashed(claim, tries, error)


def _hop(queue: str, claim: Claim) -> Next:
    """Call the handler again and again while it says "now", within the limits of one claim.

    Web writes the queue of a row when it wakes it, so the row is not believed: work meets the keys
    and rights of the queue that its kind was registered for, or nobody attends to it.
    """
    kind = registry.kind(claim.kind)
    if kind.queue != queue:
        raise JobRefused(f"{claim.kind} {claim.subject_id} is work of the queue {kind.queue}")
    handler = kind.handler
    started = time.monotonic()
    renewed = started
    for _ in range(MAX_HOPS):
        answer = handler(claim)
        elapsed = time.monotonic()
        if answer.seconds != 0 or stopping.is_set() or elapsed - started > HOPS_SECONDS:
            return answer
        if elapsed - renewed > 1:
            claim.renew()
            renewed = elapsed
    return answer


def _crashed(claim: Claim, tries: int, error: Exception) -> _Outcome | None:
    """Tell the log and the history, and look again after a pause that doubles."""
    if not isinstance(error, DomainError):
        logger.error("%s %s crashed", claim.kind, claim.subject_id, exc_info=error)
    text = f"{type(error).__name__}: {error}"
    facts = {"kind": claim.kind, "subject_id": claim.subject_id, "error": text, "tries": tries + 1}
    _mend_connection()
    try:
        with transaction.atomic():
            claim.guard()
            registry.record("job.crashed", facts)
    except LostClaim:
        return None
    return _Outcome(Next.after(_doubled(CRASH_SECONDS, tries)), tries + 1, text)


def _refused(claim: Claim, queue: str, refusal: JobRefused) -> _Outcome | None:
    """Tell the history that a row was put into a queue that is not its own, and let it rest."""
    facts = {"reason": str(refusal), "queue": queue, "job": f"row {claim.work_id}"}
    try:
        with transaction.atomic():
            claim.guard()
            registry.record("security.job_refused", facts)
    except LostClaim:
        return None
    return _Outcome(Next.done(), error=str(refusal))


def _mend_connection() -> None:
    """Drop a connection that an error has made unusable; the next query opens a new one."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _doubled(limits: tuple[float, float], tries: int) -> float:
    least, most = limits
    return min(most, least * 2.0 ** min(tries, 20))


def _finish(claim: Claim, outcome: _Outcome) -> None:
    """Give the row back with its next wake; does nothing when the fence has moved on."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _FINISH,
            [outcome.next.seconds, outcome.tries, outcome.error[:4000], claim.work_id, claim.fence],
        )
        row = cursor.fetchone()
        if row is not None and row[0] is not None:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def _hand_back(ids: list[int]) -> None:
    """Let the ticker ring again at once for rows that this job did not begin."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE jobs_work SET queued_until = NULL WHERE id = ANY(%s) AND lease_until IS NULL",
            [ids],
        )
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
