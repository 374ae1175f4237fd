"""A worker that dies at the worst moment: the deployment goes on by itself and is sent once.

Real ticker and workers, real Valkey, SIGKILL.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from governance.models import AuditEvent
from jobs.models import Work
from releases.models import Deployment
from releases.services import approval, deployments, steps
from tests.journeys.northwind import Journey
from tests.support import cover
from tests.support.databases import as_role
from tests.support.processes import Farm, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def approved(journey: Journey, **fault: Any) -> Deployment:
    """A release with every approval, its production deployment waiting for a worker."""
    release = journey.composed("October", journey.offered("sales", "v4.2.0"))
    request = journey.submitted(release)
    if fault:
        journey.org("Production").fault(**fault)
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


def state_of(deployment: Deployment, kind: str) -> str:
    """The state of a step now."""
    state: str = deployment.steps.get(kind=kind).state
    return state


def finished(deployment: Deployment) -> bool:
    """Whether the deployment has ended well."""
    deployment.refresh_from_db()
    return deployment.state == "succeeded"


def let_the_lease_lapse(deployment: Deployment) -> None:
    """Move the dead worker's lease into the past, as waiting for it would."""
    with as_role("deploy"):
        Work.objects.filter(
            kind=deployments.KIND, subject_id=deployment.pk, lease_until__isnull=False
        ).update(lease_until=clock.now() - timedelta(seconds=1))


def test_worker_killed_while_the_org_deploys_is_replaced_and_nothing_is_sent_twice(
    journey: Journey, processes: Farm
) -> None:
    deployment = approved(journey, kind="slow", call="deploy.run", seconds=3000, times=1)
    processes.ticker()
    worker = processes.worker("deploy")
    wait_until(lambda: state_of(deployment, "deploy") == "started", seconds=60, farm=processes)
    worker.kill()
    let_the_lease_lapse(deployment)
    processes.worker("deploy")
    wait_until(lambda: finished(deployment), seconds=90, farm=processes)
    assert len(journey.writes("Production")) == 1
    deployment.refresh_from_db()
    assert deployment.release is not None
    assert journey.release(deployment.release.pk).state == "deployed"


def test_i21_worker_killed_between_intent_and_the_orgs_id_adopts_the_one_deployment(
    journey: Journey, processes: Farm
) -> None:
    deployment = approved(journey, kind="timeout_after", call="deploy.start", times=1)
    processes.ticker()
    worker = processes.worker("deploy")
    wait_until(lambda: len(journey.writes("Production")) == 1, seconds=60, farm=processes)
    assert state_of(deployment, "deploy") == "intended"
    worker.kill()
    assert state_of(deployment, "deploy") == "intended"
    let_the_lease_lapse(deployment)
    processes.worker("deploy")
    wait_until(lambda: finished(deployment), seconds=90, farm=processes)
    assert len(journey.writes("Production")) == 1
    step = deployment.steps.get(kind="deploy")
    assert step.remote_id == journey.writes("Production")[0]["id"]


CALL = "salesforce.client.Org.quick_deploy"
DEATHS = (
    ("before releases.services.outcomes.started", "pending"),
    ("before releases.engine.reads.poll", "pending"),
    ("before releases.engine.parcel.of", "pending"),
    ("after releases.services.steps.intend", "pending"),
    (f"after {CALL}", "intended"),
    ("before releases.engine.remote.poll", "started"),
    ("after releases.engine.finish.step_done", "started"),
    ("before releases.engine.finish.succeed", "succeeded"),
    ("before governance.approvals.use", "succeeded"),
)
"""Where one worker after the other dies, and what is known of the write then."""


def die(processes: Farm, deployment: Deployment, place: str) -> None:
    """Let a worker take the deployment up, and die at a place."""
    victim = processes.worker(
        "deploy", DJANGO_SETTINGS_MODULE="tests.journeys.dying.settings", DIES_AT=place
    )
    wait_until(lambda: not victim.alive, seconds=60, farm=processes)
    assert victim.was_killed, victim.output()
    let_the_lease_lapse(deployment)


def told(deployment: Deployment) -> list[str]:
    """The events of a deployment about its write and its end, in order."""
    names = AuditEvent.objects.filter(subject_ref=deployment.public_id).order_by("pk")
    write = steps.noun(deployment.steps.get(kind="deploy"))
    return [
        row.event
        for row in names
        if row.event.startswith("deployment.") or json.loads(row.body)["facts"].get("step") == write
    ]


@pytest.mark.timeout(600)
def test_i21_workers_that_die_at_every_step_write_once_and_the_history_says_what_happened(
    journey: Journey, processes: Farm
) -> None:
    """Nine workers die one after the other on the same deployment."""
    deployment = approved(journey)
    processes.ticker()
    for place, known in DEATHS:
        die(processes, deployment, place)
        assert state_of(deployment, "deploy") == known, place
    processes.worker("deploy")
    wait_until(lambda: finished(deployment), seconds=90, farm=processes)
    assert len(journey.writes("Production")) == 1
    assert told(deployment) == [
        "deployment.planned",
        "deployment.started",
        "step.intended",
        "step.adopted",
        "step.succeeded",
        "deployment.succeeded",
    ]
    assert deployment.approval is not None
    assert deployment.approval.state == "used"
    assert deployment.release is not None
    assert journey.release(deployment.release.pk).state == "deployed"


def test_i23_worker_killed_between_intent_and_call_sends_nothing_and_says_so(
    journey: Journey, processes: Farm
) -> None:
    deployment = approved(journey)
    processes.ticker()
    die(processes, deployment, f"before {CALL}")
    assert state_of(deployment, "deploy") == "intended"
    cover.set_clock(6)
    let_the_lease_lapse(deployment)
    processes.worker("deploy")

    def failed() -> bool:
        deployment.refresh_from_db()
        return deployment.state == "failed"

    wait_until(failed, seconds=60, farm=processes)
    assert "never reached the org" in deployment.message
    assert journey.writes("Production") == []
    assert told(deployment)[-3:] == ["step.intended", "step.failed", "deployment.failed"]
