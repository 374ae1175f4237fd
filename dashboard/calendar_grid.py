"""Laying entries out on days and weeks: numbers only, so that the page needs no inline style.

A day is one of the reader's zone. What lasts less than a day stands on the day it begins, also
when it crosses midnight; what lasts longer covers every day that it touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
WEEK = 7


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the calendar; ``kind`` chooses its look."""

    kind: str
    title: str
    url: str
    start: datetime
    end: datetime | None
    note: str = ""
    icon: str = ""
    zone: tzinfo = UTC

    @property
    def first(self) -> date:
        """The day on which it begins, for the reader."""
        return self.start.astimezone(self.zone).date()

    @property
    def last(self) -> date:
        """The last day that it covers, for the reader."""
        if self.end is None or self.end - self.start < DAY:
            return self.first
        return max((self.end.astimezone(self.zone) - timedelta(microseconds=1)).date(), self.first)

    @property
    def is_long(self) -> bool:
        """Whether it covers more than one day."""
        return self.last > self.first

    @property
    def from_text(self) -> str:
        """The time of day at which it begins."""
        return f"{self.start.astimezone(self.zone):%H:%M}"

    @property
    def to_text(self) -> str:
        """The time of day at which it ends; empty without an end."""
        return f"{self.end.astimezone(self.zone):%H:%M}" if self.end else ""

    @property
    def span_text(self) -> str:
        """From–to in one reading: times of one day, or days and times."""
        if self.end is None:
            return f"{self.from_text}"
        if not self.is_long:
            return f"{self.from_text}–{self.to_text}"
        last = self.end.astimezone(self.zone)
        return f"{_short(self.first)} {self.from_text} – {_short(last.date())} {last:%H:%M}"


@dataclass(frozen=True, slots=True)
class Bar:
    """An entry's part in one week: column 1–7, length in days, and whether it goes on."""

    entry: Entry
    column: int
    length: int
    from_before: bool
    goes_on: bool
    when: str

    @property
    def classes(self) -> str:
        """The column and the length as the style sheet names them."""
        return f"d{self.column} n{self.length}"

    @property
    def looks(self) -> str:
        """Whether an end is cut by the week."""
        names = ["from-before"] * self.from_before + ["goes-on"] * self.goes_on
        return " ".join(["event", *names])


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a week."""

    day: date
    text: str
    is_off: bool
    is_today: bool
    is_frozen: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """One row of the month."""

    number: int
    days: tuple[Day, ...]
    bars: tuple[Bar, ...]


def weeks(
    first: date, last: date, entries: Sequence[Entry], today: date, month: int = 0
) -> tuple[Week, ...]:
    """Return the weeks from a Monday to a Sunday; days outside of ``month`` are marked."""
    found = []
    monday = first
    while monday <= last:
        found.append(_week(monday, entries, today, month))
        monday += timedelta(days=WEEK)
    return tuple(found)


def _week(monday: date, entries: Sequence[Entry], today: date, month: int) -> Week:
    sunday = monday + timedelta(days=WEEK - 1)
    here = [entry for entry in entries if entry.first <= sunday and entry.last >= monday]
    days = []
    for number in range(WEEK):
        day = monday + timedelta(days=number)
        days.append(
            Day(
                day=day,
                text=f"{day.day} {day:%b}" if day.day == 1 or number == 0 else f"{day.day}",
                is_off=bool(month) and day.month != month,
                is_today=day == today,
                is_frozen=any(
                    entry.kind == "freeze" and entry.first <= day <= entry.last for entry in here
                ),
                entries=tuple(entry for entry in here if entry.first <= day <= entry.last),
            )
        )
    ordered = sorted(here, key=lambda entry: (entry.first > monday, -_length(entry), entry.start))
    bars = tuple(_bar(entry, monday, sunday) for entry in ordered)
    return Week(monday.isocalendar().week, tuple(days), bars)


def _length(entry: Entry) -> int:
    return (entry.last - entry.first).days


def _bar(entry: Entry, monday: date, sunday: date) -> Bar:
    first, last = max(entry.first, monday), min(entry.last, sunday)
    when = _short(entry.first)
    if entry.is_long:
        when = f"{when} – {_short(entry.last)}"
    return Bar(
        entry=entry,
        column=(first - monday).days + 1,
        length=(last - first).days + 1,
        from_before=entry.first < monday,
        goes_on=entry.last > sunday,
        when=when,
    )


def _short(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


@dataclass(frozen=True, slots=True)
class AgendaDay:
    """The entries of one day of the agenda."""

    day: date
    is_today: bool
    entries: tuple[Entry, ...]


def agenda(first: date, last: date, entries: Iterable[Entry], today: date) -> list[AgendaDay]:
    """Group entries by the day on which they begin; what began before stands on the first day."""
    by_day: dict[date, list[Entry]] = {}
    for entry in entries:
        if entry.first <= last and entry.last >= first:
            by_day.setdefault(max(entry.first, first), []).append(entry)
    return [AgendaDay(day, day == today, tuple(by_day[day])) for day in sorted(by_day)]


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the moment at which a day begins for the reader."""
    return datetime.combine(day, time(), zone)
