"""End a deployment: state, lease, what the environment holds, and word to the owner.

All of it is one transaction, guarded by the fence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from environments.services import holdings, leases
from jobs.registry import Claim, Next
from releases import gate
from releases.models import Deployment, Step, StepMessage
from releases.services import deployments, outcomes, releases, steps
from releases.states import (
    DeploymentState,
    Effect,
    Purpose,
    ReleaseState,
    StepState,
)

RETURNING = frozenset(
    {ReleaseState.COMPOSED, ReleaseState.INTEGRATED, ReleaseState.REHEARSED, *releases.ASKED}
)
"""From where a release goes back to draft when production is not what it was composed against."""


@transaction.atomic
def succeed(claim: Claim, deployment_id: int) -> Next:
    """Every step is settled well."""
    claim.guard()
    deployment = steps.lock(deployment_id)
    steps.move(deployment, DeploymentState.SUCCEEDED, message="")
    steps.record("deployment.succeeded", deployment, artefact=str(deployment.artefact))
    _leave(deployment)
    return Next.done()


@transaction.atomic
def step_done(claim: Claim, done: Step, *, note: str, **columns: Any) -> None:
    """A step ended well; after the one that writes, the environment holds the artefact.

    That is recorded here and not at the deployment's end: it stays true when verifying fails.
    """
    claim.guard()
    steps.succeeded(claim, done, note=note, **columns)
    if done.effect == Effect.WRITE:
        deployment = done.deployment
        holdings.record(
            environment_id=deployment.environment_id,
            digest=deployment.artefact.digest,
            label=label(deployment),
            ref=deployment.public_id,
        )


@transaction.atomic
def fail(
    claim: Claim,
    step: Step,
    *,
    problem: str,
    messages: Iterable[StepMessage] = (),
    state: StepState = StepState.FAILED,
    **columns: Any,
) -> Next:
    """A step ended badly, and the deployment with it; the rest of the steps is left undone."""
    claim.guard()
    deployment = steps.lock(step.deployment_id)
    step.deployment = deployment
    steps.move_step(step, state, note=problem, **columns)
    steps.say(step, messages)
    cancelled = state is StepState.CANCELLED
    steps.record(f"step.{state.value}", deployment, step=steps.noun(step), problem=problem)
    if step.effect == Effect.WRITE or deployment.is_written:
        holdings.record_failure(deployment.environment_id, problem)
    end = DeploymentState.CANCELLED if cancelled else DeploymentState.FAILED
    steps.move(deployment, end, message=problem)
    steps.record(f"deployment.{end.value}", deployment, problem=problem)
    _leave(deployment)
    return Next.done()


@transaction.atomic
def cancel_waiting(claim: Claim, deployment_id: int) -> Next:
    """A deployment that never began is cancelled at once."""
    claim.guard()
    deployment = steps.lock(deployment_id)
    steps.move(deployment, DeploymentState.CANCELLED, message="Cancelled before it began.")
    steps.record("deployment.cancelled", deployment)
    _leave(deployment)
    return Next.done()


@transaction.atomic
def stop_at_gate(claim: Claim, step: Step, *, reason: str, back_to: ReleaseState) -> Next:
    """The gate closed, or production moved, before anything was sent: nothing is deployed.

    A production deployment is set aside, its decisions are void and the release goes back;
    any other deployment fails with the gate's reasons.
    """
    claim.guard()
    deployment = steps.lock(step.deployment_id)
    step.deployment = deployment
    if step.state == StepState.PENDING:
        steps.move_step(step, StepState.SKIPPED, note=reason)
    elif step.state == StepState.INTENDED:
        # The org has refused the quick deploy, and the gate closed before the package was sent.
        steps.move_step(step, StepState.FAILED, note=reason)
    if deployment.purpose == Purpose.RELEASE and deployment.release is not None:
        steps.move(deployment, DeploymentState.SUPERSEDED, message=reason)
        steps.record("deployment.superseded", deployment, reason=reason)
        release = releases.lock(deployment.release.pk)
        releases.record("release.decisions_voided", release, reason=reason)
        releases.void(release, reason, to=back_to)
    else:
        steps.move(deployment, DeploymentState.FAILED, message=reason)
        steps.record("deployment.failed", deployment, problem=reason)
    _leave(deployment)
    return Next.done()


@transaction.atomic
def compose_again(claim: Claim, step: Step, *, reason: str) -> Next:
    """A preparation finds another production than its release was composed against.

    It fails, and the release goes back to draft, where it is composed again.
    """
    claim.guard()
    deployment = steps.lock(step.deployment_id)
    if deployment.release is not None:
        release = releases.lock(deployment.release.pk)
        if release.state in RETURNING and release.artefact_id == deployment.artefact_id:
            releases.void(release, reason, to=ReleaseState.DRAFT)
    return fail(claim, step, problem=reason)


@transaction.atomic
def doubt(claim: Claim, step: Step, *, problem: str) -> Next:
    """Nobody can say whether the org took the call: unknown, and the lease stays taken."""
    claim.guard()
    deployment = steps.lock(step.deployment_id)
    step.deployment = deployment
    steps.move_step(step, StepState.UNKNOWN, note=problem)
    steps.record("step.unknown", deployment, step=steps.noun(step), problem=problem)
    if step.effect == Effect.WRITE:
        holdings.record_unknown(deployment.environment_id, problem)
    steps.move(deployment, DeploymentState.UNKNOWN, message=problem)
    steps.record("deployment.unknown", deployment, problem=problem)
    if deployment.release is not None:
        outcomes.tell_composer(deployment, f"{deployment} is in doubt")
    return Next.done()


def label(deployment: Deployment) -> str:
    """How people name what an environment holds: release, tag or short commit."""
    if deployment.release is not None:
        return deployment.release.public_id
    if deployment.candidate is not None:
        return deployment.candidate.tag
    if deployment.build is not None:
        return deployment.build.sha[:7]
    return str(deployment.artefact)


def _leave(deployment: Deployment) -> None:
    """Free the environment, tell the owner and let the next one begin."""
    holder = leases.holder_of(deployment.environment_id)
    if holder is not None and (holder.kind, holder.id) == (gate.HOLDER, deployment.pk):
        leases.release(
            environment_id=deployment.environment_id,
            holder_kind=gate.HOLDER,
            holder_id=deployment.pk,
        )
    outcomes.finished(deployment)
    deployments.wake_next(deployment.environment_id)
