"""Policies at random, for properties.

Whole rules, windows and sets are drawn from lists of all of them: a draw for each of their parts
took longer than what is tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, permutations, product
from typing import TypeVar

from hypothesis import strategies as st

from governance.rules.marks import ALWAYS
from governance.rules.policy import CHECKS, COUNTABLE_ROLES, TEST_LEVELS, ApprovalRule, PolicyRules
from governance.rules.windows import DAYS, Window
from governance.states import Role

Item = TypeVar("Item")

SOME_ROLES = (Role.BOARD_MEMBER, Role.SECURITY_APPROVER, Role.RELEASE_MANAGER)
TIMES = (4 * 60, 6 * 60, 20 * 60, 22 * 60)


def subsets(items: Iterable[Item], smallest: int, largest: int) -> list[frozenset[Item]]:
    """Return every set of so many of these items, small ones first."""
    known = tuple(items)
    sizes = range(smallest, largest + 1)
    return [frozenset(chosen) for size in sizes for chosen in combinations(known, size)]


def _in_order(days: frozenset[str]) -> tuple[str, ...]:
    return tuple(day for day in DAYS if day in days)


# Few roles, teams and marks, so that rules have to do with one another.
RULES: Sequence[ApprovalRule] = [
    ApprovalRule(number=number, roles=roles, team=team, when=when)
    for number, roles, team, when in product(
        (1, 2, 3),
        subsets(SOME_ROLES, 1, 2),
        (None, None, "security"),
        (ALWAYS, ALWAYS, "permissions", "destructive"),
    )
]
WINDOWS: Sequence[Window] = [
    Window(_in_order(days), opens, closes, zone)
    for days, (opens, closes), zone in product(
        subsets(DAYS[:3], 1, 3), permutations(TIMES, 2), ("Europe/Berlin", "UTC")
    )
]
SETS_OF_CHECKS = subsets(CHECKS, 0, 3)
EXTERNAL = subsets(("jenkins/e2e", "sonar"), 0, 2)
STARTERS = subsets(COUNTABLE_ROLES, 0, 2)


@st.composite
def policies(draw: st.DrawFn) -> PolicyRules:
    """A policy with every field."""
    checks = draw(st.sampled_from(SETS_OF_CHECKS))
    return PolicyRules(
        approvals=tuple(draw(st.lists(st.sampled_from(RULES), max_size=3))),
        expires_hours=draw(st.sampled_from([1, 24, 168])),
        test_level=draw(st.sampled_from(list(TEST_LEVELS))),
        checks=checks,
        external_checks=draw(st.sampled_from(EXTERNAL)),
        min_coverage=draw(st.sampled_from([75, 90])) if "coverage" in checks else 0,
        backup_max_hours=draw(st.sampled_from([4, 24])) if "backup" in checks else None,
        windows=tuple(dict.fromkeys(draw(st.lists(st.sampled_from(WINDOWS), max_size=2)))),
        start_roles=draw(st.sampled_from(STARTERS)),
    )
