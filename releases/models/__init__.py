"""Models of releases, one module per concept."""

from releases.models.artefacts import Artefact, ArtefactComponent
from releases.models.break_glass import BreakGlass
from releases.models.builds import Build, Candidate
from releases.models.checks import CheckResult
from releases.models.composition import ComponentConflict, Dependency, KnownTest, Resolution
from releases.models.deployments import Deployment, Step, StepMessage
from releases.models.evidence import AuditSample, EvidencePack, OrgDeployment, OrgObservation
from releases.models.radar import Collision, CollisionSide, TeamWork, TouchedComponent
from releases.models.releases import Release, ReleaseChange, ReleaseItem
from releases.models.reviews import ReleaseReview
from releases.models.runbooks import RunbookItem
from releases.models.sources import (
    Change,
    ChangeCommit,
    Commit,
    GitRef,
    Repository,
    WebhookDelivery,
)

__all__ = [
    "Artefact",
    "ArtefactComponent",
    "AuditSample",
    "BreakGlass",
    "Build",
    "Candidate",
    "Change",
    "ChangeCommit",
    "CheckResult",
    "Collision",
    "CollisionSide",
    "Commit",
    "ComponentConflict",
    "Dependency",
    "Deployment",
    "EvidencePack",
    "GitRef",
    "KnownTest",
    "OrgDeployment",
    "OrgObservation",
    "Release",
    "ReleaseChange",
    "ReleaseItem",
    "ReleaseReview",
    "Repository",
    "Resolution",
    "RunbookItem",
    "Step",
    "StepMessage",
    "TeamWork",
    "TouchedComponent",
    "WebhookDelivery",
]
