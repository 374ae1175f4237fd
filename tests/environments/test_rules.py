"""The one word of an environment, its limits, and which stage takes which org."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments import rules
from environments.rules import StandingFacts
from environments.states import (
    SNAPSHOT,
    STAGES,
    Connection,
    HoldState,
    Licence,
    SnapshotState,
    Stage,
    kind_of,
)

FREE = {
    "retired": False,
    "has_credential": True,
    "in_use_by": "",
    "checking": False,
    "connection": Connection.OK,
    "connection_message": "",
    "hold_state": HoldState.DEPLOYED,
    "hold_note": "",
}
FACTS = st.builds(
    StandingFacts,
    retired=st.booleans(),
    has_credential=st.booleans(),
    in_use_by=st.sampled_from(["", "D-7"]),
    checking=st.booleans(),
    connection=st.sampled_from(Connection),
    connection_message=st.sampled_from(["", "It is away."]),
    hold_state=st.sampled_from(HoldState),
    hold_note=st.sampled_from(["", "1 test failed"]),
)


@pytest.mark.parametrize(
    ("facts", "word", "state"),
    [
        ({}, "Free", "done"),
        ({"hold_state": HoldState.EMPTY}, "Free", "done"),
        ({"hold_state": HoldState.FAILED}, "Last write failed", "failed"),
        ({"hold_state": HoldState.UNKNOWN}, "Outcome unknown", "unknown"),
        ({"connection": Connection.UNCHECKED}, "Not checked", "waiting"),
        ({"connection": Connection.FAILED}, "Connection failed", "failed"),
        ({"connection": Connection.RECONNECT}, "Sign-in refused", "failed"),
        ({"checking": True, "connection": Connection.FAILED}, "Checking", "running"),
        ({"has_credential": False}, "Not connected", "waiting"),
        (
            {"has_credential": False, "connection": Connection.RECONNECT, "checking": True},
            "Not connected",
            "waiting",
        ),
        ({"in_use_by": "D-7", "connection": Connection.FAILED}, "In use by D-7", "running"),
        ({"retired": True, "in_use_by": "D-7"}, "Retired", "none"),
    ],
)
def test_the_first_fact_that_matters_gives_the_word(
    facts: dict[str, object], word: str, state: str
) -> None:
    found = rules.standing(StandingFacts(**{**FREE, **facts}))  # type: ignore[arg-type]
    assert (found.word, found.state) == (word, state)


@given(FACTS)
def test_an_environment_is_free_only_when_nothing_is_wrong(facts: StandingFacts) -> None:
    found = rules.standing(facts)
    healthy = (
        not facts.retired
        and facts.has_credential
        and not facts.in_use_by
        and not facts.checking
        and facts.connection == Connection.OK
        and facts.hold_state in (HoldState.EMPTY, HoldState.DEPLOYED)
    )
    assert (found.word == "Free") == healthy
    assert found.state in {"done", "running", "waiting", "failed", "unknown", "none"}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("licence", Licence)
def test_only_the_last_stage_is_production(stage: Stage, licence: Licence) -> None:
    assert rules.licence_fits(stage, licence) == (
        (stage == Stage.PRD) == (licence == Licence.PRODUCTION)
    )
    assert (kind_of(stage) == "production") == (stage == Stage.PRD)


def test_each_track_has_its_stages_in_order_of_promotion() -> None:
    assert [list(map(str, stages)) for stages in STAGES.values()] == [
        ["DEV", "CI", "TEST"],
        ["CI", "PRE-PRD", "PRD"],
    ]


@pytest.mark.parametrize(
    ("limits", "tightest"),
    [
        ({}, None),
        ({"A": (0, 0)}, None),
        ({"A": (100, 90), "B": (1000, 100), "C": (0, 0)}, ("B", 90)),
        ({"A": (10, -2)}, ("A", 120)),
    ],
)
def test_the_tightest_limit_is_the_one_nearest_to_its_end(
    limits: dict[str, tuple[int, int]], tightest: tuple[str, int] | None
) -> None:
    assert rules.tightest(limits) == tightest


def test_a_snapshot_ends_done_or_failed() -> None:
    assert SNAPSHOT.terminal == {SnapshotState.DONE, SnapshotState.FAILED}
    assert not SNAPSHOT.allows(SnapshotState.REQUESTED, SnapshotState.DONE)
