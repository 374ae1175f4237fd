"""Reading a calendar in iCalendar form into plain entries. No Django, no I/O.

Whatever arrives is somebody else's: sizes, numbers and repetitions are bounded before anything is
expanded, and an entry that cannot be read is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from core.errors import InvalidInput
from governance.rules.windows import zone_of

BYTES_MAX = 1_000_000
EVENTS_MAX = 1_000
ENTRIES_MAX = 2_000
PAST = timedelta(days=31)
HORIZON = timedelta(days=548)
NAME_MAX = 120
UID_MAX = 200
TEXT_MAX = 2_000
FAST = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One stretch of time that a calendar names, known by ``uid``."""

    uid: str
    name: str
    description: str
    start: datetime
    end: datetime
    zone: str


def read(content: str, now: datetime) -> tuple[Occurrence, ...]:
    """Return what a calendar names from a month ago to a year and a half ahead, in order.

    Raises InvalidInput: ``calendar.too_big``, ``calendar.unreadable``, ``calendar.empty``.
    """
    if len(content.encode()) > BYTES_MAX:
        raise InvalidInput(
            "calendar.too_big", f"The calendar is bigger than {BYTES_MAX // 1000} kB."
        )
    try:
        parsed = icalendar.Calendar.from_ical(content)
        events = list(parsed.walk("VEVENT"))
    except Exception as error:  # the library raises what it met
        raise InvalidInput(
            "calendar.unreadable", "This is no calendar in iCalendar form (.ics)."
        ) from error
    if not events:
        raise InvalidInput("calendar.empty", "The calendar has no events.")
    if len(events) > EVENTS_MAX or any(_is_fast(event) for event in events):
        raise InvalidInput(
            "calendar.too_big",
            f"The calendar has more than {EVENTS_MAX} events, or one that comes back within a day.",
        )
    zone = _zone(str(parsed.get("X-WR-TIMEZONE", "UTC")))
    found = {entry.uid: entry for entry in _entries(parsed, _series(events), zone, now)}
    return tuple(sorted(found.values(), key=lambda entry: (entry.start, entry.uid)))


def _is_fast(event: Any) -> bool:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if FAST & {str(word).upper() for word in rule.get("FREQ", [])}:
            return True
    return False


def _series(events: list[Any]) -> frozenset[str]:
    """Return the UIDs that stand for more than one stretch of time."""
    repeats = {"RRULE", "RDATE", "RECURRENCE-ID"}
    return frozenset(str(event.get("UID", "")) for event in events if repeats & set(event))


def _entries(parsed: Any, series: frozenset[str], zone: str, now: datetime) -> Iterator[Occurrence]:
    query = recurring_ical_events.of(parsed, skip_bad_series=True)
    for event in islice(query.after(now - PAST), ENTRIES_MAX):
        entry = _entry(event, series, zone)
        if entry is None:
            continue
        if entry.start > now + HORIZON:
            return
        yield entry


def _entry(event: Any, series: frozenset[str], zone: str) -> Occurrence | None:
    try:
        start, end = event.start, event.end
    except Exception:  # noqa: BLE001  # an event without times is passed over
        return None
    own = _own_zone(start, zone)
    first, last = _moment(start, own), _moment(end, own)
    uid = str(event.get("UID", ""))[:UID_MAX]
    if not uid or last <= first:
        return None
    repeated = event.get("RECURRENCE-ID")
    if uid in series and repeated is not None:
        uid = f"{uid}@{_moment(repeated.dt, own):%Y%m%dT%H%MZ}"
    name = " ".join(str(event.get("SUMMARY", "")).split())[:NAME_MAX] or "Without a title"
    text = str(event.get("DESCRIPTION", "")).strip()[:TEXT_MAX]
    return Occurrence(uid, name, text, first, last, own)


def _own_zone(start: date, zone: str) -> str:
    key = getattr(getattr(start, "tzinfo", None), "key", None)
    return _zone(key) if isinstance(key, str) else zone


def _zone(name: str) -> str:
    try:
        return zone_of(name).key
    except InvalidInput:
        return "UTC"


def _moment(value: date, zone: str) -> datetime:
    """Return an aware moment; a whole day begins at midnight in the calendar's zone."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(zone))
    return value.astimezone(UTC)
