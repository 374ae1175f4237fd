"""What a policy says, as data and in sentences. Pure Python.

A policy's body is JSON: how many people of which roles must approve (``quorum``, ``roles``), how
long an approval lasts (``expires_hours``) and which tests a deployment runs (``test_level``).
A body that cannot be read allows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from governance.events import enumeration
from governance.states import INSTALLATION_ROLES, Role

QUORUM_MAX = 20
EXPIRES_HOURS_MAX = 24 * 90
TEST_LEVELS: dict[str, str] = {
    "NoTestRun": "run no tests",
    "RunSpecifiedTests": "run the tests that the release names",
    "RunLocalTests": "run all tests except those of installed packages",
    "RunAllTestsInOrg": "run all tests, also those of installed packages",
}
"""Salesforce's test levels, from weakest to strongest, and how a sentence says them."""

FIELDS = frozenset({"quorum", "roles", "expires_hours", "test_level"})
COUNTABLE_ROLES = tuple(role for role in Role if role in INSTALLATION_ROLES)
"""Roles that a policy may count; a team's own roles never approve for production."""


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """A policy's body, read and checked."""

    quorum: int
    roles: frozenset[Role]
    expires_hours: int
    test_level: str

    def body(self) -> dict[str, Any]:
        """Return the body as it is stored."""
        return {
            "quorum": self.quorum,
            "roles": sorted(self.roles),
            "expires_hours": self.expires_hours,
            "test_level": self.test_level,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a new version changes, in words, and whether it demands less than before."""

    text: str
    weaker: bool


def parse(body: Mapping[str, Any]) -> PolicyRules:
    """Read a body; raises InvalidInput ``policy.<field>`` for the first thing that is wrong."""
    unknown = set(body) - FIELDS
    if unknown:
        raise InvalidInput(
            "policy.unknown_field",
            f"A policy has no {enumeration(sorted(unknown))}; remove it.",
        )
    quorum = _number(body, "quorum", 0, QUORUM_MAX)
    roles = _roles(body, quorum)
    expires = _number(body, "expires_hours", 1, EXPIRES_HOURS_MAX)
    level = body.get("test_level")
    if not isinstance(level, str) or level not in TEST_LEVELS:
        raise InvalidInput(
            "policy.test_level",
            f"The test level must be one of {', '.join(TEST_LEVELS)}.",
            field="test_level",
        )
    return PolicyRules(quorum, roles, expires, level)


def _number(body: Mapping[str, Any], field: str, least: int, most: int) -> int:
    value = body.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        name = {"quorum": "number of approvals", "expires_hours": "life in hours"}[field]
        raise InvalidInput(
            f"policy.{field}",
            f"The {name} must be a whole number from {least} to {most}.",
            field=field,
        )
    return value


def _roles(body: Mapping[str, Any], quorum: int) -> frozenset[Role]:
    value = body.get("roles")
    known = {str(role) for role in COUNTABLE_ROLES}
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(item, str) and item in known for item in value
    ):
        raise InvalidInput(
            "policy.roles",
            f"The roles that count must be among {enumeration(sorted(known))}.",
            field="roles",
        )
    roles = frozenset(Role(item) for item in value)
    if quorum and not roles:
        raise InvalidInput(
            "policy.roles", "Say whose approval counts: choose at least one role.", field="roles"
        )
    return roles


def describe(rules: PolicyRules, eligible: int | None = None) -> list[str]:
    """Say a policy in sentences; ``eligible`` is how many people hold a countable role today."""
    if rules.quorum:
        of = "" if eligible is None else f" of {eligible}"
        who = who_counts(rules.roles, rules.quorum if eligible is None else eligible)
        apart = "none of whom had a" if rules.quorum > 1 else "who had no"
        quorum = f"Needs the approval of {rules.quorum}{of} {who}, {apart} hand in it."
    else:
        quorum = "Needs nobody's approval."
    return [
        quorum,
        f"An approval lasts {hours(rules.expires_hours)}.",
        f"A deployment must {TEST_LEVELS[rules.test_level]}.",
    ]


def summary(rules: PolicyRules) -> str:
    """Say a policy in a few words, for the middle of a sentence."""
    if rules.quorum:
        approvals = f"{rules.quorum} {who_counts(rules.roles, rules.quorum)} approve"
    else:
        approvals = "nobody is asked"
    return f"{approvals}, an approval lasts {hours(rules.expires_hours)}, {rules.test_level}"


def who_counts(roles: frozenset[Role], number: int) -> str:
    """Name the people whose approval counts: ``board members``."""
    plural = "" if number == 1 else "s"
    return enumeration([f"{role.title}{plural}" for role in Role if role in roles], "or")


def differences(old: PolicyRules | None, new: PolicyRules) -> list[Difference]:
    """Say in words what a new version changes; nothing for equal rules."""
    if old is None:
        return [Difference(text, False) for text in describe(new)]
    found = []
    if old.quorum != new.quorum:
        found.append(
            Difference(f"approvals needed: {old.quorum} → {new.quorum}", new.quorum < old.quorum)
        )
    if old.roles != new.roles:
        before, after = (who_counts(rules.roles, 2) for rules in (old, new))
        # Whoever is added can approve from now on: only a true subset demands more.
        found.append(Difference(f"who counts: {before} → {after}", not new.roles < old.roles))
    if old.expires_hours != new.expires_hours:
        before, after = hours(old.expires_hours), hours(new.expires_hours)
        found.append(
            Difference(
                f"life of an approval: {before} → {after}", new.expires_hours > old.expires_hours
            )
        )
    if old.test_level != new.test_level:
        levels = list(TEST_LEVELS)
        weaker = levels.index(new.test_level) < levels.index(old.test_level)
        found.append(Difference(f"tests: {old.test_level} → {new.test_level}", weaker))
    return found


def hours(number: int) -> str:
    """Write a life in hours the way people say it: ``7 days``, ``36 hours``."""
    if number % 24 == 0:
        days = number // 24
        return f"{days} day" if days == 1 else f"{days} days"
    return f"{number} hour" if number == 1 else f"{number} hours"


def satisfiable(rules: PolicyRules, eligible: int) -> bool:
    """Tell whether enough people hold a countable role for the quorum ever to be reached."""
    return eligible >= rules.quorum
