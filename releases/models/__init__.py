"""Models of releases, one module per concept."""

from releases.models.artefacts import Artefact, ArtefactComponent
from releases.models.builds import Build, Candidate
from releases.models.deployments import Deployment, Step, StepMessage
from releases.models.releases import ComponentConflict, Release, ReleaseChange, ReleaseItem
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
    "Build",
    "Candidate",
    "Change",
    "ChangeCommit",
    "Commit",
    "ComponentConflict",
    "Deployment",
    "GitRef",
    "Release",
    "ReleaseChange",
    "ReleaseItem",
    "Repository",
    "Step",
    "StepMessage",
    "WebhookDelivery",
]
