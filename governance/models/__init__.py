"""The tables of governance."""

from governance.models.approvals import (
    ApprovalRequest,
    Decision,
    Exclusion,
    UnmappedIdentity,
    Withdrawal,
)
from governance.models.audit import AuditEvent
from governance.models.chain import (
    AuditCommit,
    AuditDetail,
    AuditLink,
    Checkpoint,
    CheckpointCopy,
    GuardManifest,
    Installation,
    Verification,
)
from governance.models.notices import Notice
from governance.models.people import (
    GitIdentity,
    Invitation,
    Membership,
    Password,
    SignInFailure,
    Team,
    User,
)
from governance.models.policies import Policy, PolicyProposal, PolicyVersion

__all__ = [
    "ApprovalRequest",
    "AuditCommit",
    "AuditDetail",
    "AuditEvent",
    "AuditLink",
    "Checkpoint",
    "CheckpointCopy",
    "Decision",
    "Exclusion",
    "GitIdentity",
    "GuardManifest",
    "Installation",
    "Invitation",
    "Membership",
    "Notice",
    "Password",
    "Policy",
    "PolicyProposal",
    "PolicyVersion",
    "SignInFailure",
    "Team",
    "UnmappedIdentity",
    "User",
    "Verification",
    "Withdrawal",
]
