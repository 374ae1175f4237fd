"""What the pages of one freeze and of one calendar entry show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from core.db import database_now
from core.decisions import Answer, Denied
from environments import permissions, selectors_calendar
from environments.models import Freeze, Maintenance
from environments.pages import StoryLine
from environments.rules_calendar import said
from environments.services import lifting
from governance import audit
from governance.events import mark_of
from governance.models import User
from governance.permissions import can

STORY = 30
NEXT = 5
HORIZON_DAYS = 800


@dataclass(frozen=True, slots=True)
class Clocks:
    """A moment on three clocks: the freeze's own, the reader's and UTC."""

    own: str
    yours: str
    utc: str


def clocks(moment: datetime | None, zone: str) -> Clocks | None:
    """Read a moment on three clocks."""
    if moment is None:
        return None
    yours = timezone.get_current_timezone_name()
    return Clocks(said(moment, zone), said(moment, yours), said(moment, "UTC"))


@dataclass(frozen=True, slots=True)
class FreezePage:
    """Everything that the page of a freeze shows."""

    freeze: Freeze
    state: str
    word: str
    starts: Clocks | None
    ends: Clocks | None
    repeats: tuple[str, ...]
    protects: bool
    question: lifting.Question | None
    may_change: Answer
    may_decide: Answer
    has_decided: bool
    moved: Maintenance | None
    story: tuple[StoryLine, ...]


def freeze(user: User, found: Freeze) -> FreezePage:
    """Return the page of one freeze."""
    now = database_now()
    over = found.over(now)
    question = None if over else lifting.question(found)
    state, word = _word(found, now, over)
    return FreezePage(
        freeze=found,
        state=state,
        word=word,
        starts=clocks(found.starts_at, found.zone),
        ends=clocks(found.ends_at, found.zone),
        repeats=_repeats(found, now),
        protects=lifting.covers_protected(found),
        question=question,
        may_change=_may_change(user, found, over),
        may_decide=_may_decide(user, question),
        has_decided=_has_decided(user, question),
        moved=_moved(found),
        story=tuple(
            StoryLine(event, *mark_of(event.event))
            for event in audit.events_for(found.public_id, limit=STORY)
        ),
    )


def _word(found: Freeze, now: datetime, over: bool) -> tuple[str, str]:
    if found.lifted_at is not None:
        return "none", _("Lifted")
    if over:
        return "none", _("Over")
    if found.plan.at(now) is not None:
        return "held", _("Holds now")
    return "waiting", _("Comes back") if found.starts_at <= now else _("To come")


def _repeats(found: Freeze, now: datetime) -> tuple[str, ...]:
    if not found.every:
        return ()
    zone, texts = found.zone, []
    for span in found.plan.spans(now, now.replace(year=now.year + 20)):
        texts.append(f"{said(span.start, zone)} – {said(span.end, zone)}")
        if len(texts) == NEXT:
            break
    return tuple(texts)


def _may_change(user: User, found: Freeze, over: bool) -> Answer:
    if over:
        return Denied("freeze.closed", _("It is over."))
    return permissions.may_freeze(user, found.scope, found.track, found.team)


def _may_decide(user: User, question: lifting.Question | None) -> Answer:
    if question is None:
        return Denied("approval.none", _("Nobody is asked."))
    allowed = can(user, "calendar.decide")
    return question.progress.may_decide(user) if allowed else allowed


def _has_decided(user: User, question: lifting.Question | None) -> bool:
    if question is None:
        return False
    ballots = [*question.progress.approvals, *question.progress.rejections]
    return any(ballot.person.pk == user.pk for ballot in ballots)


def _moved(found: Freeze) -> Maintenance | None:
    """The calendar entry that a freeze was made of, when it has moved or gone since."""
    entry = found.maintenance
    if entry is None:
        return None
    same = (entry.starts_at, entry.ends_at) == (found.starts_at, found.ends_at)
    return None if same and entry.gone_at is None else entry


@dataclass(frozen=True, slots=True)
class MaintenancePage:
    """Everything that the page of an imported entry shows."""

    entry: Maintenance
    starts: Clocks | None
    ends: Clocks | None
    freezes: tuple[Freeze, ...]
    may_freeze: bool


def maintenance(user: User, entry: Maintenance) -> MaintenancePage:
    """Return the page of one entry of an imported calendar."""
    return MaintenancePage(
        entry=entry,
        starts=clocks(entry.starts_at, entry.zone),
        ends=clocks(entry.ends_at, entry.zone),
        freezes=tuple(entry.freezes.order_by("pk")),
        may_freeze=bool(selectors_calendar.choices(user)),
    )
