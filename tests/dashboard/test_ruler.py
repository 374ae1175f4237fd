"""The ruler above the next window."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dashboard.ruler import LABEL_ROOM, LETTER, SHORT_DAYS, WIDTH, Label, measure

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 20, 17, 46, tzinfo=BERLIN)
HOUR = timedelta(hours=1)


def test_now_and_the_window_stand_at_their_day_of_fifteen() -> None:
    opens_at = datetime(2026, 10, 22, 22, tzinfo=BERLIN)
    ruler = measure(NOW, opens_at, opens_at + HOUR)
    assert ruler is not None
    day = WIDTH / SHORT_DAYS
    assert abs(ruler.now_x - day * (17 + 46 / 60) / 24) < 0.1
    assert abs(ruler.block_x - day * (2 + 22 / 24)) < 0.1
    assert [label.text for label in ruler.labels] == ["Tue 20", "Thu 22", "Mon 26", "Mon 2"]
    assert [label.text for label in ruler.labels if label.is_window] == ["Thu 22"]
    assert len(ruler.ticks) == SHORT_DAYS
    assert sum(tick.high for tick in ruler.ticks) == 2


def test_a_far_window_stretches_the_ruler_to_whole_weeks_with_a_tick_each() -> None:
    ruler = measure(NOW, NOW + timedelta(days=40), None)
    assert ruler is not None
    assert all(tick.high for tick in ruler.ticks)
    assert len(ruler.ticks) == 6


def test_the_day_is_that_of_the_person_not_of_the_server() -> None:
    opens_at = datetime(2026, 10, 22, 23, 30, tzinfo=ZoneInfo("UTC"))
    ruler = measure(NOW, opens_at, None)
    assert ruler is not None
    assert [label.text for label in ruler.labels if label.is_window] == ["Fri 23"]


def test_a_window_that_has_closed_or_lies_a_year_away_gets_no_ruler() -> None:
    assert measure(NOW, NOW - 3 * HOUR, NOW - HOUR) is None
    assert measure(NOW, NOW + timedelta(days=365), None) is None


def test_a_window_that_is_open_now_begins_at_the_left_edge_at_the_earliest() -> None:
    ruler = measure(NOW, NOW - timedelta(days=3), NOW + HOUR)
    assert ruler is not None
    assert ruler.block_x == 0
    assert [label.text for label in ruler.labels if label.is_window] == ["until Tue 20"]


@given(st.integers(0, 90 * 24 * 60), st.one_of(st.none(), st.integers(1, 10 * 24 * 60)))
def test_everything_stays_inside_the_picture_and_no_two_names_touch(
    minutes: int, length: int | None
) -> None:
    opens_at = NOW + timedelta(minutes=minutes)
    closes_at = opens_at + timedelta(minutes=length) if length else None
    ruler = measure(NOW, opens_at, closes_at)
    if ruler is None:
        assert (closes_at or opens_at) < NOW
        return
    assert 0 <= ruler.block_x <= ruler.block_x + ruler.block_width <= WIDTH + 0.1
    spans = sorted(span(label) for label in ruler.labels)
    for (_, end), (start, _) in pairwise(spans):
        assert start >= end - 0.1


def span(label: Label) -> tuple[float, float]:
    room = max(LABEL_ROOM, len(label.text) * LETTER)
    shift = {"start": 0.0, "middle": -room / 2, "end": -room}[label.anchor]
    return label.x + shift, label.x + shift + room


def test_what_is_frozen_stands_on_the_ruler_as_far_as_it_reaches() -> None:
    opens_at = datetime(2026, 10, 22, 22, tzinfo=BERLIN)
    midnight = datetime(2026, 10, 25, tzinfo=BERLIN)
    spans = [
        (midnight, midnight + timedelta(days=400)),
        (NOW - timedelta(days=9), NOW - timedelta(days=8)),
        (NOW + timedelta(days=90), NOW + timedelta(days=91)),
    ]
    ruler = measure(NOW, opens_at, opens_at + HOUR, spans)
    assert ruler is not None
    (block,) = ruler.frozen
    assert abs(block.x - WIDTH / SHORT_DAYS * 5) < 0.1
    assert abs(block.x + block.width - WIDTH) < 0.2
