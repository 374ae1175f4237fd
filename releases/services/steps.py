"""The only writer of deployment and step state.

The engine calls the org outside any transaction and reports here. Every function runs in one
transaction, takes the worker's fence first (``claim.guard``), checks the state table, writes named
columns and records the event.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from core import db
from core.context import current_actor
from governance import audit
from jobs.registry import Claim
from releases.models import Deployment, Step, StepMessage
from releases.services import locking
from releases.states import DEPLOYMENT, STEP, DeploymentState, StepKind, StepState

NOUNS = {
    StepKind.GATE: "gate check",
    StepKind.SNAPSHOT: "snapshot",
    StepKind.VALIDATE: "validation",
    StepKind.DEPLOY: "deployment",
    StepKind.VERIFY: "verification",
}
REFUSED = "refused"
"""The fact that the org refused an intended call and nothing else was sent yet: its words."""


def noun(step: Step) -> str:
    """What a sentence calls the step."""
    return NOUNS[StepKind(step.kind)]


def lock(deployment_id: int) -> Deployment:
    """The deployment's row and what is locked before it, until the transaction ends."""
    return locking.deployment(deployment_id)


def move(deployment: Deployment, state: DeploymentState, **columns: Any) -> None:
    """Move a locked deployment to ``state`` and write the named columns with it."""
    DEPLOYMENT.check(DeploymentState(deployment.state), state)
    if state in DEPLOYMENT.terminal:
        columns.setdefault("finished_at", db.database_now())
    deployment.state = state
    for name, value in columns.items():
        setattr(deployment, name, value)
    deployment.save(update_fields=["state", *columns])


def move_step(step: Step, state: StepState, **columns: Any) -> None:
    """Move a step to ``state`` and write the named columns with it."""
    STEP.check(StepState(step.state), state)
    if state in STEP.terminal:
        columns.setdefault("finished_at", db.database_now())
    step.state = state
    for name, value in columns.items():
        setattr(step, name, value)
    step.save(update_fields=["state", *columns])


def record(event: str, deployment: Deployment, **facts: Any) -> None:
    """Write an event about a deployment, related to what it carries."""
    audit.record(
        event,
        deployment,
        related=related(deployment),
        team=team_of(deployment),
        facts={"environment": deployment.environment.name, **facts},
        behalf=audit.behalf_of(requester=deployment.requester, approval_id=deployment.approval_id),
    )


def related(deployment: Deployment) -> list[str]:
    """Public ids of what a deployment belongs to, for the stories of those objects."""
    owners = (deployment.release, deployment.candidate, deployment.build)
    ids = [owner.public_id for owner in owners if owner is not None]
    return [*ids, deployment.environment.public_id]


def team_of(deployment: Deployment) -> Any:
    """The team whose work is deployed, or ``None`` for a release of several."""
    if deployment.candidate is not None:
        return deployment.candidate.team
    if deployment.build is not None:
        return deployment.build.repository.team
    return None


@transaction.atomic
def intend(claim: Claim, step: Step, **facts: Any) -> None:
    """Write down that the next thing is a remote call; committed before the call is made."""
    claim.guard()
    move_step(
        step,
        StepState.INTENDED,
        intended_at=db.database_now(),
        worker=current_actor().name,
        fence=claim.fence,
        facts={**step.facts, **facts},
    )
    record("step.intended", step.deployment, step=noun(step))


@transaction.atomic
def refused(claim: Claim, step: Step, *, reason: str) -> None:
    """Keep a certain refusal of the quick deploy at once: there is nothing to look for then."""
    claim.guard()
    step.facts = {**_not_validated(step), REFUSED: reason}
    step.save(update_fields=["facts"])


def _not_validated(step: Step) -> dict[str, Any]:
    kept = {key: value for key, value in step.facts.items() if not key.startswith("validated")}
    kept.pop(REFUSED, None)
    return kept


@transaction.atomic
def intend_again(claim: Claim, step: Step, *, reason: str, **facts: Any) -> None:
    """Another call for the same intent, after the org has refused the quick deploy.

    Only for a certain refusal. The database asks its floor again, as for the first intent.
    """
    claim.guard()
    step.intended_at = db.database_now()
    step.facts = {**_not_validated(step), **facts, "quick_deploy_refused": reason}
    step.save(update_fields=["intended_at", "facts"])
    record("step.intended_again", step.deployment, step=noun(step), reason=reason)


@transaction.atomic
def started(claim: Claim, step: Step, remote_id: str, *, adopted: bool = False) -> None:
    """Write down the org's id of what it accepted, at once after the call."""
    claim.guard()
    move_step(step, StepState.STARTED, remote_id=remote_id, started_at=db.database_now())
    event = "step.adopted" if adopted else "step.started"
    record(event, step.deployment, step=noun(step), remote_id=remote_id)


@transaction.atomic
def progress(claim: Claim, step: Step, *, polled_at: datetime, **counters: Any) -> None:
    """Write the org's counters; changes no state and so leaves no event."""
    claim.guard()
    counters["polled_at"] = polled_at
    for name, value in counters.items():
        setattr(step, name, value)
    step.save(update_fields=list(counters))


@transaction.atomic
def succeeded(claim: Claim, step: Step, *, note: str = "", **columns: Any) -> None:
    """Settle a step as done."""
    claim.guard()
    if not step.started_at:
        columns["started_at"] = step.intended_at or db.database_now()
    move_step(step, StepState.SUCCEEDED, note=note, **columns)
    record("step.succeeded", step.deployment, step=noun(step))


@transaction.atomic
def skipped(claim: Claim, step: Step, *, reason: str) -> None:
    """Settle a step as not needed, with the reason."""
    claim.guard()
    move_step(step, StepState.SKIPPED, note=reason)
    record("step.skipped", step.deployment, step=noun(step), reason=reason)


def say(step: Step, messages: Iterable[StepMessage]) -> None:
    """Keep what the org said about components and tests; call inside the settling transaction."""
    rows = list(messages)
    for row in rows:
        row.step = step
    StepMessage.objects.bulk_create(rows)
