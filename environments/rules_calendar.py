"""When freezes hold, when windows are open, and how both are said. Pure Python.

A freeze holds during ``[from, to)``. One that comes back every week, month or year does so by the
clock on the wall of its own zone: Friday 18:00 stays Friday 18:00 when summer time begins. In
doubt it holds longer: where the clock shows its end twice, the second reading counts.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from governance.rules import windows
from governance.rules.windows import Span, Window, instant, zone_of

HoldKind = Literal["freeze", "stop", "window"]
LONGEST = timedelta(days=366)
NEAR = timedelta(days=2)
"""More than any clock on a wall differs from UTC: what lies further off need not be converted."""
MONTHS = {"month": 1, "year": 12}


class Every(StrEnum):
    """How a freeze comes back."""

    NEVER = ""
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


AVERAGE = {
    Every.WEEK: timedelta(days=7),
    Every.MONTH: timedelta(days=365.2425 / 12),
    Every.YEAR: timedelta(days=365.2425),
}
SLACK = {Every.WEEK: timedelta(hours=6), Every.MONTH: timedelta(12), Every.YEAR: timedelta(12)}
"""More than a repetition ever begins or ends beside its average, clocks that change included."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One thing of the calendar that keeps a deployment waiting, and until when."""

    code: str
    text: str
    until: datetime | None
    kind: HoldKind


@dataclass(frozen=True, slots=True)
class Plan:
    """When something holds: first from–to, and how it comes back.

    ``step`` counts weeks, months or years; a repetition begins on ``last_day`` at the latest. No
    end means until somebody lifts it.
    """

    start: datetime
    end: datetime | None
    zone: str
    every: Every = Every.NEVER
    step: int = 1
    last_day: date | None = None

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Yield the stretches that have a moment in ``[start, end)``, in order."""
        if self.end is None:
            yield Span(self.start, max(end, self.start))
            return
        if self.every is Every.NEVER:
            if self.start < end and start < self.end:
                yield Span(self.start, self.end)
            return
        begin, length = self._wall()
        long_before = start.astimezone(UTC).replace(tzinfo=None) - NEAR - length
        long_after = end.astimezone(UTC).replace(tzinfo=None) + NEAR
        for number in self._numbers(start, length):
            first = self._first(begin, number)
            if first > long_after or (self.last_day is not None and first.date() > self.last_day):
                return
            if first < long_before:
                continue
            span = Span(instant(first, self.zone), instant(first + length, self.zone, late=True))
            if span.start >= end:
                return
            if span.start < span.end and start < span.end:
                yield span

    def at(self, now: datetime) -> Span | None:
        """Return the stretch that ``now`` lies in; the one that lasts longest."""
        if self.end is None:
            return Span(self.start, datetime.max.replace(tzinfo=UTC)) if now >= self.start else None
        if self._is_far_from(now):
            return None
        held = [span for span in self.spans(now, now + timedelta(seconds=1)) if span.holds(now)]
        return max(held, key=lambda span: span.end) if held else None

    def _is_far_from(self, now: datetime) -> bool:
        """Say for most moments, without a calendar, that no repetition can hold then."""
        if self.every is Every.NEVER or self.end is None:
            return False
        period, slack = AVERAGE[self.every] * self.step, SLACK[self.every]
        return self.end - self.start + slack < (now - self.start) % period < period - slack

    def over(self, now: datetime) -> bool:
        """Say whether it will never hold again."""
        if self.end is None or self.start > now:
            return False
        if self.every is Every.NEVER:
            return self.end <= now
        far = now + timedelta(days=366 * 5 * max(self.step, 1))
        return next(self.spans(now, far), None) is None

    def _wall(self) -> tuple[datetime, timedelta]:
        """Return the first start as the clock on the wall shows it, and the length by that clock.

        The length is counted between the two readings, so that it survives a change of clocks.
        """
        tz = zone_of(self.zone)
        begin = self.start.astimezone(tz).replace(tzinfo=None, fold=0)
        assert self.end is not None  # noqa: S101  # asked by the callers
        return begin, self.end.astimezone(tz).replace(tzinfo=None, fold=0) - begin

    def _first(self, begin: datetime, number: int) -> datetime:
        if self.every is Every.WEEK:
            return begin + timedelta(weeks=number * self.step)
        return _months_on(begin, number * self.step * MONTHS[self.every])

    def _numbers(self, start: datetime, length: timedelta) -> Iterator[int]:
        """Yield the numbers of repetitions from a little before ``start``."""
        days = {Every.WEEK: 7.0, Every.MONTH: 28.0, Every.YEAR: 365.0}[self.every] * self.step
        longest = {Every.WEEK: 7.0, Every.MONTH: 31.0, Every.YEAR: 366.0}[self.every] * self.step
        passed = (start - self.start - length - timedelta(days=2)) / timedelta(days=longest)
        number = max(int(passed), 0)
        last = number + int((366 * 400) / days)
        while number < last:
            yield number
            number += 1


def _months_on(begin: datetime, months: int) -> datetime:
    """Return the same reading some months later; the last day of a shorter month stands in."""
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    if year > 9998:
        year = 9998
    return begin.replace(
        year=year, month=month + 1, day=min(begin.day, monthrange(year, month + 1)[1])
    )


# Windows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WindowState:
    """Whether a deployment may begin, until when, and when the next opening is.

    ``opening`` is the present opening while open, else the next; None for "any time" (open) and
    for "never again" (shut).
    """

    is_open: bool
    opening: Span | None
    hold: Hold | None


def window_state(allowed: Sequence[Window], now: datetime) -> WindowState:
    """Ask a policy's windows; an empty list means any time."""
    opening = windows.next_open(allowed, now)
    if not allowed or (opening is not None and opening.holds(now)):
        return WindowState(True, opening, None)
    if opening is None:
        text = "The policy has no deployment window within the next year; change its windows."
        return WindowState(False, None, Hold("calendar.no_window", text, None, "window"))
    zone = _zone_that_opens(allowed, opening)
    text = f"Outside the deployment windows; the next opens {said(opening.start, zone)}."
    return WindowState(
        False, opening, Hold("calendar.outside_window", text, opening.start, "window")
    )


