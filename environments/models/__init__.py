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
    "Snapshot",
    "Track",
]
