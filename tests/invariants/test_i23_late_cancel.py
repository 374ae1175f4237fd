"""I-23: a cancel that comes too late is neither forgotten nor believed: the org's word counts."""

from __future__ import annotations

from typing import Any, cast

import pytest

from core.context import Actor, acting_as
from core.errors import ExternalFault, NotNow
from jobs.models import Work
from jobs.registry import Claim, Next
from releases.engine import executor, finish, parcel, remote
from releases.engine.context import StepContext
from releases.models import Step
from releases.services import deployments
from salesforce.client import Org
from salesforce.types import DeployStatus
from tests.invariants.gate_world import Approved
from tests.invariants.test_i13_right_before_the_call import RecordingOrg, _seen, begin, world
from tests.support.company import acting
from tests.support.databases import as_role

__all__ = ["_seen", "world"]


class FinishedOrg:
    """An org that has just ended the deployment when it is asked to stop."""

    def __init__(self, *, retryable: bool = False) -> None:
        self.asked = 0
        self.fault = ExternalFault("org.too_late", "It has already ended.", retryable=retryable)

    def cancel(self, _remote_id: str) -> None:
        """Refuse."""
        self.asked += 1
        raise self.fault

    def deploy_status(self, remote_id: str) -> DeployStatus:
        """Succeeded, with its 21 components."""
        given: dict[str, Any] = dict.fromkeys(DeployStatus.__dataclass_fields__, 0)
        given |= dict.fromkeys(("failures", "warnings", "test_failures", "coverage"), ())
        given |= dict.fromkeys(("coverage_warnings",), ())
        given |= dict.fromkeys(("started_at", "completed_at", "created_at"))
        given |= {"id": remote_id, "status": "Succeeded", "done": True, "success": True}
        given |= {"components_deployed": 21, "state_detail": "", "canceled_by": ""}
        return DeployStatus(**given)


@pytest.fixture(autouse=True)
def _package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "verified_zip", lambda _artefact: b"the package")


def claim(world: Approved) -> Claim:
    """The worker's claim of the deployment."""
    work = Work.objects.get(kind=deployments.KIND, subject_id=world.deployment.pk)
    return Claim(work.kind, work.subject_id, work.fence, work.pk)


def write(world: Approved) -> Step:
    """The step that writes."""
    return world.deployment.steps.get(kind="deploy")


def poll(world: Approved, org: FinishedOrg) -> None:
    """Let the worker ask the org how far it is."""
    deployment = world.fresh()
    step = deployment.steps.get(kind="deploy")
    step.deployment = deployment
    with acting_as(Actor("worker", None, "deploy worker")), as_role("deploy"):
        remote.poll(StepContext(claim(world), deployment, step, cast(Org, org)))


def cancel(world: Approved) -> None:
    with acting(world.company.people["marek"]), as_role("web"):
        deployments.cancel(deployment_id=world.deployment.pk)


@pytest.mark.parametrize("retryable", [False, True])
def test_i23_an_org_that_refuses_to_stop_is_asked_how_it_ended(
    world: Approved, retryable: bool
) -> None:
    begin(world, RecordingOrg())
    cancel(world)
    org = FinishedOrg(retryable=retryable)
    poll(world, org)
    assert (org.asked, write(world).state) == (1, "succeeded")
    assert write(world).facts.get("cancel_refused") == (
        None if retryable else "It has already ended."
    )


def test_i23_what_the_org_has_written_is_held_and_still_verified_after_a_cancel(
    world: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(world, RecordingOrg())
    cancel(world)
    poll(world, FinishedOrg())
    environment = world.fresh().environment
    assert environment.holds_digest == world.deployment.artefact.digest
    went_on: list[str] = []

    def next_step(_claim: Claim, _deployment: object, step: Step) -> Next:
        went_on.append(step.kind)
        return Next.now()

    monkeypatch.setattr(executor, "_advance_step", next_step)
    with acting_as(Actor("worker", None, "deploy worker")), as_role("deploy"):
        executor.advance(claim(world))
    assert went_on == ["verify"]
    assert world.fresh().state == "running"


def test_i23_what_is_written_can_no_longer_be_cancelled(world: Approved) -> None:
    begin(world, RecordingOrg())
    poll(world, FinishedOrg())
    with pytest.raises(NotNow) as refusal:
        cancel(world)
    assert refusal.value.code == "deployment.written"


def test_i23_a_failed_verification_leaves_what_production_holds_told(world: Approved) -> None:
    begin(world, RecordingOrg())
    poll(world, FinishedOrg())
    verify = world.deployment.steps.get(kind="verify")
    verify.deployment = world.fresh()
    with acting_as(Actor("worker", None, "deploy worker")), as_role("deploy"):
        finish.fail(claim(world), verify, problem="It holds no ApexClass.")
    environment = world.fresh().environment
    assert environment.holds_digest == world.deployment.artefact.digest
    assert (environment.hold_state, environment.hold_note) == ("failed", "It holds no ApexClass.")
