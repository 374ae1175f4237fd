"""Drive one deployment by one short thing at a time.

An advance claims the row, does the next thing and says when to come back; while the org works for
an hour no worker is held. Whatever the last worker left behind is read from the rows: a started
step is polled by the org's id, an intent without an id is settled by asking the org.
"""

from __future__ import annotations

from django.db import transaction

from core import db
from core.errors import Conflict, ExternalFault
from environments.gateways import open_org
from environments.services import leases
from jobs.registry import Claim, Next
from releases import gate
from releases.engine import finish, reads, remote
from releases.engine.context import StepContext
from releases.models import Deployment, Step
from releases.rules.gate import Verdict
from releases.services import outcomes, steps
from releases.states import (
    DEPLOYMENT,
    SETTLED_STEPS,
    DeploymentState,
    Purpose,
    StepKind,
    StepState,
)

HELD_RECHECK = 15.0
UNREADABLE_RECHECK = 30.0
REMOTE = frozenset({StepKind.VALIDATE, StepKind.DEPLOY})


def advance(claim: Claim) -> Next:
    """Do the next short thing for a deployment; returns when to be called again."""
    deployment = Deployment.objects.select_related(
        "environment__track", "artefact", "release", "build", "candidate", "preparation"
    ).get(pk=claim.subject_id)
    if deployment.state in DEPLOYMENT.terminal:
        return Next.done()
    if deployment.state in (DeploymentState.HELD, DeploymentState.QUEUED):
        return _begin(claim, deployment.pk)
    if deployment.state == DeploymentState.UNKNOWN:
        return _settle_unknown(claim, deployment)
    step = current_step(deployment)
    if step is None:
        return finish.succeed(claim, deployment.pk)
    step.deployment = deployment
    cancelled = deployment.cancel_requested_at and not deployment.is_written
    if step.state == StepState.PENDING and cancelled:
        return finish.fail(
            claim, step, problem="Cancelled before this step.", state=StepState.CANCELLED
        )
    return _advance_step(claim, deployment, step)


def current_step(deployment: Deployment) -> Step | None:
    """The first step that is not settled; ``None`` when all are."""
    for step in deployment.steps.order_by("position"):
        if step.state not in SETTLED_STEPS:
            return step
    return None


def _advance_step(claim: Claim, deployment: Deployment, step: Step) -> Next:
    """Open the org and do the step's next thing.

    A refusal before anything was sent fails the step. One that comes while the org works (a
    credential withdrawn, say) is shown and asked again: only the org knows how it ends.
    """
    try:
        with open_org(deployment.environment) as org:
            return _with_org(StepContext(claim, deployment, step, org))
    except ExternalFault as fault:
        if fault.retryable:
            raise
        if step.state == StepState.PENDING:
            return finish.fail(claim, step, problem=fault.message)
        steps.progress(claim, step, polled_at=db.database_now(), note=fault.message)
        return Next.after(UNREADABLE_RECHECK)


def _with_org(ctx: StepContext) -> Next:
    step = ctx.step
    if step.kind not in REMOTE:
        return reads.poll(ctx) if step.state == StepState.STARTED else reads.begin(ctx)
    if step.state == StepState.STARTED:
        return remote.poll(ctx)
    if step.state == StepState.INTENDED:
        return remote.recover(ctx)
    return remote.begin(ctx)


@transaction.atomic
def _begin(claim: Claim, deployment_id: int) -> Next:
    """Ask the gate and take the environment; held and queued deployments hold nothing."""
    claim.guard()
    deployment = steps.lock(deployment_id)
    if deployment.state in DEPLOYMENT.terminal:
        return Next.done()
    if deployment.cancel_requested_at:
        return finish.cancel_waiting(claim, deployment_id)
    verdict = gate.evaluate(deployment, db.database_now())
    if not verdict.allowed:
        return _hold(deployment, verdict)
    try:
        leases.take(
            environment_id=deployment.environment_id,
            holder_kind=gate.HOLDER,
            holder_id=deployment.pk,
            holder_label=deployment.public_id,
        )
    except Conflict:
        return _hold(deployment, gate.evaluate(deployment, db.database_now()))
    now = db.database_now()
    steps.move(deployment, DeploymentState.RUNNING, started_at=now, reasons=[])
    first = deployment.steps.select_for_update(no_key=True).get(kind=StepKind.GATE)
    first.deployment = deployment
    steps.succeeded(
        claim,
        first,
        note=f"{len(verdict.reasons)} rules asked, none holds",
        facts={"reasons": [item.text for item in verdict.reasons]},
    )
    steps.record("deployment.started", deployment)
    outcomes.started(deployment, list(verdict.waived))
    return Next.now()


def _hold(deployment: Deployment, verdict: Verdict) -> Next:
    """Keep a deployment waiting with its reasons; an event only when they changed."""
    reasons = [item.stored() for item in verdict.holding]
    only_busy = all(item.code == "gate.occupied" for item in verdict.holding)
    waits = deployment.purpose == Purpose.RELEASE or not only_busy
    state = DeploymentState.HELD if waits else DeploymentState.QUEUED
    if deployment.reasons != reasons:
        if deployment.state != state:
            steps.move(deployment, state, reasons=reasons)
        else:
            deployment.reasons = reasons
            deployment.save(update_fields=["reasons"])
        texts = " ".join(item.text for item in verdict.holding)
        steps.record("deployment.held", deployment, reasons=texts)
    asked = deployment.purpose != Purpose.RELEASE or deployment.approved_at is not None
    return Next.after(HELD_RECHECK) if asked else Next.done()


def _settle_unknown(claim: Claim, deployment: Deployment) -> Next:
    """Apply what a person found out, or ask the org once more."""
    step = deployment.steps.get(state=StepState.UNKNOWN)
    step.deployment = deployment
    if deployment.settle_outcome:
        return _apply_settlement(claim, deployment, step)
    with open_org(deployment.environment) as org:
        found = remote.matching(StepContext(claim, deployment, step, org))
    if len(found) != 1:
        return Next.done()
    with transaction.atomic():
        claim.guard()
        locked = steps.lock(deployment.pk)
        steps.move(locked, DeploymentState.RUNNING, message="")
        step.deployment = locked
        steps.started(claim, step, found[0].id, adopted=True)
    return Next.now()


@transaction.atomic
def _apply_settlement(claim: Claim, deployment: Deployment, step: Step) -> Next:
    claim.guard()
    locked = steps.lock(deployment.pk)
    step.deployment = locked
    steps.move(locked, DeploymentState.RUNNING)
    note = f"Settled by a person: {locked.settle_note}"
    if locked.settle_outcome == StepState.SUCCEEDED:
        finish.step_done(claim, step, note=note)
        return Next.now()
    return finish.fail(claim, step, problem=note)
