"""The bell: the only module that talks to RQ.

Whoever can write to Redis can make a stock RQ worker import and call any function. ``GatehouseJob``
therefore reads two things of a job's hash, its payload and its time of birth, and understands one
payload: a call of ``jobs.runner.advance`` with this worker's queue and a list of ids. Everything
else, also callbacks, dependencies, webhooks, retries and repeats, is refused with
``security.job_refused``. The worker takes no commands over Redis and does none of RQ's maintenance,
which would run abandoned jobs again: rows that were lost are found again in PostgreSQL.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import uuid
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import django_rq
from django.db import connections, transaction
from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker_registration import clean_worker_registry

from core.context import acting_as, coming_from
from jobs import registry, runner
from jobs.errors import JobRefused

logger = logging.getLogger(__name__)

ADVANCE: Final = "jobs.runner.advance"
BATCH: Final = 20
JOB_SECONDS: Final = 900
KEPT_SECONDS: Final = 3600
PAYLOAD_BYTES: Final = 16_384
RESULT_SECONDS: Final = 0
FAILURE_SECONDS: Final = 300

# What a job of ours never carries; RQ would import, call, enqueue or send these.
FOREIGN: Final = (
    "success_callback_name",
    "failure_callback_name",
    "stopped_callback_name",
    "webhooks",
    "dependency_id",
    "dependency_ids",
    "retries_left",
    "retry_intervals",
    "repeats_left",
    "repeat_intervals",
    "group_id",
)

# What RQ keeps of a queue and of its workers, and as which kind of value.
KEPT_AS: Final = {
    "rq:queues": b"set",
    "rq:workers": b"set",
    "rq:workers:{queue}": b"set",
    "rq:queue:{queue}": b"list",
    "rq:queue:{queue}:intermediate": b"list",
    "rq:wip:{queue}": b"zset",
    "rq:finished:{queue}": b"zset",
    "rq:failed:{queue}": b"zset",
}


def read_payload(stored: Mapping[str, bytes]) -> tuple[str, list[int]]:
    """Return queue and ids of a job's hash; raises JobRefused unless it is exactly one of ours."""
    found = [name for name in FOREIGN if stored.get(name, b"") not in (b"", b"[]")]
    if found:
        raise JobRefused(f"it carries {', '.join(found)}")
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(stored["data"], PAYLOAD_BYTES)
        if unpacking.unconsumed_tail or not unpacking.eof:
            raise JobRefused("its payload is larger than a call of ours")
        function, instance, arguments, named = json.loads(text)
    except (KeyError, zlib.error, ValueError, TypeError, RecursionError):
        raise JobRefused("its payload is not a call in JSON") from None
    if function != ADVANCE or instance is not None or named != {}:
        raise JobRefused(f"it calls {str(function)[:120]!r}")
    match arguments:
        case [str(queue), list(ids)] if queue in registry.QUEUES and _are_ids(ids):
            return queue, ids
    raise JobRefused("its arguments are not a queue and ids")


def _are_ids(ids: Sequence[object]) -> bool:
    return 0 < len(ids) <= BATCH and all(type(one) is int and 0 < one < 2**63 for one in ids)


