"""Who decides on a request about a sandbox.

A policy called "Sandboxes <environment>" or "Sandboxes <stage>" says it where the board has put one
in force. Otherwise: PRE-PRD is the board's, a team's own DEV its lead's, everything else goes by
the policy "Sandboxes", which an installation is founded with (one release manager or board member).
Where that has no version either, the board's own rules hold, which are stricter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import NotNow
from environments.models import Environment
from environments.states import Stage
from governance import policies
from governance.models import Policy, PolicyVersion, Team, User
from governance.policies import Use
from governance.rules.policy import parse
from governance.rules.policy_words import rule_words
from governance.selectors.people import members
from governance.states import Role

NAME = "Sandboxes"
ASKS_NOBODY = "Developer"
HOURS = 168


@dataclass(frozen=True, slots=True)
class Deciding:
    """Under what a request is decided; ``also_body`` are rules that its place adds."""

    version: PolicyVersion
    also_body: dict[str, Any] | None = None
    needs_nobody: bool = False

    @property
    def words(self) -> list[str]:
        """Who must agree, in words."""
        if self.needs_nobody:
            return ["nobody else: you lead the team whose own DEV it is"]
        bodies = [self.version.body, *([self.also_body] if self.also_body else [])]
        return [rule_words(rule) for body in bodies for rule in parse(body).asked(())]

    @property
    def hours(self) -> int:
        """How long an answer counts."""
        return policies.expires_hours(self.version)


def deciding(environment: Environment | None, person: User) -> Deciding:
    """Say who decides on a request of this person. Codes: ``sandbox.no_policy``."""
    if environment is not None:
        for name in (f"{NAME} {environment.name}", f"{NAME} {environment.stage}"):
            version = in_force(name)
            if version is not None:
                return Deciding(version)
        if environment.stage == Stage.PRE_PRD or environment.is_sandbox is False:
            return Deciding(_require(policies.board_policy()))
        if environment.stage == Stage.DEV and environment.team is not None:
            return _of_lead(environment.team, person)
    return Deciding(_require(in_force(NAME) or policies.board_policy()))


def _of_lead(team: Team, person: User) -> Deciding:
    """A team's own DEV: its lead decides; a lead who asks has decided."""
    version = in_force(ASKS_NOBODY)
    asks_nobody = version is not None and not parse(version.body).asks_somebody
    if version is None or not asks_nobody:
        return Deciding(_require(in_force(NAME) or policies.board_policy()))
    leads = {lead.pk for lead in members(team, Role.TEAM_LEAD)}
    rule = {"number": 1, "roles": [Role.TEAM_LEAD.value], "team": team.slug, "when": "always"}
    body = {"approvals": [rule], "expires_hours": HOURS, "test_level": "NoTestRun"}
    return Deciding(version, body, needs_nobody=person.pk in leads)


def in_force(name: str) -> PolicyVersion | None:
    """The version of a policy that is in force, by name."""
    rows = PolicyVersion.objects.filter(policy__name__iexact=name, policy__retired_at=None)
    return rows.select_related("policy").order_by("-number").first()


def _require(version: PolicyVersion | None) -> PolicyVersion:
    if version is None:
        raise NotNow(
            "sandbox.no_policy",
            f"Neither the policy “{NAME}” nor the board's own has a version in force, so nobody "
            "can agree to this. Confirm one first.",
        )
    return version


def uses(policy: Policy) -> list[Use]:
    """What a policy governs here."""
    name = policy.name.lower()
    if name == NAME.lower() or name.startswith(f"{NAME.lower()} "):
        return [Use("requests about sandboxes", False)]
    return []
