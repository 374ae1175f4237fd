"""I-19: a time check that passed lapses if execution has not started by window end.

*Test:* time travel across the edge, ±1 s, DST change in both directions, two time zones, leap day,
window of zero length, overlapping allow/deny (deny wins).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from environments.rules_calendar import Every, Plan, window_state
from governance.rules import windows
from governance.rules.windows import DAYS, Span, Window, instant, is_open, next_open, zone_of

SECOND = timedelta(seconds=1)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
NIGHT = {"days": ["thu"], "from": "22:00", "to": "04:00", "zone": BERLIN}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def one(days: str, start: str, end: str, zone: str = BERLIN) -> Window:
    return windows.parse_one({"days": days.split(), "from": start, "to": end, "zone": zone})


def test_i19_the_edges_are_exact_to_the_second() -> None:
    night = windows.parse([NIGHT])
    opens, shuts = utc("2026-01-15T21:00"), utc("2026-01-16T03:00")
    assert not is_open(night, opens - SECOND)
    assert is_open(night, opens)
    assert is_open(night, shuts - SECOND)
    assert not is_open(night, shuts)
    state = window_state(night, shuts)
    assert state.hold is not None
    assert state.hold.until == utc("2026-01-22T21:00")
    assert "Thu 22 Jan 2026 22:00 CET" in state.hold.text


@pytest.mark.parametrize(
    ("day", "start", "end", "opens", "shuts"),
    [
        # The night the clocks go forward, 29 March 2026 in Berlin: 02:00 CET becomes 03:00 CEST.
        ("2026-03-28", "22:00", "04:00", "2026-03-28T21:00", "2026-03-29T02:00"),
        ("2026-03-29", "02:30", "03:30", "2026-03-29T01:00", "2026-03-29T01:30"),
        ("2026-03-29", "01:30", "02:30", "2026-03-29T00:30", "2026-03-29T01:00"),
        # The night they go back, 25 October 2026: 03:00 CEST becomes 02:00 CET.
        ("2026-10-24", "22:00", "04:00", "2026-10-24T20:00", "2026-10-25T03:00"),
        ("2026-10-25", "02:30", "03:30", "2026-10-25T00:30", "2026-10-25T02:30"),
        ("2026-10-25", "01:30", "02:30", "2026-10-24T23:30", "2026-10-25T00:30"),
        # A leap day, and a whole day.
        ("2028-02-29", "22:00", "04:00", "2028-02-29T21:00", "2028-03-01T03:00"),
        ("2028-02-29", "00:00", "24:00", "2028-02-28T23:00", "2028-02-29T23:00"),
    ],
)
def test_i19_summer_time_and_leap_days(
    day: str, start: str, end: str, opens: str, shuts: str
) -> None:
    window = one(" ".join(DAYS), start, end)
    assert window.on(date.fromisoformat(day)) == Span(utc(opens), utc(shuts))


def test_i19_a_window_inside_the_gap_does_not_open() -> None:
    window = one("sun", "02:15", "02:45")
    assert window.on(date(2026, 3, 29)) is None
    later = next_open([window], utc("2026-03-29T00:00"))
    assert later == Span(utc("2026-04-05T00:15"), utc("2026-04-05T00:45"))


def test_i19_two_zones_each_keep_their_own_clock() -> None:
    both = [one("thu", "22:00", "23:00"), one("thu", "22:00", "23:00", NEW_YORK)]
    assert is_open(both, utc("2026-01-15T21:30"))
    assert not is_open(both, utc("2026-01-15T22:00"))
    assert is_open(both, utc("2026-01-16T03:30"))
    # From 8 to 29 March 2026 New York is on summer time and Berlin is not: five hours apart.
    assert next_open(both, utc("2026-03-12T22:00")) == Span(
        utc("2026-03-13T02:00"), utc("2026-03-13T03:00")
    )


def test_i19_a_window_without_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no length") as refused:
        one("thu", "22:00", "22:00")
    assert refused.value.code == "policy.windows"


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {**NIGHT, "days": []},
        {**NIGHT, "days": ["someday"]},
        {**NIGHT, "from": "24:00"},
        {**NIGHT, "from": "7:00"},
        {**NIGHT, "to": "25:00"},
        {**NIGHT, "to": "12:60"},
        {**NIGHT, "to": 4},
        {**NIGHT, "zone": "Mars/Olympus"},
        {**NIGHT, "zone": "../etc/passwd"},
        {**NIGHT, "colour": "red"},
    ],
)
def test_i19_a_window_that_cannot_be_read_is_refused(body: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        windows.parse([body])
    assert refused.value.code == "policy.windows"


def test_i19_a_freeze_begins_and_ends_within_an_open_window() -> None:
    night = windows.parse([{**NIGHT, "days": list(DAYS)}])
    freeze = Plan(utc("2026-01-15T22:00"), utc("2026-01-15T23:00"), BERLIN)
    assert window_state(night, utc("2026-01-15T22:00")).is_open
    assert freeze.at(utc("2026-01-15T22:00")) is not None
    assert freeze.at(utc("2026-01-15T22:00") - SECOND) is None
    assert freeze.at(utc("2026-01-15T23:00")) is None


# Freezes that come back ---------------------------------------------------------------------------


def weekend() -> Plan:
    """Friday 18:00 to Monday 06:00 in Berlin, every week from Friday 13 March 2026."""
    return Plan(utc("2026-03-13T17:00"), utc("2026-03-16T05:00"), BERLIN, Every.WEEK)


def test_i19_a_weekly_freeze_keeps_to_the_clock_on_the_wall() -> None:
    spans = list(weekend().spans(utc("2026-03-13T00:00"), utc("2026-04-13T00:00")))
    assert [(span.start, span.end) for span in spans[1:4]] == [
        (utc("2026-03-20T17:00"), utc("2026-03-23T05:00")),
        (utc("2026-03-27T17:00"), utc("2026-03-30T04:00")),  # an hour shorter
        (utc("2026-04-03T16:00"), utc("2026-04-06T04:00")),
    ]


def test_i19_a_freeze_ends_at_the_later_of_two_readings() -> None:
    plan = Plan(utc("2026-10-18T00:00"), utc("2026-10-18T00:30"), BERLIN, Every.WEEK)
    (span,) = plan.spans(utc("2026-10-24T12:00"), utc("2026-10-25T12:00"))
    assert span == Span(utc("2026-10-25T00:00"), utc("2026-10-25T01:30"))


def test_i19_a_yearly_freeze_of_the_leap_day_and_a_monthly_one_of_the_31st() -> None:
    leap = Plan(utc("2028-02-29T00:00"), utc("2028-03-01T00:00"), "UTC", Every.YEAR)
    starts = [span.start.date() for span in leap.spans(utc("2028-01-01"), utc("2033-01-01"))]
    assert [f"{day:%m-%d}" for day in starts] == ["02-29", "02-28", "02-28", "02-28", "02-29"]
    last = Plan(utc("2026-01-31T00:00"), utc("2026-02-01T00:00"), "UTC", Every.MONTH)
    days = [span.start.day for span in last.spans(utc("2026-01-01"), utc("2026-05-01"))]
    assert days == [31, 28, 31, 30]
    quarter = Plan(utc("2026-03-30T00:00"), utc("2026-04-02T00:00"), "UTC", Every.MONTH, 3)
    assert quarter.at(utc("2026-12-31T12:00")) is not None
    assert quarter.at(utc("2026-11-30T12:00")) is None


def test_i19_a_repetition_ends_on_its_last_day() -> None:
    plan = Plan(
        utc("2026-03-13T17:00"),
        utc("2026-03-16T05:00"),
        BERLIN,
        Every.WEEK,
        last_day=date(2026, 3, 20),
    )
    assert len(list(plan.spans(utc("2026-01-01"), utc("2027-01-01")))) == 2
    assert not plan.over(utc("2026-03-22T00:00"))
    assert plan.over(utc("2026-03-23T05:00"))


# Properties ---------------------------------------------------------------------------------------

zones = st.sampled_from([BERLIN, NEW_YORK, "UTC", "Australia/Lord_Howe", "Asia/Kathmandu"])
moments = st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
minutes = st.integers(0, 1439)


@st.composite
def some_windows(draw: st.DrawFn) -> Window:
    start = draw(minutes)
    end = draw(st.integers(0, 1440).filter(lambda end: end != start))
    days = draw(st.sets(st.sampled_from(DAYS), min_size=1))
    return Window(tuple(day for day in DAYS if day in days), start, end, draw(zones))


@settings(max_examples=80)
@given(st.lists(some_windows(), min_size=1, max_size=3), moments)
def test_i19_open_means_inside_the_next_opening(found: list[Window], now: datetime) -> None:
    opening = next_open(found, now)
    assert is_open(found, now) == (opening is not None and opening.holds(now))
    if opening is not None:
        assert is_open(found, opening.start)
        # What has been open for more than a week is always open: its start is where one looked.
        if now - opening.start < timedelta(days=8):
            assert not is_open(found, opening.start - SECOND)
        assert windows.parse([window.body() for window in found]) == tuple(found)


@settings(max_examples=150)
@given(some_windows(), moments)
def test_i19_away_from_a_change_of_clocks_the_wall_decides(window: Window, now: datetime) -> None:
    tz = zone_of(window.zone)
    wall = now.astimezone(tz)
    offsets = {(now + timedelta(hours=h)).astimezone(tz).utcoffset() for h in range(-30, 31, 6)}
    if len(offsets) > 1:
        return
    today, before = DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
    minute = wall.hour * 60 + wall.minute
    expected = today in window.days and window.start <= minute < window.start + window.length
    expected |= before in window.days and minute + 1440 < window.start + window.length
    assert is_open([window], now) == expected


@settings(max_examples=100)
@given(zones, st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001
def test_i19_a_reading_never_runs_backwards(zone: str, reading: datetime) -> None:
    early, late = instant(reading, zone), instant(reading, zone, late=True)
    assert early <= late <= early + timedelta(hours=1)
    assert instant(reading + timedelta(minutes=61), zone) >= early
    shown = early.astimezone(zone_of(zone)).replace(tzinfo=None)
    assert shown == reading or (shown > reading and shown - reading <= timedelta(hours=1))


@settings(max_examples=60)
@given(st.lists(some_windows(), max_size=3), st.lists(some_windows(), max_size=3), moments)
def test_i19_a_set_of_windows_that_allows_no_more_never_opens_alone(
    new: list[Window], old: list[Window], now: datetime
) -> None:
    if windows.allows_no_more(new, old) and is_open(new, now):
        assert is_open(old, now) or _near_a_change(now, [*new, *old])


def _near_a_change(now: datetime, found: list[Window]) -> bool:
    for window in found:
        tz = zone_of(window.zone)
        around = {(now + timedelta(hours=h)).astimezone(tz).utcoffset() for h in range(-50, 51, 5)}
        if len(around) > 1:
            return True
    return False


@settings(max_examples=60)
@given(
    st.sampled_from([Every.WEEK, Every.MONTH, Every.YEAR]),
    st.integers(1, 4),
    zones,
    moments,
    st.integers(1, 60 * 24 * 6),
    st.integers(0, 60 * 24 * 900),
)
def test_i19_a_freeze_that_comes_back_is_found_from_any_moment(
    every: Every, step: int, zone: str, start: datetime, length: int, later: int
) -> None:
    plan = Plan(start, start + timedelta(minutes=length), zone, every, step)
    now = start + timedelta(minutes=later)
    every_one = list(plan.spans(start - timedelta(days=9), now + SECOND))
    assert (plan.at(now) is not None) == any(span.holds(now) for span in every_one)
