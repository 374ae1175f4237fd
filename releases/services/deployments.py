"""Plan, cancel and settle deployments; the engine alone carries them out."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from core import db
from core.errors import InvalidInput, NotNow
from environments.models import Environment, Freeze
from governance.models import ApprovalRequest, PolicyVersion, User
from governance.permissions import acting_person, demand
from jobs.wake import wake
from releases.models import Artefact, Build, Candidate, Deployment, Release, Step
from releases.selectors import testing, words
from releases.services import locking, steps
from releases.states import (
    EFFECTS,
    LIVE_DEPLOYMENTS,
    PLANS,
    SETTLED_STEPS,
    UNDER_WAY,
    DeploymentState,
    Effect,
    Purpose,
    StepState,
)

KIND = "releases.deployment"


def plan_of(
    purpose: Purpose, policy_version: PolicyVersion | None, release: Release | None
) -> dict[str, Any]:
    """The plan that a deployment carries: steps, tests and deploy options (bound)."""
    runs = testing.selection(release, policy_version)
    return {
        "steps": [kind.value for kind in PLANS[purpose]],
        "test_level": runs.level,
        "run_tests": list(runs.names),
        "rollback_on_error": True,
        "ignore_warnings": True,
    }


def plan(
    *,
    purpose: Purpose,
    environment: Environment,
    artefact: Artefact,
    requester: User | None = None,
    build: Build | None = None,
    candidate: Candidate | None = None,
    release: Release | None = None,
    preparation: Deployment | None = None,
    policy_version: PolicyVersion | None = None,
    subject_digest: str = "",
    only_differing: bool = False,
) -> Deployment:
    """Write a deployment with its steps; it waits for a worker and for the gate.

    ``only_differing``: a build carries only what the org does not hold.

    Must run in the transaction of the change that asked for it. Refuses an environment that no
    worker has reached yet (``deployment.not_connected``).
    """
    if not environment.organization_id:
        raise NotNow(
            "deployment.not_connected",
            f"{environment.name} has not been reached yet. Store a credential and check its "
            "connection, then try again.",
        )
    held = purpose is Purpose.RELEASE
    deployment = Deployment.objects.create(
        purpose=purpose,
        environment=environment,
        artefact=artefact,
        requester=requester,
        build=build,
        candidate=candidate,
        release=release,
        preparation=preparation,
        policy_version=policy_version,
        plan=plan_of(purpose, policy_version, release)
        | ({"package": "delta"} if only_differing else {}),
        organization_id=environment.organization_id,
        subject_digest=subject_digest,
        baseline_digest=preparation.baseline_digest if preparation else "",
        baseline=preparation.baseline if preparation else {},
        not_before=release.not_before if release and held else None,
        not_after=release.not_after if release and held else None,
        state=DeploymentState.HELD if held else DeploymentState.QUEUED,
    )
    Step.objects.bulk_create(
        Step(deployment=deployment, position=number, kind=kind, effect=EFFECTS[kind])
        for number, kind in enumerate(PLANS[purpose], start=1)
    )
    steps.record("deployment.planned", deployment, artefact=str(artefact), purpose=purpose.value)
    if not held:
        wake(KIND, deployment.pk)
    return deployment


def bind_approval(deployment: Deployment, request: ApprovalRequest) -> None:
    """Tie the held deployment to the request whose decisions it needs."""
    deployment.approval = request
    deployment.save(update_fields=["approval"])


def approved(deployment: Deployment) -> None:
    """Let a deployment whose request is satisfied go on, at its earliest start or at once."""
    deployment.approved_at = db.database_now()
    deployment.save(update_fields=["approved_at"])
    opens = deployment.not_before
    wake(KIND, deployment.pk, at=opens if opens and opens > deployment.approved_at else None)


def supersede(deployments: Any, reason: str) -> int:
    """Set aside waiting deployments of a queryset; one that is under way is left to end.

    Returns how many were set aside.
    """
    waiting = deployments.filter(state__in=[DeploymentState.HELD, DeploymentState.QUEUED])
    pks = list(waiting.order_by("pk").values_list("pk", flat=True))
    for pk in pks:
        deployment = locking.row(pk)
        if deployment.state in (DeploymentState.HELD, DeploymentState.QUEUED):
            steps.move(deployment, DeploymentState.SUPERSEDED, message=reason)
            steps.record("deployment.superseded", deployment, reason=reason)
    return len(pks)


def uncover(deployment: Deployment, reason: str, *, stop: bool) -> None:
    """The approval was lost after the write was intended: say so, and stop it if it can be.

    Before the intent there is nothing to do here: the worker asks the gate again and sends nothing.
    """
    deployment = locking.row(deployment.pk)
    write = deployment.steps.filter(effect=Effect.WRITE).exclude(state=StepState.PENDING).first()
    if write is None or deployment.state not in UNDER_WAY or deployment.uncovered:
        return
    columns = ["uncovered"]
    deployment.uncovered = reason
    if stop and write.state not in SETTLED_STEPS and deployment.cancel_requested_at is None:
        deployment.cancel_requested_at = db.database_now()
        columns.append("cancel_requested_at")
    deployment.save(update_fields=columns)
    steps.record("deployment.uncovered", deployment, reason=reason)
    wake(KIND, deployment.pk)


def wake_next(environment_id: int) -> None:
    """Wake the deployment that has waited longest for an environment that became free."""
    waiting = Deployment.objects.filter(
        environment_id=environment_id, state__in=[DeploymentState.QUEUED, DeploymentState.HELD]
    )
    for pk, approved_at, purpose in waiting.order_by("pk").values_list(
        "pk", "approved_at", "purpose"
    ):
        if purpose != Purpose.RELEASE or approved_at is not None:
            wake(KIND, pk)
            return


def wake_held(freeze: Freeze) -> None:
    """Let everything that waits ask the gate again: the calendar changed."""
    waiting = (DeploymentState.HELD, DeploymentState.QUEUED)
    for pk in Deployment.objects.filter(state__in=waiting).values_list("pk", flat=True):
        wake(KIND, pk)


@transaction.atomic
def cancel(*, deployment_id: int) -> Deployment:
    """Ask to stop a deployment: at once while it waits, by the org's cancel while it runs.

    Codes: ``deployment.over`` when it has ended, ``deployment.unknown`` when nobody knows yet how
    it ended, ``deployment.written`` when the org holds it already, ``deployment.cancel_asked`` when
    somebody asked before.
    """
    deployment = steps.lock(deployment_id)
    team = steps.team_of(deployment)
    if team is not None and deployment.release is None:
        demand("deployment.cancel_team", team=team)
    else:
        demand("deployment.cancel")
    if deployment.state not in LIVE_DEPLOYMENTS:
        raise NotNow("deployment.over", f"{deployment.public_id} has already ended.")
    if deployment.state == DeploymentState.UNKNOWN:
        raise NotNow(
            "deployment.unknown",
            f"Nobody knows yet how {deployment.public_id} ended. Ask the org again or settle it.",
        )
    if deployment.is_written:
        raise NotNow("deployment.written", words.too_late(deployment))
    if deployment.cancel_requested_at:
        raise NotNow(
            "deployment.cancel_asked", f"{deployment.public_id} is already being cancelled."
        )
    deployment.cancel_requested_at = db.database_now()
    deployment.cancel_requested_by = acting_person()
    deployment.save(update_fields=["cancel_requested_at", "cancel_requested_by"])
    steps.record("deployment.cancel_asked", deployment)
    wake(KIND, deployment.pk)
    return deployment


@transaction.atomic
def settle(*, deployment_id: int, outcome: str, note: str) -> Deployment:
    """Write down how an unknown deployment ended, as a person found out in the org.

    The worker applies it, since only workers write what an environment holds.
    """
    demand("deployment.settle")
    if outcome not in (StepState.SUCCEEDED, StepState.FAILED):
        raise InvalidInput(
            "deployment.outcome", "Say whether it succeeded or failed.", field="outcome"
        )
    if not note.strip():
        raise InvalidInput("deployment.note", "Say how you found out.", field="note")
    deployment = _unknown(deployment_id)
    deployment.settle_outcome = outcome
    deployment.settle_note = note.strip()
    deployment.settled_by = acting_person()
    deployment.save(update_fields=["settle_outcome", "settle_note", "settled_by"])
    steps.record("deployment.settled", deployment, outcome=outcome, note=note.strip())
    wake(KIND, deployment.pk)
    return deployment


@transaction.atomic
def ask_org(*, deployment_id: int) -> Deployment:
    """Have a worker ask the org again how an unknown deployment ended."""
    demand("deployment.settle")
    deployment = _unknown(deployment_id)
    steps.record("deployment.asked_again", deployment)
    wake(KIND, deployment.pk)
    return deployment


def _unknown(deployment_id: int) -> Deployment:
    deployment = steps.lock(deployment_id)
    if deployment.state != DeploymentState.UNKNOWN:
        raise NotNow(
            "deployment.not_unknown", f"{deployment.public_id} is not in doubt; nothing to settle."
        )
    return deployment


def last_write(environment_id: int) -> Deployment | None:
    """The newest deployment that succeeded in writing to an environment."""
    newest = Step.objects.filter(
        deployment__environment_id=environment_id,
        effect=Effect.WRITE,
        state=StepState.SUCCEEDED,
    ).aggregate(newest=Max("deployment_id"))["newest"]
    return Deployment.objects.filter(pk=newest).first() if newest else None
