"""The rules of sandbox requests: intervals, names, guards, addresses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from environments import rules_sandboxes as rules
from environments.rules_sandboxes import Facts
from environments.states import SANDBOX, SANDBOX_LIVE, SandboxAction, SandboxStart, SandboxState

NOW = datetime(2031, 5, 12, 9, 0, tzinfo=UTC)
REFRESH = Facts(
    now=NOW,
    action=SandboxAction.REFRESH,
    name="slsci",
    licence_type="developer_pro",
    start=SandboxStart.NOW,
    listed=True,
    copying=False,
    next_refresh=NOW - timedelta(hours=1),
)
CREATE = replace(REFRESH, action=SandboxAction.CREATE, name="new1", listed=False, next_refresh=None)


@pytest.mark.parametrize(
    ("licence", "days"),
    [("developer", 1), ("developer_pro", 1), ("partial_copy", 5), ("full", 29), ("gold", 29)],
)
def test_interval_by_licence_type(licence: str, days: int) -> None:
    asked = NOW - timedelta(days=2)
    assert rules.next_refresh(licence, asked, {}) == asked + timedelta(days=days)


def test_interval_can_be_overridden_and_unknown_types_wait_longest() -> None:
    assert rules.refresh_days("full", {"full": 21}) == 21
    assert rules.refresh_days("gold", {"full": 40}) == 40
    assert rules.next_refresh("full", None, {}) is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("uat", False),
        ("Uat2026x", False),
        ("tencharact", False),
        ("elevenchars", True),
        ("with-dash", True),
        ("with space", True),
        ("ümlaut", True),
        ("", True),
    ],
)
def test_names_have_ten_letters_and_digits(name: str, wrong: bool) -> None:
    assert bool(rules.name_problem(name)) is wrong
    found = rules.obstacles(replace(CREATE, name=name))
    assert bool([row for row in found if row.code == "sandbox.name"]) is wrong


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"next_refresh": NOW + timedelta(days=3)}, "sandbox.too_early"),
        ({"next_refresh": NOW}, ""),
        ({"next_refresh": None}, ""),
        ({"listed": False}, "sandbox.gone"),
        ({"copying": True}, "sandbox.copying"),
        ({"source_wanted": True}, ""),
        ({"source_wanted": True, "source_listed": False}, "sandbox.source_gone"),
        ({"source_wanted": True, "source_fits": False}, "sandbox.source_type"),
        ({"licence_type": "partial_copy"}, "sandbox.template"),
        ({"licence_type": "partial_copy", "template_id": "1ps000000000001AAA"}, ""),
        ({"licence_type": "partial_copy", "source_wanted": True}, ""),
        ({"action": SandboxAction.DELETE, "licence_type": "partial_copy"}, ""),
        ({"action": SandboxAction.DELETE, "next_refresh": NOW + timedelta(days=3)}, ""),
        ({"action": SandboxAction.DELETE, "listed": False}, "sandbox.gone"),
        ({"total": 1, "used": 1}, ""),
    ],
)
def test_guard_of_a_refresh(changes: dict[str, object], code: str) -> None:
    found = rules.refusing(replace(REFRESH, **changes), None)  # type: ignore[arg-type]
    assert (found.code if found else "") == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"total": 2, "used": 1}, ""),
        ({"total": 2, "used": 2}, "sandbox.no_licence"),
        ({"total": None, "used": 400}, ""),
        ({"name_taken": True}, "sandbox.name_taken"),
        ({"licence_type": "gold"}, "sandbox.licence"),
        ({"licence_type": "partial_copy"}, "sandbox.template"),
        ({"source_wanted": True, "source_listed": False}, "sandbox.source_gone"),
    ],
)
def test_guard_of_a_new_sandbox(changes: dict[str, object], code: str) -> None:
    found = rules.refusing(replace(CREATE, **changes), None)  # type: ignore[arg-type]
    assert (found.code if found else "") == code


@pytest.mark.parametrize(
    ("start", "wanted", "refused"),
    [
        (SandboxStart.NOW, None, True),
        (SandboxStart.SOON, None, False),
        (SandboxStart.AT, NOW + timedelta(days=2), True),
        (SandboxStart.AT, NOW + timedelta(days=3), False),
        (SandboxStart.AT, None, True),
    ],
)
def test_too_early_is_refused_unless_the_start_lies_behind_it(
    start: SandboxStart, wanted: datetime | None, refused: bool
) -> None:
    facts = replace(REFRESH, start=start, next_refresh=NOW + timedelta(days=3))
    found = rules.refusing(facts, wanted)
    assert (found is not None) is refused
    if found is not None:
        assert found.until == NOW + timedelta(days=3)
        assert "15 May 2031 09:00 UTC" in found.text


def test_a_copy_under_way_is_waited_for_when_the_start_lies_ahead() -> None:
    facts = replace(REFRESH, copying=True, start=SandboxStart.SOON)
    assert rules.refusing(facts, None) is None
    gone = replace(facts, listed=False)
    found = rules.refusing(gone, None)
    assert found is not None
    assert found.code == "sandbox.gone"


@pytest.mark.parametrize(
    ("production", "name", "host"),
    [
        ("acme.my.salesforce.com", "UAT", "acme--uat.sandbox.my.salesforce.com"),
        ("northwind.localhost:8443", "slsci", "northwind--slsci.localhost:8443"),
    ],
)
def test_address_of_a_sandbox(production: str, name: str, host: str) -> None:
    assert rules.host_of(production, name) == host


def test_username_and_types() -> None:
    assert rules.username_of("gatehouse@acme.example", "UAT") == "gatehouse@acme.example.uat"
    assert rules.username_of("", "uat") == ""
    assert rules.licence_of("PARTIAL") == "partial_copy"
    assert rules.platform_type("developer_pro") == "DEVELOPER_PRO"
    assert rules.licence_of("GOLD") == "gold"


@pytest.mark.parametrize(
    ("progress", "elapsed", "expected", "share"),
    [(40, 10, 100, 40), (0, 50, 100, 50), (0, 500, 100, 95), (0, 50, None, 0), (100, 1, 1, 99)],
)
def test_share_of_a_copy(progress: int, elapsed: float, expected: int | None, share: int) -> None:
    assert rules.share(progress, elapsed, expected) == share


def test_expectation_is_the_median() -> None:
    assert rules.expected_seconds([]) is None
    assert rules.expected_seconds([100, 5000, 120]) == 120


def test_a_request_starts_only_from_approved_and_ends_only_once() -> None:
    assert [old for old in SandboxState if SANDBOX.allows(old, SandboxState.STARTING)] == [
        SandboxState.APPROVED
    ]
    assert not SANDBOX.allows(SandboxState.UNKNOWN, SandboxState.STARTING)
    assert not SANDBOX.allows(SandboxState.UNKNOWN, SandboxState.APPROVED)
    assert SANDBOX_LIVE.isdisjoint(SANDBOX.terminal)
