"""I-16: a job argument carries no authority; I-13 once more, with a real worker at the last moment.

"Queue payload = attempt id only; enqueuing any id by hand can never run unapproved or finished
work." Real Valkey, a real ticker and a real deploy worker, and a simulated org that lists every
call. What a worker makes of foreign functions in detail is tested in tests/jobs/test_processes.py.

One test, since founding the company and starting processes is what costs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import transaction

from governance.models import ApprovalRequest, AuditEvent
from jobs.models import Work
from jobs.rq import ADVANCE, BATCH
from jobs.wake import wake
from releases.models import Deployment, Release
from releases.services import approval, deployments, stages
from tests.jobs.test_processes import attacks, call, push
from tests.journeys.conftest import journey, processes
from tests.journeys.northwind import Journey
from tests.support import barrier
from tests.support.databases import role_connection
from tests.support.processes import Farm, wait_until

logger = logging.getLogger(__name__)

__all__ = ["journey", "processes"]
pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


def empty(client: Any) -> bool:
    return bool(client.llen("rq:queue:deploy") == 0)


def refusals() -> list[str]:
    events = AuditEvent.objects.filter(event="security.job_refused").order_by("pk")
    return [json.loads(event.body)["facts"]["reason"] for event in events]


def push_ids(client: Any, *ids: int) -> None:
    for start in range(0, len(ids), BATCH):
        push(client, {"data": call(ADVANCE, "deploy", list(ids[start : start + BATCH]))})


def settled(client: Any, farm: Farm) -> None:
    """Wait until the worker has taken everything that was pushed, and is at rest."""
    wait_until(lambda: empty(client), seconds=60, farm=farm)
    own = Work.objects.filter(queue="deploy", lease_until__isnull=False)
    wait_until(lambda: not own.exists(), seconds=60, farm=farm)


def approve(journey: Journey, release: Release) -> Deployment:
    """Ana and Ben approve; nothing is worked inline, that is for the real worker."""
    request = ApprovalRequest.objects.filter(subject_kind="release", subject_id=release.pk).latest(
        "pk"
    )
    for name in ("ana", "ben"):
        with journey.acting(name):
            approval.decide(
                release_id=release.pk,
                verdict="approve",
                comment="",
                shown_digest=request.digest,
                auth_strength="password",
            )
    return journey.deployment(release)


@contextmanager
def at_the_last_moment(farm: Farm, deployment: Deployment) -> Iterator[None]:
    """Hold the calendar, so that the worker stands between its last check and the intent."""
    with role_connection("web") as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [barrier.key()])
        with transaction.atomic():
            wake(deployments.KIND, deployment.pk)
        wait_until(barrier.someone_waits, seconds=90, farm=farm)
        yield
        other.rollback()


def over(deployment: Deployment) -> bool:
    deployment.refresh_from_db()
    return deployment.state not in ("held", "queued", "running")


def test_i16_i13_nothing_in_redis_and_nothing_at_the_last_moment_reaches_the_org(
    journey: Journey, processes: Farm, valkey: str, tmp_path: Path
) -> None:
    release = journey.composed("October", journey.offered("sales", "v4.2.0"))
    journey.submitted(release)
    unapproved = journey.deployment(release)
    with transaction.atomic():
        wake(deployments.KIND, unapproved.pk)
    client: Any = redis.Redis.from_url(valkey)
    processes.ticker()
    worker = processes.worker("deploy")

    # 1. Every row of work there is, unapproved, finished and foreign, and some that are not there.
    every = [*Work.objects.values_list("pk", flat=True), 999_999]
    finished = Deployment.objects.filter(state="succeeded").count()
    assert finished >= 4
    told = len(journey.writes("Sales TEST")), len(journey.writes("PRE-PRD"))
    for _ in range(3):
        push_ids(client, *every)
    # 2. Functions, pickles, callbacks and dependencies of somebody who can write to Redis.
    mark = tmp_path / "mark"
    listed = attacks(mark)
    for fields in listed.values():
        push(client, fields)
    # 3. Old jobs put back by hand into what a dashboard would requeue from.
    old = {"status": "failed", "origin": "deploy", "data": call(ADVANCE, "deploy", every[:BATCH])}
    for number, registry in enumerate(("failed", "finished", "scheduled", "deferred", "wip")):
        client.hset(f"rq:job:old-{number}", mapping=old)
        client.zadd(f"rq:{registry}:deploy", {f"old-{number}": 0})
        client.rpush("rq:queue:deploy", f"old-{number}")
    client.hset("rq:job:raw", mapping={"data": json.dumps(every)})
    client.rpush("rq:queue:deploy", "raw")
    wait_until(lambda: len(refusals()) >= len(listed) + 1, seconds=90, farm=processes)
    settled(client, processes)
    unapproved.refresh_from_db()
    assert journey.writes("Production") == []
    assert (len(journey.writes("Sales TEST")), len(journey.writes("PRE-PRD"))) == told
    assert unapproved.state == "held"
    assert Deployment.objects.filter(state="succeeded").count() == finished
    assert worker.alive
    assert not mark.exists()
    assert any("subprocess.getoutput" in reason for reason in refusals())

    # 4. I-13: approved, claimed, at the last moment; then Ben takes his approval back.
    deployment = approve(journey, release)
    with at_the_last_moment(processes, deployment), journey.acting("ben"):
        approval.withdraw_decision(release_id=release.pk, reason="second thoughts")
    wait_until(lambda: over(deployment), seconds=60, farm=processes)
    assert deployment.state == "superseded"
    assert journey.writes("Production") == []
    assert "right before the call" in deployment.message

    # 5. Asked and approved anew: now nothing is lost, and the call follows the intent at once.
    with journey.acting("marek"):
        stages.prepare(release_id=release.pk)
    wait_until(
        lambda: stages.preparation_of(journey.release(release.pk)), seconds=60, farm=processes
    )
    with journey.acting("marek"):
        stages.submit(release_id=release.pk)
    deployment = approve(journey, release)
    with at_the_last_moment(processes, deployment):
        assert journey.writes("Production") == []
    wait_until(lambda: over(deployment), seconds=90, farm=processes)
    assert deployment.state == "succeeded", deployment.message
    assert len(journey.writes("Production")) == 1
    step = deployment.steps.get(kind="deploy")
    assert step.intended_at is not None
    assert step.started_at is not None
    window = (step.started_at - step.intended_at).total_seconds()
    logger.info("intent committed to the org's answer: %.0f ms", window * 1000)
    assert window < 30

    # 6. The finished deployment pushed by hand is not sent once more.
    push_ids(client, *Work.objects.values_list("pk", flat=True))
    settled(client, processes)
    assert len(journey.writes("Production")) == 1
