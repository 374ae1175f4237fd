"""The gate: the one function that says whether a deployment may go on (design 5).

``evaluate`` reads every fact in the caller's transaction and asks the pure rules. It fails closed:
when a fact cannot be read the answer is "held", never "allowed".
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from core.composed import together
from environments.rules_calendar import Hold, window_state
from environments.selectors import lease_of
from environments.services.calendar import holding
from environments.states import Connection, Kind
from governance import approvals
from governance.events import enumeration
from governance.models import PolicyVersion, Team
from governance.permissions import Standing, standing_of
from governance.rules.policy import PolicyRules, parse
from governance.states import Role
from releases.models import BreakGlass as GlassRow
from releases.models import Deployment
from releases.rules import gate as rules
from releases.rules.gate import Approval, BreakGlass, GateFacts, PolicyFacts, Reason, Verdict
from releases.rules.reasons import Mark
from releases.selectors import (
    cargo,
    check_facts,
    foreseen,
    policies,
    segregation,
    subject,
    targets,
)
from releases.selectors.bound import Stored, as_stored
from releases.selectors.cargo import Cargo
from releases.states import DeploymentState, Purpose

__all__ = ["HOLDER", "Reason", "Verdict", "evaluate"]

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
        with transaction.atomic(), together(foreseen.by_keys(deployment)):
            return rules.evaluate(_facts(deployment.pk, now))
    except Exception:
        log.exception("the gate could not decide on %s", deployment.public_id)
        return rules.closed(
            "gate.unreadable",
            "Gatehouse could not read everything it needs to decide, so it holds. "
            "Ask an admin to look at the server's log.",
        )


def _facts(deployment_id: int, now: datetime) -> GateFacts:
    stored = as_stored(deployment_id)
    deployment = stored.deployment
    carries = cargo.of_deployment(deployment)
    with together(foreseen.by_rows(deployment, carries, _teams(deployment, carries), now)):
        return _facts_of(stored, carries, now)


def _facts_of(stored: Stored, carries: Cargo, now: datetime) -> GateFacts:
    deployment, environment = stored.deployment, stored.deployment.environment
    version = policies.of_deployment(deployment, environment)
    obeyed = parse(version.body) if version else None
    bound = subject.current(deployment, version, carries) if version else None
    current = bound.digest() if bound else ""
    allowed, why_not = _requester(deployment, obeyed)
    freezes, stops = _calendar(deployment, carries, now)
    change_class = policies.class_of(deployment)
    # The release's window is the one that people decided on; the deployment's row is a copy.
    window = (deployment.subject_digest and deployment.release) or deployment
    prepared = deployment.preparation
    return GateFacts(
        now=now,
        environment=environment.name,
        environment_live=environment.retired_at is None,
        connection_ok=environment.connection == Connection.OK,
        connection_message=environment.connection_message,
        organization_id=environment.organization_id or "",
        bound_organization_id=deployment.organization_id,
        protected=environment.protected,
        writes=stored.writes,
        change_class=change_class,
        policy=_policy(version, obeyed, deployment, now) if version and obeyed else None,
        planned_policy=str(deployment.policy_version or ""),
        subject_digest=deployment.subject_digest,
        current_subject_digest=current,
        approval=_approval(deployment, current, now),
        break_glass=_break_glass(deployment) if change_class == rules.EMERGENCY else None,
        requester_allowed=allowed,
        requester_reason=why_not,
        artefact_digest=deployment.artefact.digest,
        expected_artefact_digest=_expected_artefact(deployment),
        baseline_digest=deployment.baseline_digest if prepared else "",
        prepared_baseline_digest=prepared.baseline_digest if prepared else "",
        missing_stages=_missing_stages(deployment, stored.done),
        approved_here_before=(
            change_class == rules.ROLLBACK
            and targets.was_approved_here(environment, deployment.artefact)
        ),
        check_facts=check_facts.of(deployment, obeyed, now, carries=carries),
        freezes=freezes,
        stops=stops,
        not_before=window.not_before,
        not_after=window.not_after,
        occupied_by=_occupied_by(deployment),
        cancel_requested=deployment.cancel_requested_at is not None,
    )


def _policy(
    version: PolicyVersion, obeyed: PolicyRules, deployment: Deployment, now: datetime
) -> PolicyFacts:
    return PolicyFacts(
        version=str(version),
        asks_people=obeyed.asks_somebody,
        checks=tuple(sorted(obeyed.checks)),
        external_checks=tuple(sorted(obeyed.external_checks)),
        window=_policy_window(obeyed, now),
        too_weak=deployment.environment.kind == Kind.PRODUCTION and not obeyed.quorum,
        tests=deployment.tests.short_of(obeyed.test_level),
    )


def _policy_window(obeyed: PolicyRules, now: datetime) -> Reason | None:
    hold = window_state(obeyed.windows, now).hold
    return _held(hold) if hold else None


def _held(hold: Hold) -> Reason:
    return Reason(hold.code, hold.text, Mark.HELD)


def _requester(deployment: Deployment, obeyed: PolicyRules | None) -> tuple[bool, str]:
    """Whether the person who asked still may; builds of commits are asked for by the fetch."""
    if deployment.requester is None:
        if deployment.purpose == Purpose.BUILD:
            return True, ""
        return False, "Nobody is recorded as having asked for this; ask for it again."
    standing = standing_of(deployment.requester)
    if not standing.can(*_capability(deployment)):
        name = deployment.requester.full_name
        return False, f"{name} asked for this and may no longer do so; somebody else asks again."
    return _starter(deployment, obeyed, standing)


def _capability(deployment: Deployment) -> tuple[str, Team | None]:
    if deployment.candidate is not None:
        return "candidate.create", deployment.candidate.team
    if deployment.build is not None:
        return "build.start", deployment.build.repository.team
    return "release.deploy", None


def _starter(
    deployment: Deployment, obeyed: PolicyRules | None, standing: Standing
) -> tuple[bool, str]:
    """Whether the policy lets this person start what people decide on."""
    wanted = obeyed.start_roles if obeyed else frozenset()
    if deployment.purpose != Purpose.RELEASE or not wanted:
        return True, ""
    if wanted & {role for _, role in standing.roles}:
        return True, ""
    who = enumeration([role.title for role in Role if role in wanted], "or")
    return False, f"The policy lets only a {who} start this; one of them submits it again."


def _expected_artefact(deployment: Deployment) -> str:
    """The digest that the owner of the deployment names now."""
    for owner in (deployment.release, deployment.candidate, deployment.build):
        if owner is not None:
            return owner.artefact.digest if owner.artefact else ""
    return ""


def _missing_stages(deployment: Deployment, done: frozenset[str]) -> tuple[str, ...]:
    wanted = STAGE_PURPOSES.get(Purpose(deployment.purpose), ())
    return tuple(STAGE_WORDS[purpose] for purpose in wanted if purpose not in done)


def _approval(deployment: Deployment, digest: str, now: datetime) -> Approval | None:
    request = deployment.approval
    if request is None:
        return None
    counted = approvals.outcome(request, current_digest=digest, now=now)
    left_out = segregation.left_out(request.pk, deployment.release_id or 0)
    missing = [each.reason for each in counted.missing]
    return Approval(
        open_or_satisfied=request.is_live,
        digest=request.digest,
        satisfied=counted.satisfied and not left_out,
        missing=(*missing, *([f"{left_out}. Submit it again."] if left_out else [])),
        expires_at=request.expires_at,
    )


def _break_glass(deployment: Deployment) -> BreakGlass | None:
    """The ingredients of the emergency that this deployment's request was opened for."""
    row = GlassRow.objects.filter(request=deployment.approval_id).first()
    if row is None or deployment.approval_id is None:
        return None
    is_the_one_use = deployment.state == DeploymentState.RUNNING
    return BreakGlass(row.reason, row.incident, used=bool(row.used_at) and not is_the_one_use)


def _calendar(
    deployment: Deployment, carries: Cargo, now: datetime
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """Freezes and emergency stops that hold this deployment now."""
    holds = holding(deployment.environment, team_ids=_teams(deployment, carries), now=now)
    stops = tuple(_held(hold) for hold in holds if hold.kind == "stop")
    return tuple(_held(hold) for hold in holds if hold.kind != "stop"), stops


def _teams(deployment: Deployment, carries: Cargo) -> set[int]:
    """The teams whose work the deployment carries."""
    if deployment.build is not None:
        return {deployment.build.repository.team_id}
    return {load.team_id for load in carries.loads}


def _occupied_by(deployment: Deployment) -> str:
    lease = lease_of(deployment.environment)
    if lease is None or (lease.holder_kind, lease.holder_id) == (HOLDER, deployment.pk):
        return ""
    return lease.label
