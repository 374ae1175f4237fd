"""The calendar: freezes, windows, maintenance and releases in one picture.

The address says everything: ``view`` (month, week, agenda), ``at`` (a day in it) and the filter
(``track``, ``team`` or ``environment``).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from core import clock, ids
from core.decisions import Answer
from dashboard.calendar_grid import AgendaDay, Entry, Week, agenda, midnight, weeks
from environments import selectors_calendar
from environments.models import Environment, Freeze, Track
from environments.selectors_calendar import Wanted
from environments.states import Stage
from governance.models import Team, User
from governance.permissions import standing_of
from releases.selectors import calendar as trains

VIEWS = ("month", "week", "agenda")
AGENDA_DAYS = 30


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter, as a link."""

    words: str
    url: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the calendar shows."""

    view: str
    title: str
    entries: tuple[Entry, ...]
    weeks: tuple[Week, ...]
    agenda: list[AgendaDay]
    views: tuple[Chip, ...]
    filters: tuple[Chip, ...]
    previous: str
    following: str
    today: str
    may_freeze: bool
    may_stop: Answer
    may_import: Answer
    stop: Freeze | None


def load(user: User, query: QueryDict) -> Page:
    """Read what the address asks for."""
    zone = timezone.get_current_timezone()
    today = clock.now().astimezone(zone).date()
    view = query.get("view", "month")
    view = view if view in VIEWS else "month"
    at = _day(query.get("at", "")) or today
    wanted, chosen = _wanted(query)
    first, last = _range(view, at)
    entries = tuple(_entries(wanted, first, last, zone))
    standing = standing_of(user)
    month = at.month if view == "month" else 0

    def link(**changed: str) -> str:
        kept = {"view": view, "at": at.isoformat(), **chosen, **changed}
        return "?" + urlencode({name: value for name, value in kept.items() if value})

    before, after = _neighbours(view, at)
    return Page(
        view=view,
        title=_title(view, at, first, last),
        entries=entries,
        weeks=weeks(first, last, entries, today, month) if view != "agenda" else (),
        agenda=agenda(first, last, entries, today) if view == "agenda" else [],
        views=tuple(Chip(_(name.title()), link(view=name), name == view) for name in VIEWS),
        filters=tuple(_filters(wanted, view, at)),
        previous=link(at=before.isoformat()),
        following=link(at=after.isoformat()),
        today=link(at=""),
        may_freeze=bool(selectors_calendar.choices(user)),
        may_stop=standing.can("calendar.stop"),
        may_import=standing.can("calendar.import"),
        stop=selectors_calendar.standing_stop(),
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text if len(text) != len("2026-10") else f"{text}-01")
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _range(view: str, at: date) -> tuple[date, date]:
    """Return the first and the last day shown."""
    if view == "agenda":
        return at, at + timedelta(days=AGENDA_DAYS - 1)
    if view == "week":
        monday = at - timedelta(days=at.weekday())
        return monday, monday + timedelta(days=6)
    first = at.replace(day=1)
    last = at.replace(day=monthrange(at.year, at.month)[1])
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def _neighbours(view: str, at: date) -> tuple[date, date]:
    if view == "month":
        first = at.replace(day=1)
        return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(
            day=1
        )
    step = timedelta(days=7 if view == "week" else AGENDA_DAYS)
    return at - step, at + step


def _title(view: str, at: date, first: date, last: date) -> str:
    if view == "month":
        return f"{at:%B %Y}"
    if view == "week":
        week = first.isocalendar().week
        return _("Week %(number)d, %(first)s – %(last)s") % {
            "number": week,
            "first": f"{first.day} {first:%b}",
            "last": f"{last.day} {last:%b %Y}",
        }
    return f"{first.day} {first:%b} – {last.day} {last:%b %Y}"


# Filters -----------------------------------------------------------------------------------------


def _wanted(query: QueryDict) -> tuple[Wanted, dict[str, str]]:
    """Read the filter; one that names nothing shows everything."""
    parsed = ids.parse_ref(query.get("environment", ""))
    if parsed is not None and parsed[0] == Environment.PREFIX:
        org = Environment.objects.select_related("track__team", "policy").filter(pk=parsed[1])
        found = org.first()
        if found is not None:
            return Wanted(environment=found), {"environment": found.public_id}
    slug = query.get("track", "")
    if slug:
        tracks = Track.objects.select_related("team")
        track = tracks.filter(
            **({"team": None} if slug == "production" else {"team__slug": slug})
        ).first()
        if track is not None:
            return Wanted(track=track), {"track": slug}
    team = Team.objects.filter(slug=query.get("team", "")).first()
    if team is not None:
        return Wanted(team=team), {"team": team.slug}
    return Wanted(), {}


def _filters(wanted: Wanted, view: str, at: date) -> Iterator[Chip]:
    def link(**chosen: str) -> str:
        return "?" + urlencode({"view": view, "at": at.isoformat(), **chosen})

    yield Chip(_("Everything"), link(), wanted.is_all)
    production = wanted.track is not None and wanted.track.is_production
    yield Chip(_("Production track"), link(track="production"), production)
    if wanted.track is not None and not production:
        yield Chip(str(wanted.track), link(), True)
    if wanted.environment is not None:
        yield Chip(wanted.environment.name, link(), True)
    for team in Team.objects.filter(retired_at=None).order_by("name"):
        yield Chip(team.name, link(team=team.slug), wanted.team == team)


# Entries -----------------------------------------------------------------------------------------


def _entries(wanted: Wanted, first: date, last: date, zone: tzinfo) -> Iterator[Entry]:
    start, end = midnight(first, zone), midnight(last + timedelta(days=1), zone)
    yield from _freezes(wanted, start, end, zone)
    for row in selectors_calendar.maintenance_between(start, end):
        yield Entry(
            "maintenance",
            row.name,
            row.get_absolute_url(),
            row.starts_at,
            row.ends_at,
            row.source.name,
            "warning",
            zone,
        )
    for org, span in trains.openings(_orgs(wanted), start, end):
        yield Entry(
            "window",
            _("%(name)s open") % {"name": org.name},
            org.get_absolute_url(),
            span.start,
            span.end,
            _("deployment window of the policy"),
            "",
            zone,
        )
    if wanted.environment is None or wanted.environment.stage == Stage.PRD:
        for train in trains.trains(start, end, wanted.team):
            yield Entry(
                "done" if train.done else "release",
                f"{train.ref} {train.title}",
                train.url,
                train.start,
                train.end,
                train.word,
                "release",
                zone,
            )


def _freezes(wanted: Wanted, start: datetime, end: datetime, zone: tzinfo) -> Iterator[Entry]:
    for freeze in selectors_calendar.between(start, end, wanted):
        lifted = freeze.lifted_at
        for span in freeze.plan.spans(start, end):
            if lifted is not None and lifted <= span.start:
                continue
            until = min(span.end, lifted) if lifted else span.end
            note = _("%(target)s; lifted") if lifted else "%(target)s"
            yield Entry(
                "freeze",
                freeze.name,
                freeze.get_absolute_url(),
                span.start,
                until,
                note % {"target": freeze.target},
                "freeze",
                zone,
            )


def _orgs(wanted: Wanted) -> list[Environment]:
    """The orgs whose windows are shown: the one asked for, or production."""
    if wanted.environment is not None:
        return [wanted.environment]
    if wanted.track is not None and not wanted.track.is_production:
        return []
    rows = Environment.objects.live().filter(stage=Stage.PRD)
    return list(rows.select_related("policy", "track__team"))
