"""The gate is monotonic: nothing that stands in the way ever opens it.

From any state of the facts, good or bad, a freeze, a stop, a withdrawal or any other loss that is
added turns no "no" into a "yes", whatever the class of the change waives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.rules import gate
from releases.rules.gate import GateFacts
from tests.releases.unit.test_gate_rules import (
    BAD,
    FREEZE,
    GLASS,
    GOOD,
    NOW,
    POLICY,
    SHUT,
    STOP,
)

# Other good or half-good worlds to begin in.
WORLDS: dict[str, dict[str, Any]] = {
    "emergency": {"change_class": "emergency", "break_glass": GLASS},
    "emergency without words": {"change_class": "emergency"},
    "rollback": {"change_class": "rollback", "approved_here_before": True},
    "rollback to the unknown": {"change_class": "rollback"},
    "unprotected": {"protected": False},
    "a check only": {"writes": False},
    "nobody is asked": {"policy": replace(POLICY, asks_people=False), "approval": None},
    "no checks": {"policy": replace(POLICY, checks=(), external_checks=())},
    "no policy": {"policy": None},
}


def _approval(facts: GateFacts, **changes: Any) -> GateFacts:
    return replace(facts, approval=facts.approval and replace(facts.approval, **changes))


def _policy(facts: GateFacts, **changes: Any) -> GateFacts:
    return replace(facts, policy=facts.policy and replace(facts.policy, **changes))


LOSSES: dict[str, Callable[[GateFacts], GateFacts]] = {
    "freeze": lambda facts: replace(facts, freezes=(*facts.freezes, FREEZE)),
    "stop": lambda facts: replace(facts, stops=(*facts.stops, STOP)),
    "window of the policy shut": lambda facts: _policy(facts, window=SHUT),
    "policy too weak": lambda facts: _policy(facts, too_weak=True),
    "decision withdrawn": lambda facts: _approval(
        facts, satisfied=False, missing=("Needs 1 more.",)
    ),
    "request closed": lambda facts: _approval(facts, open_or_satisfied=False),
    "request gone": lambda facts: replace(facts, approval=None),
    "request expired": lambda facts: _approval(facts, expires_at=NOW),
    "requester lost the role": lambda facts: replace(facts, requester_allowed=False),
    "disconnected": lambda facts: replace(facts, connection_ok=False),
    "retired": lambda facts: replace(facts, environment_live=False),
    "occupied": lambda facts: replace(facts, occupied_by="D-7"),
    "cancelled": lambda facts: replace(facts, cancel_requested=True),
    "window over": lambda facts: replace(facts, not_after=NOW),
    "stage missing": lambda facts: replace(facts, missing_stages=("the rehearsal",)),
    "never here": lambda facts: replace(facts, approved_here_before=False),
    "break-glass used": lambda facts: replace(
        facts, break_glass=facts.break_glass and replace(facts.break_glass, used=True)
    ),
    "no external results": lambda facts: replace(
        facts, check_facts=replace(facts.check_facts, external={})
    ),
    "time passes over the end": lambda facts: replace(
        facts, now=NOW + timedelta(days=400), not_after=facts.not_after or NOW
    ),
}


@given(
    st.lists(st.sampled_from(sorted(BAD)), max_size=2, unique=True),
    st.lists(st.sampled_from(sorted(WORLDS)), max_size=3, unique=True),
    st.lists(st.sampled_from(sorted(LOSSES)), min_size=1, max_size=3, unique=True),
)
def test_no_loss_ever_opens_the_gate(bad: list[str], worlds: list[str], losses: list[str]) -> None:
    facts = GOOD
    for change in (*(WORLDS[name] for name in worlds), *(BAD[name][0] for name in bad)):
        facts = replace(facts, **change)
    for name in losses:
        before, facts = gate.evaluate(facts), LOSSES[name](facts)
        assert before.allowed or not gate.evaluate(facts).allowed


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"never here", "break-glass used"}))
def test_each_loss_closes_an_open_gate(name: str) -> None:
    """So the property above is not true of a gate that never opens or losses that lose nothing."""
    assert gate.evaluate(GOOD).allowed
    assert not gate.evaluate(LOSSES[name](GOOD)).allowed
