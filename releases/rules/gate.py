"""The gate's rules: facts in, verdict out.

``evaluate`` is the one function that says whether a deployment may go on. The page shows its
reasons, the button obeys them and the worker asks it at claim and again right before the remote
call. It fails closed: a fact that is missing or unknown is a reason to hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Mark(StrEnum):
    """How a reason is shown (the ``data-state`` of the page)."""

    DONE = "done"
    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the gate is open or closed, as a sentence a person can act on."""

    code: str
    text: str
    state: Mark = Mark.HELD

    @property
    def holds(self) -> bool:
        """Whether this reason keeps the gate closed."""
        return self.state is not Mark.DONE


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: allowed only when no reason holds."""

    reasons: tuple[Reason, ...]

    @property
    def allowed(self) -> bool:
        """True when every rule was asked and none holds."""
        return bool(self.reasons) and not any(reason.holds for reason in self.reasons)

    @property
    def holding(self) -> tuple[Reason, ...]:
        """Only the reasons that keep the gate closed."""
        return tuple(reason for reason in self.reasons if reason.holds)

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True)
class Approval:
    """What the approval machinery says about this deployment's request, read live."""

    open_or_satisfied: bool
    digest: str
    satisfied: bool
    missing: tuple[str, ...]
    expires_at: datetime | None


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
    policy_known: bool
    quorum: int
    subject_digest: str
    current_subject_digest: str
    approval: Approval | None
    requester_allowed: bool
    requester_reason: str
    artefact_digest: str
    expected_artefact_digest: str
    missing_stages: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    occupied_by: str
    cancel_requested: bool


def _environment(facts: GateFacts) -> Reason:
    if not facts.environment_live:
        return Reason(
            "gate.environment_retired", f"{facts.environment} is retired or unknown.", Mark.FAILED
        )
    if not facts.connection_ok:
        why = f": {facts.connection_message}" if facts.connection_message else ""
        return Reason(
            "gate.not_connected",
            f"{facts.environment} is not connected{why}. Check its connection first.",
            Mark.FAILED,
        )
    if not facts.organization_id or facts.organization_id != facts.bound_organization_id:
        return Reason(
            "gate.organization_changed",
            f"{facts.environment} is another organisation now than when this was planned.",
            Mark.FAILED,
        )
    return Reason("gate.environment", f"{facts.environment} is connected", Mark.DONE)


def _policy(facts: GateFacts) -> Reason:
    if facts.protected and not facts.policy_known:
        return Reason(
            "gate.no_policy",
            f"{facts.environment} has no policy in force, so nothing may be deployed there.",
            Mark.FAILED,
        )
    return Reason("gate.policy", "A policy is in force", Mark.DONE)


def _requester(facts: GateFacts) -> Reason:
    if not facts.requester_allowed:
        return Reason("gate.requester", facts.requester_reason, Mark.HELD)
    return Reason("gate.requester", "The person who asked may still ask", Mark.DONE)


def _artefact(facts: GateFacts) -> Reason:
    if not facts.artefact_digest or facts.artefact_digest != facts.expected_artefact_digest:
        return Reason(
            "gate.artefact_changed",
            "The contents changed after this deployment was planned.",
            Mark.FAILED,
        )
    return Reason("gate.artefact", "The artefact is the one that was planned", Mark.DONE)


def _stages(facts: GateFacts) -> Reason:
    if facts.missing_stages:
        return Reason(
            "gate.stages",
            "This artefact has not passed " + " and ".join(facts.missing_stages) + ".",
            Mark.WAITING,
        )
    return Reason("gate.stages", "It passed every stage before this one", Mark.DONE)


def _approval(facts: GateFacts) -> Reason:
    if not (facts.protected and facts.writes) or (facts.policy_known and facts.quorum == 0):
        return Reason("gate.approval", "No approval is needed for this step", Mark.DONE)
    approval = facts.approval
    if approval is None or not approval.open_or_satisfied:
        return Reason(
            "gate.no_approval", "Nobody has been asked to approve this yet.", Mark.WAITING
        )
    bound = {approval.digest, facts.subject_digest, facts.current_subject_digest}
    if len(bound) != 1 or "" in bound:
        return Reason(
            "gate.subject_changed",
            "Something changed since people decided; their decisions no longer count.",
            Mark.HELD,
        )
    if approval.expires_at is not None and facts.now >= approval.expires_at:
        return Reason("gate.approval_expired", "The approval has expired; ask again.", Mark.HELD)
    if not approval.satisfied or approval.missing:
        return Reason(
            "gate.approvals_missing",
            " ".join(approval.missing) or "The approvals are not complete.",
            Mark.WAITING,
        )
    return Reason("gate.approval", "The release board approved exactly this", Mark.DONE)


def _window(facts: GateFacts) -> Reason:
    if facts.not_before is not None and facts.now < facts.not_before:
        return Reason(
            "gate.window_not_open",
            f"The window opens at {_utc(facts.not_before)}.",
            Mark.WAITING,
        )
    if facts.not_after is not None and facts.now >= facts.not_after:
        return Reason(
            "gate.window_over",
            f"The window closed at {_utc(facts.not_after)}; plan a new one.",
            Mark.HELD,
        )
    return Reason("gate.window", "The window is open", Mark.DONE)


def _occupied(facts: GateFacts) -> Reason:
    if facts.occupied_by:
        return Reason(
            "gate.occupied",
            f"{facts.environment} is in use by {facts.occupied_by}.",
            Mark.WAITING,
        )
    return Reason("gate.free", f"{facts.environment} is free", Mark.DONE)


def _cancelled(facts: GateFacts) -> Reason:
    if facts.cancel_requested:
        return Reason("gate.cancelled", "Somebody asked to cancel this.", Mark.HELD)
    return Reason("gate.wanted", "Nobody asked to cancel", Mark.DONE)


# Freezes and break-glass join this table with the issue "The gate and the history".
RULES: tuple[Callable[[GateFacts], Reason], ...] = (
    _environment,
    _policy,
    _requester,
    _artefact,
    _stages,
    _approval,
    _window,
    _occupied,
    _cancelled,
)


def evaluate(facts: GateFacts) -> Verdict:
    """Ask every rule; the verdict is allowed only when none of them holds."""
    return Verdict(tuple(rule(facts) for rule in RULES))


def closed(code: str, text: str) -> Verdict:
    """A verdict that is closed because the facts could not be read."""
    return Verdict((Reason(code, text, Mark.UNKNOWN),))


def _utc(moment: datetime) -> str:
    return moment.strftime("%a %d %b %H:%M UTC")
