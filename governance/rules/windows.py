"""Deployment windows: from when to when, on which days, in which time zone. Pure Python.

A window belongs to the day on which it opens; one that ends at or before its start crosses
midnight. Its edges are readings of a wall clock in its own zone:

- a reading that the clock skips (summer time begins) means the first moment after the gap,
- a reading that the clock shows twice (summer time ends) means the first of the two,
- a window that is left without any length on such a night does not open.

A window is open from its first moment up to, and not including, its last: ``[from, to)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from core.errors import InvalidInput

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
WINDOWS_MAX = 20
HORIZON_DAYS = 400
LOOK_BACK = timedelta(days=9)
"""Openings that touch are one; one that has lasted a week and more never shuts."""
FIELDS = frozenset({"days", "from", "to", "zone"})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time ``[start, end)``, both aware."""

    start: datetime
    end: datetime

    def holds(self, now: datetime) -> bool:
        """Say whether a moment lies in the span."""
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class Window:
    """Days of the week, minutes after midnight, and an IANA zone; made by ``parse``."""

    days: tuple[str, ...]
    start: int
    end: int
    zone: str

    @property
    def length(self) -> int:
        """How many minutes it is open by the clock on the wall."""
        return self.end - self.start if self.end > self.start else self.end - self.start + 1440

    def body(self) -> dict[str, Any]:
        """Return the window as a policy's body stores it."""
        return {
            "days": list(self.days),
            "from": clock_text(self.start),
            "to": clock_text(self.end),
            "zone": self.zone,
        }

    def describe(self) -> str:
        """Say the window: ``Mon–Thu 22:00–04:00 (Europe/Berlin)``."""
        times = f"{clock_text(self.start)}–{clock_text(self.end)}"
        return f"{_days_text(self.days)} {times} ({self.zone})"

    def on(self, day: date) -> Span | None:
        """Return when the window that belongs to a day is open; None when it does not open."""
        if DAYS[day.weekday()] not in self.days:
            return None
        midnight = datetime.combine(day, time())
        opens = instant(midnight + timedelta(minutes=self.start), self.zone)
        shuts = instant(midnight + timedelta(minutes=self.start + self.length), self.zone)
        return Span(opens, shuts) if opens < shuts else None


def instant(reading: datetime, zone: str, *, late: bool = False) -> datetime:
    """Return the moment in UTC at which a clock in ``zone`` shows a naive reading.

    A skipped reading means the first moment after the gap; of two moments with one reading the
    first is meant, or the second when ``late``.
    """
    tz = zone_of(zone)
    before, after = reading.replace(tzinfo=tz, fold=0), reading.replace(tzinfo=tz, fold=1)
    earlier, later = before.astimezone(UTC), after.astimezone(UTC)
    if earlier > later:  # In a gap fold=0 reads the offset before it and so lands behind it.
        return _end_of_gap(later, earlier, tz)
    return later if late else earlier


