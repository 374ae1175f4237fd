"""The two steps that send an artefact to the org: validate (check-only) and deploy.

Intent is committed, then the call is made, then the org's id is committed at once. What a crash
leaves between the two is settled by ``recover``: the Metadata API takes no key of ours, so the
org's own list of deployments by our user is asked (design 6).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from core import db
from core.errors import ExternalFault, FaultUnknown
from jobs.registry import Next
from releases import gate
from releases.engine import finish, parcel, reads, report, validated
from releases.engine.context import UPLOAD_LIMIT, StepContext, poll_after
from releases.engine.parcel import Parcel
from releases.models import Step
from releases.services import steps
from releases.states import Effect, ReleaseState, StepKind, StepState
from salesforce.types import DeployOptions, DeployRequestRow, DeployStatus

CLOCK_SKEW = timedelta(seconds=60)
LEASE_FOR_UPLOAD = 420
VOID = "org.validation_void"


def begin(ctx: StepContext) -> Next:
    """Ask the gate again, write the intent down, then call."""
    if ctx.step.kind == StepKind.VALIDATE and (counts := validated.counting(ctx)):
        reason = f"{counts.deployment.public_id} validated this artefact in this organisation"
        steps.skipped(ctx.claim, ctx.step, reason=reason)
        return Next.now()
    try:
        package = parcel.of(ctx.deployment)
    except ExternalFault as fault:
        return _other_bytes(ctx, fault)
    if package.is_empty:
        reason = f"{ctx.deployment.environment.name} holds all of it already, from {package.base}"
        steps.skipped(ctx.claim, ctx.step, reason=reason)
        return Next.now()
    if not reads.is_seen(ctx) and (wait := reads.look_again(ctx)):
        return wait
    return _send(ctx, package, validated.for_quick_deploy(ctx))


def _send(ctx: StepContext, package: Parcel, checked: Step | None, refused: str = "") -> Next:
    """Intend and call: the quick deploy of a validation, or the whole package."""
    stopped = _intend(ctx, package, checked, refused)
    if stopped is not None:
        return stopped
    ctx.claim.renew(LEASE_FOR_UPLOAD)
    try:
        if checked is not None:
            remote_id = ctx.org.quick_deploy(checked.remote_id)
        else:
            remote_id = ctx.org.deploy(package.content, _options(ctx))
    except FaultUnknown:
        return Next.after(2)
    except ExternalFault as fault:
        if checked is not None and fault.code == VOID:
            steps.refused(ctx.claim, ctx.step, reason=fault.message)
            return _send_whole(ctx)
        return finish.fail(ctx.claim, ctx.step, problem=fault.message)
    steps.started(ctx.claim, ctx.step, remote_id)
    return Next.after(0.5)


def _send_whole(ctx: StepContext) -> Next:
    """Send the package after the org has refused the quick deploy, and so has done nothing.

    The answer may have come late: the target is looked at again, then the gate is asked once more.
    """
    if ctx.deployment.cancel_requested_at:
        problem = "Cancelled after the org had refused the quick deploy; nothing was deployed."
        return finish.fail(ctx.claim, ctx.step, problem=problem, state=StepState.CANCELLED)
    try:
        package = parcel.of(ctx.deployment)
    except ExternalFault as fault:
        return _other_bytes(ctx, fault)
    if not reads.is_seen(ctx) and (wait := reads.look_again(ctx)):
        return wait
    return _send(ctx, package, None, ctx.step.facts[steps.REFUSED])


@transaction.atomic
def _intend(ctx: StepContext, package: Parcel, checked: Step | None, refused: str) -> Next | None:
    """The gate's last word and the intent in one transaction; a ``Next`` when it says no.

    The request's row is locked: a decision that is withdrawn at the same moment waits, or is seen.
    So is the calendar: a freeze is either committed before, and seen, or comes after the intent.
    Whoever waited here for long looks at the target once more.
    """
    ctx.claim.guard()
    db.shared_advisory_lock("calendar")
    deployment = steps.lock(ctx.deployment.pk)
    ctx.step = Step.objects.select_for_update(no_key=True).get(pk=ctx.step.pk)
    ctx.step.deployment = ctx.deployment = deployment
    if not reads.is_seen(ctx):
        return Next.now()
    verdict = gate.evaluate(deployment, db.database_now())
    if not verdict.allowed:
        reason = " ".join(item.text for item in verdict.holding)
        return finish.stop_at_gate(
            ctx.claim,
            ctx.step,
            reason=f"Stopped at the gate right before the call: {reason}",
            back_to=ReleaseState.REHEARSED,
        )
    facts: dict[str, Any] = {"gate": [item.text for item in verdict.reasons]}
    if package.base:
        facts |= {"components": package.components, "base": package.base}
    if checked is not None:
        facts |= {"validated": checked.remote_id, "validated_by": checked.deployment.public_id}
    if refused:
        steps.intend_again(ctx.claim, ctx.step, reason=refused, **facts)
    else:
        steps.intend(ctx.claim, ctx.step, **facts)
    return None


@transaction.atomic
def _other_bytes(ctx: StepContext, fault: ExternalFault) -> Next:
    """What is stored under the digest is something else: tell the history, send nothing."""
    ctx.claim.guard()
    digest = ctx.deployment.artefact.digest
    steps.record("artefact.mismatch", ctx.deployment, artefact=digest, problem=fault.message)
    return finish.fail(ctx.claim, ctx.step, problem=fault.message)


def _options(ctx: StepContext) -> DeployOptions:
    plan = ctx.deployment.plan
    return DeployOptions(
        check_only=ctx.step.effect == Effect.CHECK,
        test_level=plan["test_level"],
        run_tests=tuple(plan["run_tests"]),
        rollback_on_error=plan["rollback_on_error"],
        ignore_warnings=plan["ignore_warnings"],
    )


def poll(ctx: StepContext) -> Next:
    """Ask the org how far it is, write its counters down and settle when it is done."""
    step, now = ctx.step, db.database_now()
    if ctx.deployment.cancel_requested_at and "cancel_sent" not in step.facts:
        _ask_to_stop(ctx, now)
    status = ctx.org.deploy_status(step.remote_id)
    if not status.done:
        steps.progress(ctx.claim, step, polled_at=now, **report.counters(status))
        return poll_after(step, now)
    return settle(ctx, status)


def _ask_to_stop(ctx: StepContext, now: datetime) -> None:
    """Ask the org once to stop; how it ends is what the org then says, also when it refuses."""
    facts = {**ctx.step.facts, "cancel_sent": now.isoformat()}
    try:
        ctx.org.cancel(ctx.step.remote_id)
    except ExternalFault as fault:
        if fault.retryable:
            return
        facts["cancel_refused"] = fault.message
    steps.progress(ctx.claim, ctx.step, polled_at=now, facts=facts)


def settle(ctx: StepContext, status: DeployStatus) -> Next:
    """Write the org's verdict down with every message it gave."""
    counters = report.counters(status)
    counters["facts"] = {**ctx.step.facts, **report.times(status)}
    if status.success:
        with transaction.atomic():
            note = report.summary(status) + _how(ctx.step)
            finish.step_done(ctx.claim, ctx.step, note=note, **counters)
            steps.say(ctx.step, report.messages(status))
        return Next.now()
    state = StepState.CANCELLED if status.canceled else StepState.FAILED
    return finish.fail(
        ctx.claim,
        ctx.step,
        problem=report.summary(status),
        messages=report.messages(status),
        state=state,
        **counters,
    )


