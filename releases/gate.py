"""The gate: the one function that says whether a deployment may go on (design 5).

``evaluate`` reads every fact in the caller's transaction and asks the pure rules. It fails closed:
when a fact cannot be read the answer is "held", never "allowed".
"""

from __future__ import annotations

import logging
from datetime import datetime

from environments.models import Environment
from environments.services import leases
from environments.states import Connection
from governance import approvals
from governance.models import PolicyVersion
from governance.permissions import can
from governance.rules.policy import parse
from releases.models import Deployment
from releases.rules import gate as rules
from releases.rules.gate import Approval, GateFacts, Reason, Verdict
from releases.selectors import subject
from releases.states import DeploymentState, Effect, Purpose

__all__ = ["Reason", "Verdict", "evaluate"]

log = logging.getLogger(__name__)

HOLDER = "deployment"
STAGE_PURPOSES: dict[Purpose, tuple[Purpose, ...]] = {
    Purpose.REHEARSE: (Purpose.INTEGRATE,),
    Purpose.PREPARE: (Purpose.INTEGRATE, Purpose.REHEARSE),
    Purpose.RELEASE: (Purpose.INTEGRATE, Purpose.REHEARSE),
}
STAGE_WORDS = {
    Purpose.INTEGRATE: "the integration org",
    Purpose.REHEARSE: "the rehearsal in PRE-PRD",
}


def evaluate(deployment: Deployment, now: datetime) -> Verdict:
    """Ask the gate about a deployment at ``now`` (database time, passed down by the caller).

    The page, the button and the worker all call this. Any failure to read a fact closes the gate.
    """
    try:
        facts = _facts(deployment, now)
    except Exception:
        log.exception("gate facts of %s could not be read", deployment.public_id)
        return rules.closed(
            "gate.unreadable",
            "Gatehouse could not read everything it needs to decide, so it holds. "
            "Ask an admin to look at the server's log.",
        )
    return rules.evaluate(facts)


def policy_in_force(environment: Environment) -> PolicyVersion | None:
    """The policy version that governs an environment now; ``None`` means deny all."""
    return environment.policy.current if environment.policy else None


def _facts(deployment: Deployment, now: datetime) -> GateFacts:
    environment = Environment.objects.select_related("track__team", "policy").get(
        pk=deployment.environment_id
    )
    version = policy_in_force(environment)
    writes = deployment.steps.filter(effect=Effect.WRITE).exists()
    allowed, why_not = _requester(deployment)
    bound = subject.current(deployment, version) if version else None
    return GateFacts(
        now=now,
        environment=environment.name,
        environment_live=environment.retired_at is None,
        connection_ok=environment.connection == Connection.OK,
        connection_message=environment.connection_message,
        organization_id=environment.organization_id or "",
        bound_organization_id=deployment.organization_id,
        protected=environment.protected,
        writes=writes,
        policy_known=version is not None,
        quorum=parse(version.body).quorum if version else 0,
        subject_digest=deployment.subject_digest,
        current_subject_digest=bound.digest() if bound else "",
        approval=_approval(deployment, bound.digest() if bound else "", now),
        requester_allowed=allowed,
        requester_reason=why_not,
        artefact_digest=deployment.artefact.digest,
        expected_artefact_digest=_expected_artefact(deployment),
        missing_stages=_missing_stages(deployment),
        not_before=deployment.not_before,
        not_after=deployment.not_after,
        occupied_by=_occupied_by(deployment),
        cancel_requested=deployment.cancel_requested_at is not None,
    )


def _requester(deployment: Deployment) -> tuple[bool, str]:
    """Whether the person who asked still may; builds of commits are asked for by the fetch."""
    if deployment.requester is None:
        if deployment.purpose == Purpose.BUILD:
            return True, ""
        return False, "Nobody is recorded as having asked for this."
    team, capability = None, "release.deploy"
    if deployment.candidate is not None:
        team, capability = deployment.candidate.team, "candidate.create"
    elif deployment.build is not None:
        team, capability = deployment.build.repository.team, "build.start"
    decision = can(deployment.requester, capability, team=team)
    if decision:
        return True, ""
    return False, f"{deployment.requester.full_name} asked for this and may no longer do so."


def _expected_artefact(deployment: Deployment) -> str:
    """The digest that the owner of the deployment names now."""
    for owner in (deployment.release, deployment.candidate, deployment.build):
        if owner is not None:
            return owner.artefact.digest if owner.artefact else ""
    return ""


def _missing_stages(deployment: Deployment) -> tuple[str, ...]:
    wanted = STAGE_PURPOSES.get(Purpose(deployment.purpose), ())
    if not wanted:
        return ()
    done = set(
        Deployment.objects.filter(
            release=deployment.release,
            artefact=deployment.artefact,
            state=DeploymentState.SUCCEEDED,
        ).values_list("purpose", flat=True)
    )
    return tuple(STAGE_WORDS[purpose] for purpose in wanted if purpose not in done)


def _approval(deployment: Deployment, digest: str, now: datetime) -> Approval | None:
    request = deployment.approval
    if request is None:
        return None
    request.refresh_from_db()
    progress = approvals.progress(request, current_digest=digest, now=now)
    return Approval(
        open_or_satisfied=request.is_live,
        digest=request.digest,
        satisfied=progress.satisfied,
        missing=tuple(progress.reasons),
        expires_at=request.expires_at,
    )


def _occupied_by(deployment: Deployment) -> str:
    holder = leases.holder_of(deployment.environment_id)
    if holder is None or (holder.kind, holder.id) == (HOLDER, deployment.pk):
        return ""
    return holder.label
