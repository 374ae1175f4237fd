"""Take the canary's attempt through the engine and see that nothing comes out at the other end."""

from __future__ import annotations

from typing import cast

from django.db import DatabaseError, transaction

from core import db
from environments.models import Environment
from environments.states import Connection
from governance import audit
from jobs.registry import Claim, Next
from jobs.wake import wake
from releases.engine import remote
from releases.engine.context import StepContext
from releases.models import Deployment, Step
from releases.services import canary, steps
from releases.states import DeploymentState, StepKind, StepState
from salesforce.client import Org


class Recorder:
    """Stands where the org would be: counts what it is asked to do and does none of it."""

    def __init__(self) -> None:
        self.calls = 0

    def deploy(self, *_package: object, **_options: object) -> str:
        """Count a deployment that must never be sent."""
        self.calls += 1
        return "0Af000000000CANARY"

    quick_deploy = deploy


class _Undone(Exception):
    """Rolls back what the floor let pass."""


def reach(claim: Claim) -> Next:
    """Make the canary look connected, as a deploy worker would, and have an attempt planned."""
    found = canary.environment()
    if found is None:
        return Next.done()
    with transaction.atomic():
        claim.guard()
        if not found.organization_id:
            audit.record("canary.placed", found)
            Environment.objects.filter(pk=found.pk).update(
                organization_id=canary.ORGANIZATION,
                is_sandbox=True,
                connection=Connection.OK,
                checked_at=db.database_now(),
            )
        wake(canary.PLAN_KIND, canary.SUBJECT)
    return Next.done()


def attempt(claim: Claim) -> Next:
    """Ask the floor by itself, then the whole engine; write down what both said."""
    deployment = Deployment.objects.select_related("environment", "artefact").get(
        pk=claim.subject_id
    )
    if deployment.state != DeploymentState.HELD:
        return Next.done()
    step = deployment.steps.get(kind=StepKind.DEPLOY)
    step.deployment = deployment
    floor = _ask_floor(step)
    recorder = Recorder()
    # There is nothing to look at before this write: asked are gate and floor.
    now = db.database_now()
    steps.progress(claim, step, polled_at=now, facts={**step.facts, "seen_at": now.isoformat()})
    try:
        remote.begin(StepContext(claim, deployment, step, cast(Org, recorder)))
    except DatabaseError as refusal:
        return _write(claim, deployment, "", _words(refusal), recorder.calls)
    step.refresh_from_db()
    gate = step.note if step.state == StepState.SKIPPED else ""
    return _write(claim, deployment, gate, floor, recorder.calls)


def _ask_floor(step: Step) -> str:
    """What the database says when the gate is left out; always undone."""
    try:
        with transaction.atomic():
            Deployment.objects.filter(pk=step.deployment_id).update(state=DeploymentState.RUNNING)
            Step.objects.filter(pk=step.pk).update(
                state=StepState.INTENDED, intended_at=db.database_now()
            )
            raise _Undone
    except _Undone:
        return ""
    except DatabaseError as refusal:
        return _words(refusal)


def _words(refusal: DatabaseError) -> str:
    return str(refusal).split("\n", 1)[0][:300]


def _write(claim: Claim, deployment: Deployment, gate: str, floor: str, calls: int) -> Next:
    with transaction.atomic():
        claim.guard()
        canary.answered(deployment, gate=gate, floor=floor, calls=calls)
    return Next.done()
