"""What the home page shows, gathered from the packages below with a bounded number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from core import clock
from dashboard import pipeline, ruler
from dashboard.picture import Picture
from dashboard.ruler import Ruler
from environments import selectors, selectors_calendar
from environments.models import Environment, Freeze
from environments.selectors_calendar import Wanted
from governance import inbox
from governance.inbox import Waiting
from governance.models import User
from releases.selectors import home
from releases.selectors.home import AttentionRow, NextWindow, RunningRow

POLL_WHILE_RUNNING = 3  # seconds
POLL_AT_REST = 15


FREEZES_AHEAD = timedelta(days=60)
FREEZES_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Ahead:
    """A freeze of production, present or near; no end means until it is lifted."""

    freeze: Freeze
    start: datetime
    end: datetime | None
    holds_now: bool


@dataclass(frozen=True, slots=True)
class Home:
    """The four questions of the first screen, answered: waiting, running, window, environments."""

    waiting: list[Waiting]
    running: list[RunningRow]
    window: NextWindow | None
    ruler: Ruler | None
    freezes: list[Ahead]
    picture: Picture
    attention: list[AttentionRow]

    @property
    def poll_seconds(self) -> int:
        """How often the page asks again: often while something moves."""
        return POLL_WHILE_RUNNING if self.running else POLL_AT_REST

    @property
    def window_is_open(self) -> bool:
        """Whether production may change right now, as far as the calendar goes."""
        window, now = self.window, clock.now()
        if window is None or window.opens_at is None or window.opens_at > now:
            return False
        if any(ahead.holds_now for ahead in self.freezes):
            return False
        return window.closes_at is None or window.closes_at > now

    @property
    def ends_same_day(self) -> bool:
        """Whether the window closes on the day it opens, in the zone of the person."""
        if self.window is None or self.window.opens_at is None or self.window.closes_at is None:
            return False
        opens, closes = self.window.opens_at, self.window.closes_at
        return timezone.localtime(opens).date() == timezone.localtime(closes).date()


def load_home(user: User) -> Home:
    """Answer the first screen's questions for one person."""
    window = home.next_window(user)
    tracks = selectors.pipeline(user)
    freezes = _freezes(tracks.org, clock.now())
    return Home(
        waiting=inbox.waiting_for(user),
        running=home.running(user),
        window=window,
        ruler=_ruler(window, freezes),
        freezes=freezes[:FREEZES_SHOWN],
        picture=pipeline.picture(tracks),
        attention=home.attention(user),
    )


def _freezes(org: Environment | None, now: datetime) -> list[Ahead]:
    """What holds production now or within two months, the nearest first."""
    if org is None:
        return []
    found = []
    end = now + FREEZES_AHEAD
    for freeze in selectors_calendar.between(now, end, Wanted(environment=org)):
        span = next(freeze.plan.spans(now, end), None) if freeze.lifted_at is None else None
        if span is not None and freeze.team_id is None:
            until = span.end if freeze.ends_at else None
            found.append(Ahead(freeze, span.start, until, span.holds(now)))
    return sorted(found, key=lambda ahead: ahead.start)


def _ruler(window: NextWindow | None, freezes: list[Ahead]) -> Ruler | None:
    if window is None or window.opens_at is None:
        return None
    now = timezone.localtime(clock.now())
    frozen = [(ahead.start, ahead.end or now + FREEZES_AHEAD) for ahead in freezes]
    return ruler.measure(now, window.opens_at, window.closes_at, frozen)
