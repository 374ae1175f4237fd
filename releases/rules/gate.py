"""The gate's rules: facts in, verdict out.

``evaluate`` is the one function that says whether a deployment may go on. The page shows its
reasons, the button obeys them and the worker asks it at claim and again right before the remote
call. It fails closed: a fact that is missing or unknown is a reason to hold.

Break-glass (change class ``emergency``) waives freezes, the policy's windows and the rehearsal. It
never waives the digest, the organisation, the approvals, nor an emergency stop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from releases.rules import checks
from releases.rules.checks import CheckFacts
from releases.rules.reasons import Mark, Reason, Verdict, moment

__all__ = ["Approval", "GateFacts", "Mark", "Reason", "Verdict", "closed", "evaluate"]

EMERGENCY = "emergency"
ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Approval:
    """What the approval machinery says about this deployment's request, read live."""

    open_or_satisfied: bool
    digest: str
    satisfied: bool
    missing: tuple[str, ...]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """The ingredients of an emergency deployment, as its row holds them."""

    reason: str
    incident: str
    used: bool


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy version in force, as far as the gate obeys it directly."""

    version: str
    asks_people: bool
    checks: tuple[str, ...] = ()
    external_checks: tuple[str, ...] = ()
    window: Reason | None = None
    # Production obeys no policy that lets any change pass without asking somebody.
    too_weak: bool = False
    tests: str = ""
    """What is wrong with the tests that the deployment runs; empty when they are enough."""


@dataclass(frozen=True, slots=True)
class GateFacts:
    """Everything the rules look at, read in one transaction at one moment (``now``)."""

    now: datetime
    environment: str
    environment_live: bool
    connection_ok: bool
    connection_message: str
    organization_id: str
    bound_organization_id: str
    protected: bool
    writes: bool
    change_class: str
    policy: PolicyFacts | None
    planned_policy: str
    subject_digest: str
    current_subject_digest: str
    approval: Approval | None
    break_glass: BreakGlass | None
    requester_allowed: bool
    requester_reason: str
    artefact_digest: str
    expected_artefact_digest: str
    baseline_digest: str
    prepared_baseline_digest: str
    missing_stages: tuple[str, ...]
    approved_here_before: bool
    check_facts: CheckFacts
    freezes: tuple[Reason, ...]
    stops: tuple[Reason, ...]
    not_before: datetime | None
    not_after: datetime | None
    occupied_by: str
    cancel_requested: bool

    @property
    def guarded(self) -> bool:
        """Whether this writes to a protected environment, which is what people decide on."""
        return self.protected and self.writes


Reasons = tuple[Reason, ...]


def _environment(facts: GateFacts) -> Reasons:
    if not facts.environment_live:
        return (
            Reason(
                "gate.environment_retired",
                f"{facts.environment} is retired or unknown; choose another environment.",
                Mark.FAILED,
            ),
        )
    if not facts.connection_ok:
        why = f": {facts.connection_message.rstrip('.')}" if facts.connection_message else ""
        return (
            Reason(
                "gate.not_connected",
                f"{facts.environment} is not connected{why}. Check its connection first.",
                Mark.FAILED,
            ),
        )
    if not facts.organization_id or facts.organization_id != facts.bound_organization_id:
        return (
            Reason(
                "gate.organization_changed",
                f"{facts.environment} is another organisation now than when this was planned; "
                "plan it again.",
                Mark.FAILED,
            ),
        )
    return (Reason("gate.environment", f"{facts.environment} is connected", Mark.DONE),)


def _policy(facts: GateFacts) -> Reasons:
    if facts.policy is None:
        if not facts.protected:
            return (Reason("gate.policy", "No policy guards a team's own sandbox", Mark.DONE),)
        return (
            Reason(
                "gate.no_policy",
                f"{facts.environment} has no policy in force, so nothing may be deployed there; "
                "the release board gives it one.",
                Mark.FAILED,
            ),
        )
    if facts.policy.too_weak:
        return (
            Reason(
                "gate.policy_too_weak",
                f"{facts.policy.version} asks nobody, which production does not take; "
                "the release board gives it another policy.",
                Mark.FAILED,
            ),
        )
    if facts.subject_digest and facts.planned_policy != facts.policy.version:
        return (
            Reason(
                "gate.policy_changed",
                f"{facts.policy.version} is in force now, and this was planned under "
                f"{facts.planned_policy or 'none'}; submit it again.",
            ),
        )
    if facts.guarded and facts.policy.tests:
        return (Reason("gate.tests", facts.policy.tests, Mark.FAILED),)
    return (Reason("gate.policy", f"{facts.policy.version} is in force", Mark.DONE),)


def _requester(facts: GateFacts) -> Reasons:
    if not facts.requester_allowed:
        return (Reason("gate.requester", facts.requester_reason, Mark.HELD),)
    return (Reason("gate.requester", "The person who asked may still ask", Mark.DONE),)


def _artefact(facts: GateFacts) -> Reasons:
    if not facts.artefact_digest or facts.artefact_digest != facts.expected_artefact_digest:
        return (
            Reason(
                "gate.artefact_changed",
                "The contents changed after this deployment was planned; plan it again.",
                Mark.FAILED,
            ),
        )
    return (Reason("gate.artefact", "The artefact is the one that was planned", Mark.DONE),)


def _baseline(facts: GateFacts) -> Reasons:
    if facts.baseline_digest != facts.prepared_baseline_digest:
        return (
            Reason(
                "gate.baseline_changed",
                "This is bound to another state of the environment than was prepared; "
                "submit it again.",
            ),
        )
    return ()


def _stages(facts: GateFacts) -> Reasons:
    if facts.change_class == ROLLBACK:
        if not facts.approved_here_before:
            return (
                Reason(
                    "gate.never_approved_here",
                    f"This artefact was never approved for and deployed to {facts.environment}, so "
                    "it is nothing to go back to; make a release of it.",
                    Mark.FAILED,
                ),
            )
        return (Reason("gate.stages", f"{facts.environment} held this artefact before", Mark.DONE),)
    if not facts.missing_stages:
        return (Reason("gate.stages", "It passed every stage before this one", Mark.DONE),)
    missing = " and ".join(facts.missing_stages)
    if facts.change_class == EMERGENCY:
        return (Reason("gate.stages", f"Break-glass waives {missing}", Mark.DONE, waived=True),)
    return (
        Reason(
            "gate.stages",
            f"This artefact has not passed {missing}; a release manager sends it there first.",
            Mark.WAITING,
        ),
    )


def _checks(facts: GateFacts) -> Reasons:
    if facts.policy is None or not facts.guarded:
        return ()
    found = []
    for name in facts.policy.checks:
        reason = checks.judge(name, facts.check_facts)
        waived = facts.change_class == EMERGENCY and name in checks.WAIVED_IN_EMERGENCY
        if waived and reason.holds:
            text = f"Break-glass waives the check “{name}”"
            reason = Reason(reason.code, text, Mark.DONE, waived=True)
        found.append(reason)
    found.extend(
        checks.judge_external(name, facts.check_facts) for name in facts.policy.external_checks
    )
    return tuple(found)


def _break_glass(facts: GateFacts) -> Reasons:
    if facts.change_class != EMERGENCY or not facts.guarded:
        return ()
    row = facts.break_glass
    if row is None or not row.reason.strip() or not row.incident.strip():
        return (
            Reason(
                "gate.break_glass_incomplete",
                "An emergency deployment needs a reason and an incident; ask for break-glass.",
                Mark.FAILED,
            ),
        )
    if row.used:
        return (
            Reason(
                "gate.break_glass_used",
                "This break-glass was used already; it opens once. Ask for another.",
                Mark.FAILED,
            ),
        )
    return (Reason("gate.break_glass", f"Break-glass for {row.incident}", Mark.DONE),)


def _approval(facts: GateFacts) -> Reasons:
    asks = facts.policy is None or facts.policy.asks_people
    if not facts.guarded or not asks:
        return (Reason("gate.approval", "No approval is needed for this step", Mark.DONE),)
    approval = facts.approval
    if approval is None or not approval.open_or_satisfied:
        return (
            Reason(
                "gate.no_approval",
                "Nobody is asked to approve this now; a release manager submits it.",
                Mark.WAITING,
            ),
        )
    bound = {approval.digest, facts.subject_digest, facts.current_subject_digest}
    if len(bound) != 1 or "" in bound:
        return (
            Reason(
                "gate.subject_changed",
                "Something changed since people decided, so their decisions no longer count; "
                "submit it again.",
            ),
        )
    if approval.expires_at is None or facts.now >= approval.expires_at:
        return (Reason("gate.approval_expired", "The approval has expired; submit it again."),)
    if not approval.satisfied or approval.missing:
        return (
            Reason(
                "gate.approvals_missing",
                " ".join(approval.missing) or "The approvals are not complete.",
                Mark.WAITING,
            ),
        )
    return (Reason("gate.approval", "Exactly this was approved", Mark.DONE),)


def _calendar(facts: GateFacts) -> Reasons:
    """Freezes and stops hold everything; windows only what writes where people decide."""
    shut = facts.policy.window if facts.policy and facts.guarded else None
    waivable = facts.freezes + ((shut,) if shut else ())
    if facts.change_class == EMERGENCY and facts.guarded:
        waived = tuple(
            Reason(row.code, f"Break-glass waives: {row.text}", Mark.DONE, row.at, waived=True)
            for row in waivable
        )
        return facts.stops + waived
    if facts.stops or waivable:
        return facts.stops + waivable
    return (Reason("gate.calendar", "No freeze and no stop holds it", Mark.DONE),)


def _window(facts: GateFacts) -> Reasons:
    if facts.not_before is not None and facts.now < facts.not_before:
        return (
            Reason(
                "gate.window_not_open",
                f"The window opens at {moment(facts.not_before)}.",
                Mark.WAITING,
                facts.not_before,
            ),
        )
    if facts.not_after is not None and facts.now >= facts.not_after:
        return (
            Reason(
                "gate.window_over",
                f"The window closed at {moment(facts.not_after)}; plan a new one.",
                Mark.HELD,
                facts.not_after,
            ),
        )
    return (Reason("gate.window", "The window is open", Mark.DONE),)


def _occupied(facts: GateFacts) -> Reasons:
    if facts.occupied_by:
        return (
            Reason(
                "gate.occupied",
                f"{facts.environment} is in use by {facts.occupied_by}; this goes on after it.",
                Mark.WAITING,
            ),
        )
    return (Reason("gate.free", f"{facts.environment} is free", Mark.DONE),)


def _cancelled(facts: GateFacts) -> Reasons:
    if facts.cancel_requested:
        return (Reason("gate.cancelled", "Somebody asked to cancel this.", Mark.HELD),)
    return (Reason("gate.wanted", "Nobody asked to cancel", Mark.DONE),)


RULES: tuple[Callable[[GateFacts], Reasons], ...] = (
    _environment,
    _policy,
    _requester,
    _artefact,
    _baseline,
    _stages,
    _checks,
    _break_glass,
    _approval,
    _calendar,
    _window,
    _occupied,
    _cancelled,
)
"""Every rule, asked in this order; none may be left out."""


def evaluate(facts: GateFacts) -> Verdict:
    """Ask every rule; the verdict is allowed only when none of them holds."""
    return Verdict(tuple(reason for rule in RULES for reason in rule(facts)))


def closed(code: str, text: str) -> Verdict:
    """A verdict that is closed because the facts could not be read."""
    return Verdict((Reason(code, text, Mark.UNKNOWN),))
