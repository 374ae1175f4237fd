"""The enumerations of governance and its state machines. Pure Python."""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine


class PersonKind(StrEnum):
    """A human being, or a service account that can never decide."""

    PERSON = "person"
    SERVICE = "service"


class Role(StrEnum):
    """What a member is in a team."""

    DEVELOPER = "developer"
    TEAM_LEAD = "team_lead"
    RELEASE_MANAGER = "release_manager"
    BOARD_MEMBER = "board_member"
    SECURITY_APPROVER = "security_approver"
    EMERGENCY_APPROVER = "emergency_approver"
    ADMIN = "admin"
    AUDITOR = "auditor"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The role in words."""
        return self.value.replace("_", " ")


TEAM_ROLES = frozenset({Role.DEVELOPER, Role.TEAM_LEAD})
"""Roles of any team; their rights end at the team."""

INSTALLATION_ROLES = frozenset(Role) - TEAM_ROLES
"""Roles that exist only in the team that owns production; their rights span the installation."""


APPROVERS = frozenset({Role.BOARD_MEMBER, Role.SECURITY_APPROVER, Role.EMERGENCY_APPROVER})
"""Roles that exist to approve: the board alone gives them, which the database holds to as well."""


class Verdict(StrEnum):
    """One person's answer to an approval request."""

    APPROVE = "approve"
    REJECT = "reject"


class ApprovalState(StrEnum):
    """Where an approval request stands."""

    OPEN = "open"
    SATISFIED = "satisfied"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    USED = "used"


# A satisfied request is still alive: a withdrawn approval or a lost role reopens it, a late
# rejection stops it, a changed subject supersedes it. What was asked for has happened when it is
# used, also where an approval was taken back too late. Nothing leaves the other five states.
APPROVAL: Machine[ApprovalState] = Machine(
    "approval",
    {
        ApprovalState.OPEN: {
            ApprovalState.SATISFIED,
            ApprovalState.REJECTED,
            ApprovalState.SUPERSEDED,
            ApprovalState.EXPIRED,
            ApprovalState.WITHDRAWN,
            ApprovalState.USED,
        },
        ApprovalState.SATISFIED: {
            ApprovalState.OPEN,
            ApprovalState.REJECTED,
            ApprovalState.SUPERSEDED,
            ApprovalState.EXPIRED,
            ApprovalState.WITHDRAWN,
            ApprovalState.USED,
        },
        ApprovalState.REJECTED: set(),
        ApprovalState.SUPERSEDED: set(),
        ApprovalState.EXPIRED: set(),
        ApprovalState.WITHDRAWN: set(),
        ApprovalState.USED: set(),
    },
)

LIVE_APPROVALS = frozenset({ApprovalState.OPEN, ApprovalState.SATISFIED})
"""States in which decisions are taken and count."""


class ProposalState(StrEnum):
    """Where a proposed policy version stands; ``lapsed``: its question expired or was voided."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


PROPOSAL: Machine[ProposalState] = Machine(
    "policy_proposal",
    {
        ProposalState.OPEN: {
            ProposalState.CONFIRMED,
            ProposalState.REJECTED,
            ProposalState.WITHDRAWN,
            ProposalState.LAPSED,
        },
        ProposalState.CONFIRMED: set(),
        ProposalState.REJECTED: set(),
        ProposalState.WITHDRAWN: set(),
        ProposalState.LAPSED: set(),
    },
)


class NoticeState(StrEnum):
    """Where an e-mail stands; ``failed`` means that the server refused it for good."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class InvitationPurpose(StrEnum):
    """Why a one-time link was made."""

    FOUNDING = "founding"
    JOINING = "joining"
    RESET = "reset"


class MatterKind(StrEnum):
    """What can be put to the board about a person."""

    SEAT = "seat.grant"
    RESET = "account.reset"


class ResetWhat(StrEnum):
    """What is given back or changed by a reset."""

    PASSWORD = "password"  # noqa: S105
    SECOND_FACTOR = "second_factor"
    EMAIL = "email"

    @property
    def title(self) -> str:  # type: ignore[override]
        """It in words, as the beginning of a sentence."""
        return {
            ResetWhat.PASSWORD: "new password",
            ResetWhat.SECOND_FACTOR: "new second factor and password",
            ResetWhat.EMAIL: "new e-mail address",
        }[self]


class MatterState(StrEnum):
    """Where a matter stands; ``approved`` means that the delay runs."""

    ASKED = "asked"
    APPROVED = "approved"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


# An approval that stops to count during the delay brings the matter back to "asked".
MATTER: Machine[MatterState] = Machine(
    "matter",
    {
        MatterState.ASKED: {MatterState.APPROVED, MatterState.REFUSED, MatterState.CANCELLED},
        MatterState.APPROVED: {
            MatterState.ASKED,
            MatterState.DONE,
            MatterState.REFUSED,
            MatterState.CANCELLED,
        },
        MatterState.DONE: set(),
        MatterState.REFUSED: set(),
        MatterState.CANCELLED: set(),
    },
)
