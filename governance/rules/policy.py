"""What a policy says, as data. Pure Python.

A policy's body is JSON: rules of approval that must all hold (``approvals``), the checks that must
be green, windows, who may start, how long an approval lasts and which tests a deployment runs.
``parse`` reads it strictly: a body that cannot be read allows nothing. ``policy_words`` says it in
sentences, ``policy_lattice`` compares two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from governance.events import enumeration
from governance.rules import windows as windows_rules
from governance.rules.marks import ALWAYS, RISK_MARKS
from governance.states import INSTALLATION_ROLES, Role

NUMBER_MAX = 20
RULES_MAX = 8
EXTERNAL_MAX = 20
EXPIRES_HOURS_MAX = 24 * 90
BACKUP_HOURS_MAX = 24 * 31
COVERAGE_DEFAULT = 75
BACKUP_HOURS_DEFAULT = 24
TEST_LEVELS: dict[str, str] = {
    "NoTestRun": "run no tests",
    "RunSpecifiedTests": "run the tests that its release names, at least those that Gatehouse "
    "proposes for what it carries",
    "RunLocalTests": "run all tests except those of installed packages",
    "RunAllTestsInOrg": "run all tests, also those of installed packages",
}
"""Salesforce's test levels, from weakest to strongest, and how a sentence says them.

A policy names the least: ``meets`` says whether a deployment runs enough.
"""
SPECIFIED = "RunSpecifiedTests"
"""The level that needs names, and refuses to go without any."""

CHECKS: dict[str, str] = {
    "build": "every candidate was built and its tests passed",
    "user_tests": "user testing has passed",
    "rehearsed": "exactly this artefact was rehearsed in PRE-PRD",
    "validated": "exactly this artefact was validated against the target",
    "coverage": "test coverage is high enough",
    "runbook": "the steps of the runbook that come before are done",
    "backup": "a backup of the target is fresh",
}
"""The product's own checks, in the order of a release's way, and how a sentence says them."""

EXTERNAL = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}(/[a-z0-9][a-z0-9._-]{0,59})?")
"""The name of a check that another system reports, such as ``jenkins/e2e``."""

TEAM = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
REQUIRED = frozenset({"approvals", "expires_hours", "test_level"})
OPTIONAL = frozenset(
    {"checks", "external_checks", "min_coverage", "backup_max_hours", "windows", "start_roles"}
)
RULE_FIELDS = frozenset({"number", "roles", "team", "when"})
COUNTABLE_ROLES = tuple(role for role in Role if role in INSTALLATION_ROLES)
"""Roles that a rule may count without naming a team; a team's own roles need its name."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """So many different people, each holding one of the roles (in that team, if one is named)."""

    number: int
    roles: frozenset[Role]
    team: str | None = None
    when: str = ALWAYS

    def body(self) -> dict[str, Any]:
        """Return the rule as it is stored."""
        roles = [str(role) for role in Role if role in self.roles]
        return {"number": self.number, "roles": roles, "team": self.team, "when": self.when}

    def is_asked(self, marks: Collection[str]) -> bool:
        """Tell whether the rule holds for a subject with these risk marks."""
        return self.when == ALWAYS or self.when in marks


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """A policy's body, read and checked."""

    approvals: tuple[ApprovalRule, ...]
    expires_hours: int
    test_level: str
    checks: frozenset[str] = frozenset()
    external_checks: frozenset[str] = frozenset()
    min_coverage: int = 0
    backup_max_hours: int | None = None
    windows: tuple[windows_rules.Window, ...] = ()
    start_roles: frozenset[Role] = frozenset()

    @property
    def quorum(self) -> int:
        """How many different people must approve whatever the change is."""
        return sum(rule.number for rule in self.approvals if rule.when == ALWAYS)

    @property
    def asks_somebody(self) -> bool:
        """Tell whether there is any change that people must approve."""
        return bool(self.approvals)

    def asked(self, marks: Collection[str]) -> tuple[ApprovalRule, ...]:
        """Return the rules that hold for a subject with these risk marks."""
        return tuple(rule for rule in self.approvals if rule.is_asked(marks))

    def body(self) -> dict[str, Any]:
        """Return the body as it is stored: every field, in one form only."""
        return {
            "approvals": [rule.body() for rule in self.approvals],
            "checks": [name for name in CHECKS if name in self.checks],
            "external_checks": sorted(self.external_checks),
            "min_coverage": self.min_coverage,
            "backup_max_hours": self.backup_max_hours,
            "windows": [window.body() for window in self.windows],
            "start_roles": [str(role) for role in Role if role in self.start_roles],
            "expires_hours": self.expires_hours,
            "test_level": self.test_level,
        }


