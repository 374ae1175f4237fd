"""I-12: unknown environment, missing policy, a clock or database error: no deployment."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection

from environments.models import Environment
from releases import gate
from releases.rules.reasons import Mark
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company


@pytest.fixture
def world(company: Company) -> Approved:
    return approved(company)


DEPENDENCIES = (
    "as_stored",
    "together",
    "foreseen.by_keys",
    "foreseen.by_rows",
    "cargo.of_deployment",
    "policies.of_deployment",
    "policies.class_of",
    "parse",
    "subject.current",
    "standing_of",
    "holding",
    "window_state",
    "approvals.outcome",
    "check_facts.of",
    "lease_of",
    "rules.evaluate",
)


@pytest.mark.parametrize("error", [RuntimeError("broken"), OperationalError("gone"), KeyError(1)])
@pytest.mark.parametrize("name", DEPENDENCIES)
def test_i12_a_dependency_of_the_gate_that_raises_closes_it(
    world: Approved, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception
) -> None:
    """Fault injection: every dependency of gate() raises in turn."""
    assert world.verdict().allowed

    def broken(*_args: Any, **_named: Any) -> Any:
        raise error

    monkeypatch.setattr(f"releases.gate.{name}", broken)
    verdict = gate.evaluate(world.fresh(), world.in_window)
    assert not verdict.allowed
    assert [reason.code for reason in verdict.reasons] == ["gate.unreadable"]
    assert verdict.reasons[0].state is Mark.UNKNOWN


def test_i12_a_database_error_closes_the_gate_and_leaves_the_transaction_usable(
    world: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_args: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr("releases.gate.lease_of", failing)
    assert not world.verdict().allowed
    assert Environment.objects.exists()


def test_i12_a_new_environment_of_the_production_track_denies_all(world: Approved) -> None:
    """New environments are born with deny-all."""
    Environment.objects.filter(pk=world.deployment.environment_id).update(policy=None)
    codes = {reason.code for reason in world.verdict().holding}
    assert "gate.no_policy" in codes


def test_i12_a_clock_that_fails_allows_nothing(world: Approved) -> None:
    verdict = gate.evaluate(world.fresh(), None)  # type: ignore[arg-type]
    assert not verdict.allowed
