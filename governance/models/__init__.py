"""The tables of governance."""

from governance.models.access import ApiToken, Delegation, RecoveryCode, SecondFactor
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
from governance.models.matters import Matter
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
    "ApiToken",
    "ApprovalRequest",
    "AuditCommit",
    "AuditDetail",
    "AuditEvent",
    "AuditLink",
    "Checkpoint",
    "CheckpointCopy",
    "Decision",
    "Delegation",
    "Exclusion",
    "GitIdentity",
    "GuardManifest",
    "Installation",
    "Invitation",
    "Matter",
    "Membership",
    "Notice",
    "Password",
    "Policy",
    "PolicyProposal",
    "PolicyVersion",
    "RecoveryCode",
    "SecondFactor",
    "SignInFailure",
    "Team",
    "UnmappedIdentity",
    "User",
    "Verification",
    "Withdrawal",
]
