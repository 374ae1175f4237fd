"""Policies at random, for properties."""

from __future__ import annotations

from hypothesis import strategies as st

from governance.rules.marks import ALWAYS
from governance.rules.policy import CHECKS, COUNTABLE_ROLES, TEST_LEVELS, ApprovalRule, PolicyRules
from governance.rules.windows import DAYS, Window
from governance.states import Role

SOME_ROLES = (Role.BOARD_MEMBER, Role.SECURITY_APPROVER, Role.RELEASE_MANAGER)
TIMES = st.sampled_from([4 * 60, 6 * 60, 20 * 60, 22 * 60])


@st.composite
def approval_rules(draw: st.DrawFn) -> ApprovalRule:
    """One rule: few roles, teams and marks, so that rules have to do with one another."""
    return ApprovalRule(
        number=draw(st.integers(1, 3)),
        roles=draw(st.frozensets(st.sampled_from(SOME_ROLES), min_size=1, max_size=2)),
        team=draw(st.sampled_from([None, None, "security"])),
        when=draw(st.sampled_from([ALWAYS, ALWAYS, "permissions", "destructive"])),
    )


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """One window of one of two zones."""
    days = draw(st.sets(st.sampled_from(DAYS[:3]), min_size=1))
    opens = draw(TIMES)
    closes = draw(TIMES.filter(lambda at: at != opens))
    zone = draw(st.sampled_from(["Europe/Berlin", "UTC"]))
    return Window(tuple(day for day in DAYS if day in days), opens, closes, zone)


@st.composite
def policies(draw: st.DrawFn) -> PolicyRules:
    """A policy with every field."""
    checks = draw(st.frozensets(st.sampled_from(list(CHECKS)), max_size=3))
    return PolicyRules(
        approvals=tuple(draw(st.lists(approval_rules(), max_size=3))),
        expires_hours=draw(st.sampled_from([1, 24, 168])),
        test_level=draw(st.sampled_from(list(TEST_LEVELS))),
        checks=checks,
        external_checks=draw(st.frozensets(st.sampled_from(["jenkins/e2e", "sonar"]))),
        min_coverage=draw(st.sampled_from([75, 90])) if "coverage" in checks else 0,
        backup_max_hours=draw(st.sampled_from([4, 24])) if "backup" in checks else None,
        windows=tuple(dict.fromkeys(draw(st.lists(windows(), max_size=2)))),
        start_roles=draw(st.frozensets(st.sampled_from(COUNTABLE_ROLES), max_size=2)),
    )