class GatehouseJob(Job):
    """A job that can only be a call of ``jobs.runner.advance``."""

    # The queue of this worker process; a job for another one is refused.
    own_queue: str = ""
    refusal: JobRefused | None = None

    @classmethod
    def fetch(
        cls, id: str, connection: Redis | None = None, serializer: Any = None
    ) -> GatehouseJob:
        """Read a job; one whose id or key is odd does not exist for us."""
        try:
            job = super().fetch(id, connection=connection, serializer=serializer)
        except (ValueError, ResponseError) as odd:
            raise NoSuchJobError(f"not a job: {odd}") from None
        return cast(GatehouseJob, job)

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Take the payload out of Redis, and nothing else; what is foreign is only remembered."""
        stored = {name.decode("utf-8", "replace"): value for name, value in raw_data.items()}
        try:
            queue, ids = read_payload(stored)
            if self.own_queue and queue != self.own_queue:
                raise JobRefused(f"it is work of the queue {queue}")
            self.refusal = None
        except JobRefused as refusal:
            queue, ids, self.refusal = self.own_queue, [], refusal
        self.func_name, self.instance, self.args, self.kwargs = ADVANCE, None, (queue, ids), {}
        self.created_at = now()
        self.origin = queue
        self.timeout = JOB_SECONDS
        self.result_ttl = RESULT_SECONDS
        self.failure_ttl = FAILURE_SECONDS
        self.ttl = None

    def perform(self) -> None:
        """Ring the rows, or refuse; returns nothing, so that nothing is stored as a result."""
        self.connection.expire(self.key, KEPT_SECONDS)
        if self.refusal is not None:
            self._refuse(self.refusal)
            return
        queue, ids = self.args
        runner.advance(queue, ids)

    def _refuse(self, refusal: JobRefused) -> None:
        """Write into the history that something foreign was in Redis."""
        facts = {"reason": str(refusal), "queue": self.own_queue, "job": self.id[:80]}
        actor = runner.worker_actor(self.own_queue)
        with acting_as(actor), coming_from(runner.worker_origin), transaction.atomic():
            registry.record("security.job_refused", facts)


class Bell:
    """The ticker's side: rings for rows of work."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection

    def ring(self, queue: str, ids: Sequence[int]) -> None:
        """Put one job for these rows (at most BATCH) into Redis."""
        job = GatehouseJob.create(
            ADVANCE,
            args=(queue, list(ids)),
            connection=self._connection,
            serializer=JSONSerializer,
            id=f"wake-{uuid.uuid4().hex}",
            timeout=JOB_SECONDS,
            result_ttl=RESULT_SECONDS,
            failure_ttl=FAILURE_SECONDS,
            ttl=KEPT_SECONDS,
            description=f"{queue}: {len(ids)} rows",
        )
        Queue(
            queue,
            connection=self._connection,
            job_class=GatehouseJob,
            serializer=JSONSerializer,
        ).enqueue_job(job)

    def is_same(self) -> bool:
        """Tell whether Redis still holds the mark of the last call; sets it. False after a loss."""
        return not self._connection.set("gatehouse:mark", "1", nx=True)

    def heal(self) -> list[str]:
        """Remove keys that hold another kind of value than RQ writes there; return their names.

        One of them would stop every ring or every worker, and no value in Redis is worth keeping.
        """
        kinds = {
            key.format(queue=queue): kind
            for queue in registry.QUEUES
            for key, kind in KEPT_AS.items()
        }
        asked = self._connection.pipeline(transaction=False)
        for key in kinds:
            asked.type(key)
        odd = [
            key
            for (key, kind), found in zip(kinds.items(), asked.execute(), strict=True)
            if found not in (kind, b"none")
        ]
        if odd:
            self._connection.delete(*odd)
        return odd

    def sweep(self) -> None:
        """Remove what killed workers left: nothing of it is ever read again."""
        for queue in registry.QUEUES:
            self._connection.delete(f"rq:queue:{queue}:intermediate", f"rq:failed:{queue}")
            clean_worker_registry(Queue(queue, connection=self._connection))


def redis_of(queue: str) -> Redis:
    """Return a connection to the Redis of a queue, as settings.RQ_QUEUES names it."""
    connection: Redis = django_rq.get_connection(queue)
    return connection


class GatehouseWorker(Worker):
    """A forking worker for our jobs only, on one queue: RQ's reliable dequeue needs that."""

    job_class = GatehouseJob

    def __init__(self, queue: str, connection: Redis) -> None:
        GatehouseJob.own_queue = queue
        super().__init__(
            [queue],
            name=f"{queue}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
            connection=connection,
            job_class=GatehouseJob,
            serializer=JSONSerializer,
            default_result_ttl=RESULT_SECONDS,
            log_job_description=False,
        )

    @property
    def was_stopped(self) -> bool:
        """Tell whether a signal ended the work, rather than trouble with Redis."""
        return self._shutdown_requested_date is not None

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Refuse RQ's maintenance: it runs abandoned jobs and their callbacks."""
        return False

    def subscribe(self) -> None:
        """Take no commands over Redis: they could stop a worker or kill a job."""

    def check_for_suspension(self, burst: bool) -> None:
        """Ignore RQ's suspension: a key in Redis must not stop deployments."""

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork without database connections; the child opens its own."""
        connections.close_all()
        super().fork_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """Let the child finish the hop at hand on SIGTERM; Ctrl-C is the parent's business."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: runner.stopping.set())

    def handle_warm_shutdown_request(self) -> None:
        """Tell the child to hand its other rows back, then wait for it."""
        if self.horse_pid:
            # Not kill_horse: it signals a group, which is still ours right after the fork.
            os.kill(self.horse_pid, signal.SIGTERM)
