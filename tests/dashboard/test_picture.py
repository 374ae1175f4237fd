"""Which tracks stand in sight and which fold away."""

from __future__ import annotations

import pytest

from dashboard.picture import SHOWN_AT_LEAST, Node, Stage, Track, draw
from environments.selectors import Edge


def track(name: str, node: Node | None = None, edge: Edge | None = None) -> Track:
    return Track(name, "/", (Stage(node or Node("CI", "done", "Passed"), edge),))


QUIET = [track(f"quiet {number}") for number in range(SHOWN_AT_LEAST)]


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param(track("t", Node("CI", "failed", "Failed")), id="failed"),
        pytest.param(track("t", Node("CI", "running", "Running")), id="running"),
        pytest.param(track("t", Node("CI", "held", "Held")), id="held"),
        pytest.param(track("t", Node("CI", "unknown", "Unknown")), id="unknown"),
        pytest.param(track("t", Node("CI", "done", "Passed", lock="in use")), id="locked"),
        pytest.param(track("t", edge=Edge(2, "commits wait")), id="something waits"),
        pytest.param(track("t", edge=Edge(0, "is in R-1", on_train=True)), id="on the train"),
    ],
)
def test_a_track_with_something_going_on_stays_in_sight(busy: Track) -> None:
    picture = draw([*QUIET, busy], None)
    assert picture.tracks == (busy,)
    assert picture.quiet == tuple(QUIET)


@pytest.mark.parametrize(
    "calm",
    [
        pytest.param(track("t", Node("DEV", "none", "Empty")), id="empty"),
        pytest.param(track("t", edge=Edge(0, "commits wait")), id="nothing waits"),
    ],
)
def test_a_quiet_track_folds_away_among_many(calm: Track) -> None:
    assert calm in draw([*QUIET, calm], None).quiet


def test_few_tracks_are_all_in_sight_even_when_quiet() -> None:
    picture = draw(QUIET, None)
    assert picture.tracks == tuple(QUIET)
    assert picture.quiet == ()


def test_thirty_teams_keep_their_order_on_both_sides_of_the_fold() -> None:
    tracks = [track(f"{n:02}", edge=Edge(n % 5, "wait") if n % 2 else None) for n in range(30)]
    picture = draw(tracks, None)
    assert len(picture.tracks) + len(picture.quiet) == 30
    for side in (picture.tracks, picture.quiet):
        assert [row.name for row in side] == sorted(row.name for row in side)


def test_an_installation_without_orgs_is_empty_and_one_with_production_alone_is_not() -> None:
    assert draw([], None).is_empty
    assert not draw([], track("Platform")).is_empty
    assert not draw([track("Sales")], None).is_empty
