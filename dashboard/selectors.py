"""What the home page shows, gathered from the packages below with a bounded number of queries."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from core import clock
from dashboard import pipeline, ruler
from dashboard.picture import Picture
from dashboard.ruler import Ruler
from governance import inbox
from governance.inbox import Waiting
from governance.models import User
from releases.selectors import home
from releases.selectors.home import AttentionRow, NextWindow, RunningRow

POLL_WHILE_RUNNING = 3  # seconds
POLL_AT_REST = 15


@dataclass(frozen=True, slots=True)
class Home:
    """The four questions of the first screen, answered: waiting, running, window, environments."""

    waiting: list[Waiting]
    running: list[RunningRow]
    window: NextWindow | None
    ruler: Ruler | None
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
    return Home(
        waiting=inbox.waiting_for(user),
        running=home.running(user),
        window=window,
        ruler=_ruler(window),
        picture=pipeline.picture(user),
        attention=home.attention(user),
    )


def _ruler(window: NextWindow | None) -> Ruler | None:
    if window is None or window.opens_at is None:
        return None
    return ruler.measure(timezone.localtime(clock.now()), window.opens_at, window.closes_at)