def _zone_that_opens(allowed: Sequence[Window], opening: Span) -> str:
    for window in allowed:
        day = opening.start.astimezone(zone_of(window.zone)).date()
        span = window.on(day)
        if span is not None and span.start == opening.start:
            return window.zone
    return "UTC"


# Words -------------------------------------------------------------------------------------------


def freeze_hold(kind: str, name: str, until: datetime | None, zone: str) -> Hold:
    """Say what a freeze or an emergency stop does to a deployment."""
    if kind == "stop":
        text = f"Emergency stop “{name}”: nothing goes to protected environments until it is lifted"
        return Hold("calendar.stop", f"{text}.", until, "stop")
    if until is None:
        return Hold("calendar.freeze", f"Freeze “{name}” until it is lifted.", None, "freeze")
    return Hold("calendar.freeze", f"Freeze “{name}” until {said(until, zone)}.", until, "freeze")


def said(moment: datetime, zone: str) -> str:
    """Write a moment in a zone: ``Sat 2 Jan 2027 06:00 CET``."""
    local = moment.astimezone(zone_of(zone))
    return f"{local:%a} {local.day} {local:%b %Y %H:%M %Z}"


def recurrence_words(every: Every, step: int, last_day: date | None) -> str:
    """Say how a freeze comes back; empty when it does not."""
    if every is Every.NEVER:
        return ""
    words = f"every {every.value}" if step == 1 else f"every {step} {every.value}s"
    return f"{words} until {last_day.day} {last_day:%b %Y}" if last_day else words