def _end_of_gap(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """Find the moment between two at which the zone changes its offset."""
    old = low.astimezone(tz).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(tz).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """Return a zone by its IANA name; raises InvalidInput ``calendar.zone``."""
    if name not in _zones():
        raise InvalidInput(
            "calendar.zone",
            f"There is no time zone {name!r}; write it like Europe/Berlin or UTC.",
            field="zone",
        )
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


# Reading -----------------------------------------------------------------------------------------


def parse(bodies: object) -> tuple[Window, ...]:
    """Read the windows of a policy; an empty list means any time.

    Raises InvalidInput ``policy.windows`` for the first thing that is wrong.
    """
    if not isinstance(bodies, (list, tuple)) or len(bodies) > WINDOWS_MAX:
        raise _wrong(f"Windows are a list of at most {WINDOWS_MAX}.")
    return tuple(parse_one(body) for body in bodies)


def parse_one(body: object) -> Window:
    """Read one window; raises InvalidInput ``policy.windows``."""
    if not isinstance(body, Mapping) or set(body) != FIELDS:
        raise _wrong("A window has exactly days, from, to and zone.")
    days = body["days"]
    if not isinstance(days, (list, tuple)) or not days or not all(day in DAYS for day in days):
        raise _wrong(f"A window opens on at least one of {', '.join(DAYS)}.")
    start, end = _minutes(body["from"]), _minutes(body["to"])
    if start == DAY_MINUTES:
        raise _wrong("A window opens at 23:59 at the latest; write 00:00 and the next day.")
    if start == end:
        raise _wrong(
            f"A window from {clock_text(start)} to {clock_text(end)} would have no length; "
            "a whole day is 00:00 to 24:00."
        )
    zone = body["zone"]
    try:
        zone_of(zone if isinstance(zone, str) else "")
    except InvalidInput as refusal:
        raise _wrong(refusal.message) from None
    return Window(tuple(day for day in DAYS if day in days), start, end, zone)


def _minutes(text: object) -> int:
    if isinstance(text, str) and len(text) == 5 and text[2] == ":":
        hours, minutes = text[:2], text[3:]
        if hours.isascii() and minutes.isascii() and hours.isdigit() and minutes.isdigit():
            total = int(hours) * 60 + int(minutes)
            if int(minutes) < 60 and total <= DAY_MINUTES:
                return total
    raise _wrong("Write the times of a window like 22:00; 24:00 is the end of a day.")


def _wrong(text: str) -> InvalidInput:
    return InvalidInput("policy.windows", text, field="windows")


def clock_text(minutes: int) -> str:
    """Write minutes after midnight as a clock shows them."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _days_text(days: Sequence[str]) -> str:
    """Write days the way people do: runs of three and more as a range."""
    numbers = [DAYS.index(day) for day in days]
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = []
    for run in runs:
        names = [DAYS[number].title() for number in run]
        words.extend([f"{names[0]}–{names[-1]}"] if len(run) > 2 else names)
    return ", ".join(words)


# Asking ------------------------------------------------------------------------------------------


def spans(windows: Iterable[Window], start: datetime, end: datetime) -> list[Span]:
    """Return when the windows are open between two moments, joined where they touch."""
    found = [span for window in windows for span in _spans(window, start, end) if span.end > start]
    return joined(found)


def _spans(window: Window, start: datetime, end: datetime) -> Iterator[Span]:
    day = start.astimezone(zone_of(window.zone)).date() - timedelta(days=1)
    while True:
        if datetime.combine(day, time(), UTC) > end + timedelta(days=1):
            return
        span = window.on(day)
        if span is not None and span.start < end:
            yield span
        day += timedelta(days=1)


def joined(found: Iterable[Span]) -> list[Span]:
    """Return the spans in order, with those that overlap or touch made one."""
    result: list[Span] = []
    for span in sorted(found, key=lambda item: (item.start, item.end)):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def current(windows: Sequence[Window], now: datetime) -> Span | None:
    """Return the opening that ``now`` lies in, joined with what follows it; None when shut."""
    near = spans(windows, now - LOOK_BACK, now + timedelta(days=9))
    return next((span for span in near if span.holds(now)), None)


def is_open(windows: Sequence[Window], now: datetime) -> bool:
    """Say whether a deployment may begin now; no windows at all mean any time."""
    return not windows or current(windows, now) is not None


def next_open(windows: Sequence[Window], now: datetime) -> Span | None:
    """Return the opening that ``now`` lies in, or else the next one.

    None when there are no windows (it is always open) or none within the next year.
    """
    if not windows:
        return None
    for days in (9, HORIZON_DAYS):
        for span in spans(windows, now - LOOK_BACK, now + timedelta(days=days)):
            if span.end > now:
                return span
    return None


# Comparing ---------------------------------------------------------------------------------------


def allows_no_more(new: Sequence[Window], old: Sequence[Window]) -> bool:
    """Say whether everything that ``new`` allows was allowed by ``old`` already.

    Windows are compared zone by zone on the clock of a week: a window that moves to another zone
    counts as allowing more, since the two drift apart when one of them changes its clocks.
    """
    if not old:
        return True
    if not new:
        return False
    before = _weekly(old)
    return all(minutes <= before.get(zone, frozenset()) for zone, minutes in _weekly(new).items())


def _weekly(windows: Iterable[Window]) -> dict[str, frozenset[int]]:
    """Return the open minutes of a week for each zone."""
    found: dict[str, set[int]] = {}
    for window in windows:
        minutes = found.setdefault(window.zone, set())
        for day in window.days:
            opens = DAYS.index(day) * DAY_MINUTES + window.start
            minutes.update(minute % WEEK_MINUTES for minute in range(opens, opens + window.length))
    return {zone: frozenset(minutes) for zone, minutes in found.items()}
