"""The two-week ruler above the next window: numbers only, so that the page needs no inline style.

Co-ordinates are in the units of the picture's view box. A window further away than two weeks
stretches the ruler, in whole weeks; then only Mondays get a tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil

WIDTH = 352
SHORT_DAYS = 15
LONGEST_DAYS = 15 * 7
LABEL_ROOM = 44  # a day's name at 11 px, so that two names never touch
EDGE_ROOM = 14  # half a name: labels nearer to an end turn inwards


@dataclass(frozen=True)
class Tick:
    """A day on the ruler; ``high`` marks the first day of a week."""

    x: float
    high: bool


@dataclass(frozen=True)
class Label:
    """A day's name under the ruler."""

    x: float
    text: str
    anchor: str
    is_window: bool = False


@dataclass(frozen=True)
class Ruler:
    """Everything that the picture draws."""

    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    now_x: float
    now_anchor: str
    block_x: float
    block_width: float
    window_anchor: str


def measure(now: datetime, opens_at: datetime, closes_at: datetime | None) -> Ruler | None:
    """Place now and the window on a ruler of days, in the zone of ``now``.

    Returns None when the window lies in the past or further away than the ruler can say.
    """
    zone = now.tzinfo
    start = datetime.combine(now.date(), time(), zone)
    days = _days(start, closes_at or opens_at)
    if days is None or (closes_at or opens_at) < now:
        return None
    scale = WIDTH / days

    def x(at: datetime) -> float:
        return round(min(max((at - start) / timedelta(days=1), 0), days) * scale, 1)

    begin = x(opens_at)
    end = x(closes_at) if closes_at else begin
    width = max(end - begin, 6)
    begin = min(begin, WIDTH - width)
    middle = begin + width / 2
    return Ruler(
        ticks=tuple(_ticks(start, days, scale)),
        labels=tuple(_labels(start, days, scale, opens_at.astimezone(zone), middle)),
        now_x=max(x(now), 1),
        now_anchor=_anchor(x(now)),
        block_x=round(begin, 1),
        block_width=round(width, 1),
        window_anchor=_anchor(middle),
    )


def _days(start: datetime, until: datetime) -> int | None:
    wanted = ceil((until - start) / timedelta(days=1)) + 1
    if wanted <= SHORT_DAYS:
        return SHORT_DAYS
    weeks = ceil(wanted / 7) * 7
    return weeks if weeks <= LONGEST_DAYS else None


def _ticks(start: datetime, days: int, scale: float) -> list[Tick]:
    ticks = []
    for number in range(days):
        monday = (start + timedelta(days=number)).weekday() == 0
        if monday or days == SHORT_DAYS:
            ticks.append(Tick(round(number * scale + 0.5, 1), monday))
    return ticks


def _labels(
    start: datetime, days: int, scale: float, opens_at: datetime, middle: float
) -> list[Label]:
    """Name the window's day first, then today and the Mondays that find room."""
    named = [Label(round(middle, 1), _day(opens_at), _anchor(middle), is_window=True)]
    for number in range(days):
        day = start + timedelta(days=number)
        if number and day.weekday() != 0:
            continue
        at = number * scale
        if at > WIDTH - LABEL_ROOM / 2:
            continue
        if all(abs(_centre(label) - (at + LABEL_ROOM / 2)) >= LABEL_ROOM for label in named):
            named.append(Label(round(at, 1), _day(day), "start"))
    return sorted(named, key=lambda label: label.x)


def _centre(label: Label) -> float:
    shift = {"start": LABEL_ROOM / 2, "middle": 0, "end": -LABEL_ROOM / 2}
    return label.x + shift[label.anchor]


def _anchor(x: float) -> str:
    if x < EDGE_ROOM:
        return "start"
    return "end" if x > WIDTH - EDGE_ROOM else "middle"


def _day(at: datetime) -> str:
    return f"{at:%a} {at.day}"