def _how(step: Step) -> str:
    """What a reader has to know of how it was sent, to end the step's sentence."""
    if base := step.facts.get("base"):
        return f"; only what differs from {base}, which the org held"
    if by := step.facts.get("validated_by"):
        return f"; a quick deploy of what {by} validated, whose tests count"
    return ""


def recover(ctx: StepContext) -> Next:
    """Settle an intent without an id: adopt the org's one matching deployment, or doubt.

    A call that the org is known to have refused left nothing to look for.
    """
    if steps.REFUSED in ctx.step.facts:
        return _send_whole(ctx)
    step, now = ctx.step, db.database_now()
    intended = step.intended_at or now
    seen = _unclaimed(ctx)
    found = matching(ctx, seen)
    if len(found) == 1:
        steps.started(ctx.claim, step, found[0].id, adopted=True)
        return Next.now()
    if seen:
        problem = (
            f"{ctx.deployment.environment.name} shows {len(seen)} deployments that could be "
            "this one. Look in Setup, Deployment Status, then settle it here."
        )
        return finish.doubt(ctx.claim, step, problem=problem)
    if now < intended + UPLOAD_LIMIT:
        return Next.after(5)
    return finish.fail(
        ctx.claim,
        step,
        problem="The call never reached the org, or the org refused it while nobody listened; "
        "nothing was deployed. Start it again.",
    )


def _unclaimed(ctx: StepContext) -> list[DeployRequestRow]:
    """Deployments by our user since the intent, of the same kind, that no step of ours owns."""
    intended = ctx.step.intended_at or db.database_now()
    taken = set(Step.objects.exclude(remote_id="").values_list("remote_id", flat=True))
    return [
        row
        for row in ctx.org.recent_deploys(intended - CLOCK_SKEW)
        if row.id not in taken and row.check_only == (ctx.step.effect == Effect.CHECK)
    ]


def matching(
    ctx: StepContext, seen: list[DeployRequestRow] | None = None
) -> list[DeployRequestRow]:
    """The org's one deployment that can be adopted: alone, and of our component count.

    The count is 0 while the org has not opened the package.
    """
    rows = _unclaimed(ctx) if seen is None else seen
    total = ctx.step.facts.get("components", ctx.deployment.artefact.component_count)
    return rows if len(rows) == 1 and rows[0].components_total in (0, total) else []
