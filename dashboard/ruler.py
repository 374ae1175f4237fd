"""The two-week ruler above the next window: numbers only, so that the page needs no inline style.

Co-ordinates are in the units of the picture's view box. A window further away than two weeks
stretches the ruler, in whole weeks; then only Mondays get a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil

WIDTH = 352
SHORT_DAYS = 15
LONGEST_DAYS = 15 * 7
LABEL_ROOM = 44  # a day's name at 11 px, so that two names never touch
LETTER = 6.5  # width of a letter at 11 px
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
class Block:
    """A stretch on the ruler."""

    x: float
    width: float


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
    frozen: tuple[Block, ...] = ()


def measure(
    now: datetime,
    opens_at: datetime,
    closes_at: datetime | None,
    frozen: Iterable[tuple[datetime, datetime]] = (),
) -> Ruler | None:
    """Place now, the window and what is frozen on a ruler of days, in the zone of ``now``.

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
    named = Label(round(middle, 1), _day(opens_at.astimezone(zone)), _anchor(middle), True)
    if opens_at < start and closes_at:
        named = Label(round(begin, 1), f"until {_day(closes_at.astimezone(zone))}", "start", True)
    return Ruler(
        ticks=tuple(_ticks(start, days, scale)),
        labels=tuple(_labels(start, days, scale, named)),
        now_x=max(x(now), 1),
        now_anchor=_anchor(x(now)),
        block_x=round(begin, 1),
        block_width=round(width, 1),
        window_anchor=_anchor(middle),
        frozen=tuple(_frozen(frozen, x, start + timedelta(days=days))),
    )


def _frozen(
    spans: Iterable[tuple[datetime, datetime]], x: Callable[[datetime], float], last: datetime
) -> Iterator[Block]:
    for begins, ends in spans:
        if begins < last and x(begins) < x(ends):
            yield Block(x(begins), round(x(ends) - x(begins), 1))


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


def _labels(start: datetime, days: int, scale: float, window: Label) -> list[Label]:
    """Name the window's day first, then today and the Mondays that find room."""
    named = [window]
    for number in range(days):
        day = start + timedelta(days=number)
        if number and day.weekday() != 0:
            continue
        at = number * scale
        if at > WIDTH - LABEL_ROOM / 2:
            continue
        if all(_ends_before(label, at) or _begins_after(label, at) for label in named):
            named.append(Label(round(at, 1), _day(day), "start"))
    return sorted(named, key=lambda label: label.x)


def _room(label: Label) -> float:
    return max(LABEL_ROOM, len(label.text) * LETTER)


def _left(label: Label) -> float:
    shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
    return label.x - shift * _room(label)


def _ends_before(label: Label, at: float) -> bool:
    return _left(label) + _room(label) <= at


def _begins_after(label: Label, at: float) -> bool:
    return _left(label) >= at + LABEL_ROOM


def _anchor(x: float) -> str:
    if x < EDGE_ROOM:
        return "start"
    return "end" if x > WIDTH - EDGE_ROOM else "middle"


def _day(at: datetime) -> str:
    return f"{at:%a} {at.day}"
