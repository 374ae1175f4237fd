"""The gate's pure rules: allowed only when every fact is good; each bad fact alone closes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.rules import gate
from releases.rules.gate import Approval, GateFacts, Mark

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
    policy_known=True,
    quorum=2,
    subject_digest=DIGEST,
    current_subject_digest=DIGEST,
    approval=APPROVED,
    requester_allowed=True,
    requester_reason="",
    artefact_digest=OTHER,
    expected_artefact_digest=OTHER,
    missing_stages=(),
    not_before=None,
    not_after=None,
    occupied_by="",
    cancel_requested=False,
)


def test_gate_with_every_fact_good_is_open() -> None:
    verdict = gate.evaluate(GOOD)
    assert verdict.allowed
    assert verdict.holding == ()
    assert len(verdict.reasons) == len(gate.RULES)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "retired environment": ({"environment_live": False}, "gate.environment_retired"),
    "no connection": ({"connection_ok": False}, "gate.not_connected"),
    "no organisation yet": ({"organization_id": ""}, "gate.organization_changed"),
    "another organisation": (
        {"organization_id": "00D000000000002AAA"},
        "gate.organization_changed",
    ),
    "no policy": ({"policy_known": False}, "gate.no_policy"),
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
        {"quorum": 0, "approval": None},
        {"not_before": NOW},
        {"not_after": NOW + timedelta(seconds=1)},
    ],
    ids=["read or check step", "sandbox of a team", "quorum of none", "opens now", "a second left"],
)
def test_gate_stays_open_at_the_edges(change: dict[str, Any]) -> None:
    assert gate.evaluate(replace(GOOD, **change))


def test_quorum_of_none_without_a_policy_does_not_open_a_protected_environment() -> None:
    facts = replace(GOOD, policy_known=False, quorum=0, approval=None)
    codes = [reason.code for reason in gate.evaluate(facts).holding]
    assert codes == ["gate.no_policy", "gate.no_approval"]


def test_closed_verdict_and_empty_verdict_do_not_allow() -> None:
    assert not gate.closed("gate.unreadable", "x").allowed
    assert not gate.Verdict(()).allowed
    assert gate.closed("gate.unreadable", "x").reasons[0].state is Mark.UNKNOWN