def parse(body: Mapping[str, Any]) -> PolicyRules:
    """Read a body; raises InvalidInput ``policy.<field>`` for the first thing that is wrong."""
    unknown = sorted(str(name) for name in set(body) - REQUIRED - OPTIONAL)
    if unknown:
        raise InvalidInput(
            "policy.unknown_field", f"A policy has no {enumeration(unknown)}; remove it."
        )
    checks = _checks(body.get("checks", []))
    return PolicyRules(
        approvals=_approvals(body.get("approvals")),
        expires_hours=_number(
            body.get("expires_hours"), "expires_hours", "life in hours", 1, EXPIRES_HOURS_MAX
        ),
        test_level=_test_level(body.get("test_level")),
        checks=checks,
        external_checks=_external(body.get("external_checks", [])),
        min_coverage=_coverage(body.get("min_coverage"), wanted="coverage" in checks),
        backup_max_hours=_backup(body.get("backup_max_hours"), wanted="backup" in checks),
        windows=windows_rules.parse(body.get("windows", [])),
        start_roles=_roles(body.get("start_roles", []), "start_roles", tuple(Role)),
    )


def _approvals(value: object) -> tuple[ApprovalRule, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong("approvals", "Say who must approve: a list of rules, empty for nobody.")
    if len(value) > RULES_MAX:
        raise _wrong("approvals", f"A policy has at most {RULES_MAX} rules of approval.")
    return tuple(_rule(item) for item in value)


def _rule(item: object) -> ApprovalRule:
    if not isinstance(item, Mapping) or not set(item) <= RULE_FIELDS:
        raise _wrong("approvals", "A rule of approval has number, roles, team and when.")
    team, when = item.get("team"), item.get("when", ALWAYS)
    if team is not None and not (isinstance(team, str) and TEAM.fullmatch(team)):
        raise _wrong("approvals", "Name the team of a rule of approval by its slug.")
    if not isinstance(when, str) or (when != ALWAYS and when not in RISK_MARKS):
        known = ", ".join([ALWAYS, *RISK_MARKS])
        raise _wrong("approvals", f"A rule of approval is asked for {known}; choose one of them.")
    number = _number(item.get("number"), "approvals", "number of approvals", 1, NUMBER_MAX)
    roles = _roles(item.get("roles"), "approvals", tuple(Role) if team else COUNTABLE_ROLES)
    if not roles:
        raise _wrong("approvals", "Say whose approval counts: choose at least one role.")
    return ApprovalRule(number, roles, team, when)


def _roles(value: object, field: str, known: tuple[Role, ...]) -> frozenset[Role]:
    names = {str(role) for role in known}
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(item, str) and item in names for item in value
    ):
        raise _wrong(field, f"The roles must be among {enumeration(sorted(names))}.")
    return frozenset(Role(item) for item in value)


def _checks(value: object) -> frozenset[str]:
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(item, str) and item in CHECKS for item in value
    ):
        raise _wrong("checks", f"The checks must be among {', '.join(CHECKS)}.")
    return frozenset(value)


def _external(value: object) -> frozenset[str]:
    if not isinstance(value, (list, tuple)) or len(value) > EXTERNAL_MAX:
        raise _wrong(
            "external_checks", f"Checks of other systems are a list of at most {EXTERNAL_MAX}."
        )
    if not all(isinstance(item, str) and EXTERNAL.fullmatch(item) for item in value):
        raise _wrong(
            "external_checks",
            "Name a check of another system in small letters, such as jenkins/e2e.",
        )
    return frozenset(value)


def _coverage(value: object, *, wanted: bool) -> int:
    if not wanted:
        if value not in (None, 0) or isinstance(value, bool):
            raise _wrong("min_coverage", "A least coverage needs the check of coverage.")
        return 0
    given = COVERAGE_DEFAULT if value is None else value
    return _number(given, "min_coverage", "least coverage in per cent", 1, 100)


def _backup(value: object, *, wanted: bool) -> int | None:
    if not wanted:
        if value is not None:
            raise _wrong("backup_max_hours", "An age of the backup needs the check of the backup.")
        return None
    given = BACKUP_HOURS_DEFAULT if value is None else value
    return _number(given, "backup_max_hours", "age of the backup in hours", 1, BACKUP_HOURS_MAX)


def _test_level(value: object) -> str:
    if not isinstance(value, str) or value not in TEST_LEVELS:
        raise _wrong("test_level", f"The test level must be one of {', '.join(TEST_LEVELS)}.")
    return value


def meets(level: str, asked: str) -> bool:
    """Tell whether a test level is at least the one that is asked; an unknown one never is."""
    levels = list(TEST_LEVELS)
    return level in levels and asked in levels and levels.index(level) >= levels.index(asked)


def _number(value: object, field: str, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _wrong(field, f"The {name} must be a whole number from {least} to {most}.")
    return value


def _wrong(field: str, text: str) -> InvalidInput:
    return InvalidInput(f"policy.{field}", text, field=field)
