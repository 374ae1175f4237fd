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


def _track(team: str, label: str, title: str) -> tuple[Org, ...]:
    return (
        Org(team, "DEV", f"{label}dev", f"{title} DEV", "Developer"),
        Org(team, "CI", f"{label}ci", f"{title} CI", "Developer Pro"),
        Org(team, "TEST", f"{label}test", f"{title} TEST", "Partial Copy"),
    )


ORGS: tuple[Org, ...] = (
    Org("platform", "CI", "int", "Integration", "Developer Pro"),
    Org("platform", "PRE-PRD", "preprd", "PRE-PRD", "Full"),
    Org("platform", "PRD", "", "Production", "Production"),
    *_track("sales", "sls", "Sales"),
    *_track("service", "svc", "Service"),
    *_track("loyalty", "loy", "Loyalty"),
)
