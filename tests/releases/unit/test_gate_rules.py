"""The gate's pure rules: allowed only when every fact is good; each bad fact alone closes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.rules import gate
from releases.rules.checks import CheckFacts, Runbook, Work
from releases.rules.gate import Approval, BreakGlass, GateFacts, Mark, PolicyFacts, Reason
from releases.rules.reasons import restored

NOW = datetime(2026, 10, 22, 20, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
APPROVED = Approval(
    open_or_satisfied=True,
    digest=DIGEST,
    satisfied=True,
    missing=(),
    expires_at=NOW + timedelta(days=1),
)
CHECKED = CheckFacts(
    now=NOW,
    work=(Work("Sales v1", "a" * 40, "passed", tested=True, team_id=1),),
    rehearsed_in="Rehearsal",
    validated_at=NOW - timedelta(days=9),
    coverage=Decimal("81.5"),
    backup_planned=True,
    backup_at=None,
    runbook=Runbook(2, ()),
    external={(1, "a" * 40, "jenkins/e2e"): "passed"},
    min_coverage=75,
    backup_max_hours=24,
)
POLICY = PolicyFacts(
    version="Production v3",
    asks_people=True,
    checks=("build", "user_tests", "rehearsed", "validated", "coverage", "runbook", "backup"),
    external_checks=("jenkins/e2e",),
)
FREEZE = Reason("calendar.freeze", "Freeze “Year end” until Sat 2 Jan 2027 06:00 CET.")
STOP = Reason("calendar.stop", "Emergency stop “Data loss” until it is lifted.")
SHUT = Reason("calendar.outside_window", "Outside the deployment windows.")
GLASS = BreakGlass("Orders fail", "INC-7", used=False)
GOOD = GateFacts(
    now=NOW,
    environment="Production",
    environment_live=True,
    connection_ok=True,
    connection_message="",
    organization_id="00D000000000001AAA",
    bound_organization_id="00D000000000001AAA",
    protected=True,
    writes=True,
    change_class="normal",
    policy=POLICY,
    planned_policy="Production v3",
    subject_digest=DIGEST,
    current_subject_digest=DIGEST,
    approval=APPROVED,
    break_glass=None,
    requester_allowed=True,
    requester_reason="",
    artefact_digest=OTHER,
    expected_artefact_digest=OTHER,
    baseline_digest=DIGEST,
    prepared_baseline_digest=DIGEST,
    missing_stages=(),
    approved_here_before=False,
    check_facts=CHECKED,
    freezes=(),
    stops=(),
    not_before=None,
    not_after=None,
    occupied_by="",
    cancel_requested=False,
)


def test_gate_with_every_fact_good_is_open() -> None:
    verdict = gate.evaluate(GOOD)
    assert verdict.allowed
    assert verdict.holding == ()
    assert {reason.code for reason in verdict.reasons} >= {"gate.approval", "gate.check.build"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "retired environment": ({"environment_live": False}, "gate.environment_retired"),
    "no connection": ({"connection_ok": False}, "gate.not_connected"),
    "no organisation yet": ({"organization_id": ""}, "gate.organization_changed"),
    "another organisation": (
        {"organization_id": "00D000000000002AAA"},
        "gate.organization_changed",
    ),
    "no policy": ({"policy": None}, "gate.no_policy"),
    "policy that asks nobody": (
        {"policy": replace(POLICY, too_weak=True)},
        "gate.policy_too_weak",
    ),
    "newer policy": ({"planned_policy": "Production v2"}, "gate.policy_changed"),
    "check nobody knows": (
        {"policy": replace(POLICY, checks=("moon_phase",))},
        "gate.check.unknown",
    ),
    "red build": (
        {"check_facts": replace(CHECKED, work=(replace(CHECKED.work[0], build_state="failed"),))},
        "gate.check.build",
    ),
    "no build": (
        {"check_facts": replace(CHECKED, work=(replace(CHECKED.work[0], build_state=""),))},
        "gate.check.build",
    ),
    "untested": (
        {"check_facts": replace(CHECKED, work=(replace(CHECKED.work[0], tested=False),))},
        "gate.check.user_tests",
    ),
    "not rehearsed": (
        {"check_facts": replace(CHECKED, rehearsed_in="")},
        "gate.check.rehearsed",
    ),
    "not validated": (
        {"check_facts": replace(CHECKED, validated_at=None)},
        "gate.check.validated",
    ),
    "validated ten days ago": (
        {"check_facts": replace(CHECKED, validated_at=NOW - timedelta(days=10))},
        "gate.check.validated",
    ),
    "coverage too low": (
        {"check_facts": replace(CHECKED, coverage=Decimal("74.99"))},
        "gate.check.coverage",
    ),
    "coverage unknown": ({"check_facts": replace(CHECKED, coverage=None)}, "gate.check.coverage"),
    "no runbook": (
        {"check_facts": replace(CHECKED, runbook=Runbook(0, ()))},
        "gate.check.runbook",
    ),
    "open runbook": (
        {"check_facts": replace(CHECKED, runbook=Runbook(2, ("Stop the import",)))},
        "gate.check.runbook",
    ),
    "no backup": (
        {"check_facts": replace(CHECKED, backup_planned=False)},
        "gate.check.backup",
    ),
    "old backup": (
        {"check_facts": replace(CHECKED, backup_at=NOW - timedelta(hours=24))},
        "gate.check.backup",
    ),
    "external check failed": (
        {"check_facts": replace(CHECKED, external={(1, "a" * 40, "jenkins/e2e"): "failed"})},
        "gate.check.external",
    ),
    "external result unknown": (
        {"check_facts": replace(CHECKED, external={(1, "a" * 40, "jenkins/e2e"): "skipped"})},
        "gate.check.external",
    ),
    "external check of another commit": (
        {"check_facts": replace(CHECKED, external={(1, "b" * 40, "jenkins/e2e"): "passed"})},
        "gate.check.external",
    ),
    "external check of another team": (
        {"check_facts": replace(CHECKED, external={(2, "a" * 40, "jenkins/e2e"): "passed"})},
        "gate.check.external",
    ),
    "another baseline": ({"prepared_baseline_digest": OTHER}, "gate.baseline_changed"),
    "freeze": ({"freezes": (FREEZE,)}, "calendar.freeze"),
    "stop": ({"stops": (STOP,)}, "calendar.stop"),
    "outside the windows": (
        {"policy": replace(POLICY, window=SHUT)},
        "calendar.outside_window",
    ),
    "approval without an end": (
        {"approval": replace(APPROVED, expires_at=None)},
        "gate.approval_expired",
    ),
    "requester lost the role": (
        {"requester_allowed": False, "requester_reason": "Ana may no longer."},
        "gate.requester",
    ),
    "another artefact": ({"artefact_digest": DIGEST}, "gate.artefact_changed"),
    "no artefact at all": (
        {"artefact_digest": "", "expected_artefact_digest": ""},
        "gate.artefact_changed",
    ),
    "stage missing": ({"missing_stages": ("the rehearsal",)}, "gate.stages"),
    "nobody asked": ({"approval": None}, "gate.no_approval"),
    "request closed": (
        {"approval": replace(APPROVED, open_or_satisfied=False)},
        "gate.no_approval",
    ),
    "approval of another digest": (
        {"approval": replace(APPROVED, digest=OTHER)},
        "gate.subject_changed",
    ),
    "subject changed since": ({"current_subject_digest": OTHER}, "gate.subject_changed"),
    "deployment bound to another digest": ({"subject_digest": OTHER}, "gate.subject_changed"),
    "nothing is bound": (
        {
            "subject_digest": "",
            "current_subject_digest": "",
            "approval": replace(APPROVED, digest=""),
        },
        "gate.subject_changed",
    ),
    "approval expired this instant": (
        {"approval": replace(APPROVED, expires_at=NOW)},
        "gate.approval_expired",
    ),
    "approvals missing": (
        {"approval": replace(APPROVED, satisfied=False, missing=("Needs 1 more.",))},
        "gate.approvals_missing",
    ),
    "satisfied yet something is missing": (
        {"approval": replace(APPROVED, missing=("An author is not mapped.",))},
        "gate.approvals_missing",
    ),
    "window not open": ({"not_before": NOW + timedelta(seconds=1)}, "gate.window_not_open"),
    "window over this instant": ({"not_after": NOW}, "gate.window_over"),
    "environment in use": ({"occupied_by": "D-7"}, "gate.occupied"),
    "cancel asked": ({"cancel_requested": True}, "gate.cancelled"),
}


@pytest.mark.parametrize(("change", "code"), BAD.values(), ids=BAD.keys())
def test_gate_with_one_bad_fact_is_closed_for_that_reason(
    change: dict[str, Any], code: str
) -> None:
    verdict = gate.evaluate(replace(GOOD, **change))
    assert not verdict.allowed
    assert code in [reason.code for reason in verdict.holding]


# Together these three say one other digest everywhere, which is as good as the first.
CONSISTENT = {
    "approval of another digest",
    "deployment bound to another digest",
    "subject changed since",
}


# Two that change the same fact: the one that is applied last decides.
@given(st.sets(st.sampled_from(sorted(BAD)), min_size=1).filter(lambda s: s != CONSISTENT))
def test_gate_with_any_bad_facts_together_is_closed(names: set[str]) -> None:
    facts = GOOD
    for name in sorted(names):
        facts = replace(facts, **BAD[name][0])
    assert not gate.evaluate(facts)


@pytest.mark.parametrize(
    "change",
    [
        {"writes": False, "approval": None},
        {"protected": False, "approval": None},
        {"policy": replace(POLICY, asks_people=False), "approval": None},
        {"check_facts": replace(CHECKED, coverage=Decimal("75.00"))},
        {"check_facts": replace(CHECKED, backup_at=NOW - timedelta(hours=23, minutes=59))},
        {"not_before": NOW},
        {"not_after": NOW + timedelta(seconds=1)},
    ],
    ids=[
        "read or check step",
        "sandbox of a team",
        "quorum of none",
        "coverage met",
        "backup in time",
        "opens now",
        "a second left",
    ],
)
def test_gate_stays_open_at_the_edges(change: dict[str, Any]) -> None:
    assert gate.evaluate(replace(GOOD, **change))


def test_quorum_of_none_without_a_policy_does_not_open_a_protected_environment() -> None:
    facts = replace(GOOD, policy=None, approval=None)
    codes = [reason.code for reason in gate.evaluate(facts).holding]
    assert codes == ["gate.no_policy", "gate.no_approval"]


def test_closed_verdict_and_empty_verdict_do_not_allow() -> None:
    assert not gate.closed("gate.unreadable", "x").allowed
    assert not gate.Verdict(()).allowed
    assert gate.closed("gate.unreadable", "x").reasons[0].state is Mark.UNKNOWN


EMERGENCY = replace(GOOD, change_class="emergency", break_glass=GLASS)


def test_break_glass_waives_windows_freezes_and_rehearsal_and_says_so() -> None:
    facts = replace(
        EMERGENCY,
        freezes=(FREEZE,),
        policy=replace(POLICY, window=SHUT),
        missing_stages=("the rehearsal in PRE-PRD",),
        check_facts=replace(CHECKED, rehearsed_in=""),
    )
    verdict = gate.evaluate(facts)
    assert verdict.allowed
    said = " ".join(reason.text for reason in verdict.reasons)
    assert said.count("Break-glass waives") == 4


WAIVED = {
    "freeze",
    "outside the windows",
    "stage missing",
    "not rehearsed",
}


@pytest.mark.parametrize("name", sorted(set(BAD) - WAIVED))
def test_break_glass_waives_nothing_else(name: str) -> None:
    assert not gate.evaluate(replace(EMERGENCY, **BAD[name][0]))


@pytest.mark.parametrize(
    "glass",
    [None, replace(GLASS, reason=" "), replace(GLASS, incident=""), replace(GLASS, used=True)],
    ids=["no row", "no reason", "no incident", "used"],
)
def test_break_glass_without_an_ingredient_is_closed(glass: BreakGlass | None) -> None:
    assert not gate.evaluate(replace(EMERGENCY, break_glass=glass))


def test_rollback_goes_only_to_what_was_approved_here() -> None:
    back = replace(GOOD, change_class="rollback", missing_stages=("the rehearsal",))
    assert not gate.evaluate(back)
    assert gate.evaluate(replace(back, approved_here_before=True))


def test_reason_is_told_in_the_readers_zone_and_stored_in_utc() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    facts = replace(GOOD, not_before=NOW + timedelta(hours=1))
    (reason,) = gate.evaluate(facts).holding
    assert reason.text == "The window opens at Thu 22 Oct 21:00 UTC."
    assert reason.told(berlin) == "The window opens at Thu 22 Oct 23:00 CEST."
    assert restored(reason.stored()) == reason
