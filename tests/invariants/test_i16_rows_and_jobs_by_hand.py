"""I-16: whoever writes to Redis or to rows of work chooses neither what runs nor with which keys.

Whatever bytes lie in Redis, a worker makes a call of ``jobs.runner.advance`` for its own queue of
them, or refuses. Whatever queue web writes into a row, the row's work is done by workers of the
queue that its kind was registered for, or by nobody. Real workers: ``test_i16_a_job_argument…``.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.models import AuditEvent
from jobs import registry, runner
from jobs.models import Work
from jobs.registry import QUEUES, Claim, Kind, Next
from jobs.rq import ADVANCE, BATCH, FOREIGN, GatehouseJob
from tests.jobs.test_processes import attacks, call
from tests.support.company import Company
from tests.support.cover import execute
from tests.support.databases import as_role

SUBJECT = 4711
PRODUCT = [kind for kind in registry.kinds() if not kind.name.startswith(("test.", "sample."))]


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────


def of_others(queue: str) -> list[Kind]:
    """The kinds of work that workers of this queue must not do."""
    return [kind for kind in PRODUCT if kind.queue != queue]


def slip(kind: Kind, queue: str) -> int:
    """As web, wake work in a queue of one's choice; returns the row's id."""
    execute(
        "web",
        "INSERT INTO jobs_work (kind, subject_id, queue, wake_at) VALUES (%s, %s, %s, now())",
        kind.name,
        SUBJECT,
        queue,
    )
    return Work.objects.get(kind=kind.name, subject_id=SUBJECT).pk


@pytest.mark.parametrize("queue", QUEUES)
def test_i16_work_meets_the_keys_of_its_own_queue_or_nobodys(
    company: Company, monkeypatch: pytest.MonkeyPatch, queue: str
) -> None:
    met: list[str] = []

    def handler(claim: Claim) -> Next:
        met.append(claim.kind)
        return Next.done()

    slipped = of_others(queue)
    assert len(slipped) > 5
    own = next(kind for kind in PRODUCT if kind.queue == queue)
    for kind in (*slipped, own):
        monkeypatch.setitem(registry._kinds, kind.name, Kind(kind.name, kind.queue, handler))
    ids = [slip(kind, queue) for kind in (*slipped, own)]
    with as_role(queue):
        for work_id in ids:
            runner.advance(queue, [work_id])
            runner.advance(queue, [work_id])
    assert met == [own.name]
    assert not Work.objects.filter(pk__in=ids).exclude(wake_at=None, lease_until=None).exists()
    told = AuditEvent.objects.filter(event="security.job_refused")
    assert [json.loads(event.body)["facts"]["reason"] for event in told.order_by("pk")] == [
        f"{kind.name} {SUBJECT} is work of the queue {kind.queue}" for kind in slipped
    ]


# ── Jobs ─────────────────────────────────────────────────────────────────────────────────────────


def read(fields: dict[bytes, Any]) -> GatehouseJob:
    """What a deploy worker makes of a job's hash."""
    job = GatehouseJob("wake-1", connection=object())  # type: ignore[arg-type]
    job.own_queue = "deploy"
    job.restore(fields)
    return job


def is_harmless(job: GatehouseJob) -> bool:
    """Whether it rings rows of its own queue, or is refused and rings none."""
    queue, ids = job.args
    return (
        (job.func_name, job.instance, job.kwargs, queue) == (ADVANCE, None, {}, "deploy")
        and len(ids) <= BATCH
        and all(type(one) is int and one > 0 for one in ids)
        and (job.refusal is None) == bool(ids)
        and not (job.success_callback or job.failure_callback or job.stopped_callback)
        and not (job.retries_left or job.repeats_left or job._dependency_ids)
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from((ADVANCE, "deploy", "build", "os.system", 1)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)  # fmt: skip
PAYLOADS = (
    st.binary(max_size=60)
    | st.binary(max_size=60).map(zlib.compress)
    | VALUES.map(lambda value: zlib.compress(json.dumps(value).encode()))
    | st.lists(VALUES, min_size=4, max_size=4).map(
        lambda value: zlib.compress(json.dumps([ADVANCE, *value[1:]]).encode())
    )
    | st.lists(VALUES, max_size=3).map(lambda ids: call(ADVANCE, "deploy", ids))
    | st.lists(VALUES, max_size=3).map(lambda args: call(ADVANCE, *args))
)
NAMES = st.sampled_from([name.encode() for name in (*FOREIGN, "timeout", "created_at", "ttl")])


@settings(max_examples=150)
@given(PAYLOADS, st.dictionaries(NAMES | st.binary(max_size=6), st.binary(max_size=9), max_size=3))
def test_i16_bytes_in_redis_are_a_ring_for_the_own_queue_or_refused(
    payload: bytes, more: dict[bytes, bytes]
) -> None:
    assert is_harmless(read({**more, b"data": payload}))


def test_i16_what_somebody_wants_run_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for name, fields in attacks(mark).items():
        raw = {key.encode(): _bytes(value) for key, value in fields.items()}
        job = read(raw)
        assert job.refusal is not None, name
        assert is_harmless(job), name
    assert not mark.exists()
    assert read({b"data": call(ADVANCE, "deploy", [1, 2])}).args == ("deploy", [1, 2])


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
