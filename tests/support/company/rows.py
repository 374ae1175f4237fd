"""The company's rows by the names that tests use, and what all makers of rows share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from core.context import Actor, acting_as
from environments.models import Environment, Freeze, Maintenance, Snapshot
from governance.models import Policy, PolicyVersion, Team, User
from releases.models import Build, Candidate, Commit, Deployment, Release, Repository

LONG_CLASS = "HouseholdRenewalQuoteDiscountRecalculationSchedulerTest"


@dataclass
class Company:
    """The rows that tests name."""

    now: datetime
    people: dict[str, User] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    orgs: dict[str, Environment] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    builds: dict[str, Build] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    freezes: dict[str, Freeze] = field(default_factory=dict)
    maintenance: list[Maintenance] = field(default_factory=list)
    evidence: dict[str, int] = field(default_factory=dict)
    policy_version: PolicyVersion | None = None
    unasked: Policy | None = None

    def ago(self, **span: float) -> datetime:
        """A moment before now."""
        return self.now - timedelta(**span)


def acting(user: User) -> Any:
    """Act as this person."""
    return acting_as(Actor("person", user.pk, user.full_name))


def hex_of(text: str) -> str:
    """A stable 64-digit hexadecimal number for a text."""
    return sha256(text.encode()).hexdigest()
