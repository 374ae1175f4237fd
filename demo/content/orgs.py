"""Northwind's orgs: production, the production track's sandboxes and three for each team."""

from __future__ import annotations

from dataclasses import dataclass

from demo.content.people import DOMAIN

PRODUCTION = "northwind"
CLIENT_ID = "3MVG9_GATEHOUSE_DEMO"


@dataclass(frozen=True)
class Org:
    """An org of the company and the stage of a track that it fills."""

    team: str
    stage: str
    label: str
    environment: str
    licence_type: str
    org_id: str

    @property
    def name(self) -> str:
        """The first part of its host name: `northwind--slsci`."""
        return f"{PRODUCTION}--{self.label}" if self.label else PRODUCTION

    @property
    def is_production(self) -> bool:
        """Whether this is the production org."""
        return not self.label

    @property
    def username(self) -> str:
        """The integration user that only Gatehouse signs in with."""
        suffix = f".{self.label}" if self.label else ""
        return f"gatehouse@{DOMAIN}{suffix}"


def _org_id(number: int) -> str:
    """Give the organisation id of 15 characters, the same in every demo."""
    return f"00D5f00000NW{number:03d}"


def _track(team: str, label: str, title: str, number: int) -> tuple[Org, ...]:
    """Describe a team's three sandboxes, numbered from the given number on."""
    return (
        Org(team, "DEV", f"{label}dev", f"{title} DEV", "developer", _org_id(number)),
        Org(team, "CI", f"{label}ci", f"{title} CI", "developer_pro", _org_id(number + 1)),
        Org(team, "TEST", f"{label}test", f"{title} TEST", "partial_copy", _org_id(number + 2)),
    )


ORGS: tuple[Org, ...] = (
    Org("platform", "PRD", "", "Production", "production", _org_id(1)),
    Org("platform", "PRE-PRD", "preprd", "PRE-PRD", "full", _org_id(2)),
    Org("platform", "CI", "int", "Integration", "developer_pro", _org_id(3)),
    *_track("sales", "sls", "Sales", 11),
    *_track("service", "svc", "Service", 21),
    *_track("loyalty", "loy", "Loyalty", 31),
)
