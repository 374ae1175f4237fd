"""State tables: closed, reachable, and terminal where people expect an end."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from core.errors import NotNow
from core.machine import Machine
from releases import states
from releases.states import (
    BUILD,
    CANDIDATE,
    DEPLOYMENT,
    EFFECTS,
    PLANS,
    RELEASE,
    STEP,
    DeploymentState,
    Effect,
    Purpose,
    ReleaseState,
    StepKind,
    StepState,
)

MACHINES: list[tuple[Machine[Any], type[StrEnum], StrEnum]] = [
    (RELEASE, ReleaseState, ReleaseState.DRAFT),
    (DEPLOYMENT, DeploymentState, DeploymentState.QUEUED),
    (STEP, StepState, StepState.PENDING),
    (CANDIDATE, states.CandidateState, states.CandidateState.BUILDING),
    (BUILD, states.BuildState, states.BuildState.QUEUED),
]


@pytest.mark.parametrize(("machine", "enum", "first"), MACHINES, ids=lambda v: str(v)[:30])
def test_every_pair_outside_the_table_is_refused(
    machine: Machine[Any], enum: type[StrEnum], first: StrEnum
) -> None:
    allowed = 0
    for old in enum:
        for new in enum:
            if machine.allows(old, new):
                machine.check(old, new)
                allowed += 1
                continue
            with pytest.raises(NotNow) as refusal:
                machine.check(old, new)
            assert refusal.value.code.endswith(".refused")
    assert 0 < allowed < len(list(enum)) ** 2


@pytest.mark.parametrize(("machine", "enum", "first"), MACHINES, ids=lambda v: str(v)[:30])
def test_terminal_states_lead_nowhere(
    machine: Machine[Any], enum: type[StrEnum], first: StrEnum
) -> None:
    assert machine.terminal
    for state in machine.terminal:
        for other in enum:
            with pytest.raises(NotNow):
                machine.check(state, other)


def test_i24_an_ended_deployment_never_runs_again() -> None:
    for end in ("succeeded", "failed", "cancelled", "superseded"):
        with pytest.raises(NotNow):
            DEPLOYMENT.check(DeploymentState(end), DeploymentState.RUNNING)


def test_i23_unknown_is_left_only_by_asking_or_by_a_person() -> None:
    with pytest.raises(NotNow):
        DEPLOYMENT.check(DeploymentState.UNKNOWN, DeploymentState.QUEUED)
    DEPLOYMENT.check(DeploymentState.UNKNOWN, DeploymentState.RUNNING)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_plan_begins_at_the_gate_and_writes_at_most_once(purpose: Purpose) -> None:
    plan = PLANS[purpose]
    assert plan[0] is StepKind.GATE
    writes = [kind for kind in plan if EFFECTS[kind] is Effect.WRITE]
    assert len(writes) == (0 if purpose is Purpose.PREPARE else 1)


def test_production_is_snapshotted_before_anything_is_written() -> None:
    plan = PLANS[Purpose.RELEASE]
    assert plan.index(StepKind.SNAPSHOT) < plan.index(StepKind.DEPLOY)
