"""The tables of environments: orgs and what is done with them, and the calendar."""

from __future__ import annotations

from environments.models.calendar import CalendarSource, Freeze, FreezeLift, Maintenance
from environments.models.orgs import (
    DEFAULT_API_VERSION,
    SANDBOX_LICENCES,
    Credential,
    Environment,
    EnvironmentQuerySet,
    Lease,
    Snapshot,
    Track,
)
from environments.models.policies import PolicyAssignment, StagePolicy
from environments.models.sandboxes import (
    Sandbox,
    SandboxLicence,
    SandboxReading,
    SandboxRequest,
)

__all__ = [
    "DEFAULT_API_VERSION",
    "SANDBOX_LICENCES",
    "CalendarSource",
    "Credential",
    "Environment",
    "EnvironmentQuerySet",
    "Freeze",
    "FreezeLift",
    "Lease",
    "Maintenance",
    "PolicyAssignment",
    "Sandbox",
    "SandboxLicence",
    "SandboxReading",
    "SandboxRequest",
    "Snapshot",
    "StagePolicy",
    "Track",
]
