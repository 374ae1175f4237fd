"""What pages show of the calendar, read with a bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from environments.models import CalendarSource, Environment, Freeze, Maintenance, Track
from environments.states import FreezeKind, FreezeScope
from governance.models import Team, User
from governance.permissions import Standing, standing_of

NAMED = ("track__team", "environment__track__team", "team", "created_by", "lifted_by")


@dataclass(frozen=True, slots=True)
class Target:
    """What a freeze covers; exactly the row that the scope names is set."""

    scope: FreezeScope
    track: Track | None = None
    environment: Environment | None = None
    team: Team | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a freeze may cover, as a form offers it."""

    key: str
    words: str
    target: Target


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a calendar is filtered by; nothing means everything."""

    track: Track | None = None
    environment: Environment | None = None
    team: Team | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is filtered."""
        return self.track is None and self.environment is None and self.team is None


def choices(user: User) -> list[Choice]:
    """Return what this person may freeze, the widest first."""
    standing = standing_of(user)
    found: list[Choice] = []
    if standing.can("calendar.freeze"):
        found += [
            Choice("protected", "All protected environments", Target(FreezeScope.PROTECTED)),
            Choice("everything", "Everything", Target(FreezeScope.EVERYTHING)),
        ]
    tracks = Track.objects.select_related("team").order_by("-kind", "team__name")
    for track in tracks:
        if _may(standing, track):
            words = "Production’s track" if track.is_production else f"The track of {track}"
            found.append(Choice(f"track-{track.pk}", words, Target(FreezeScope.TRACK, track=track)))
    if standing.can("calendar.freeze"):
        orgs = Environment.objects.live().select_related("track__team").order_by("name")
        found += [
            Choice(
                f"environment-{org.pk}",
                f"Only {org.name}",
                Target(FreezeScope.ENVIRONMENT, environment=org),
            )
            for org in orgs
        ]
    for team in Team.objects.filter(retired_at=None).order_by("name"):
        if standing.can("calendar.freeze_team", team):
            words = f"Everything that {team.name} contributes"
            found.append(Choice(f"team-{team.pk}", words, Target(FreezeScope.TEAM, team=team)))
    return found


def _may(standing: Standing, track: Track) -> bool:
    if track.team is None:
        return bool(standing.can("calendar.freeze"))
    return bool(standing.can("calendar.freeze_team", track.team))


def find(freeze_id: int) -> Freeze | None:
    """Return one freeze with everything its page names."""
    return Freeze.objects.select_related(*NAMED, "maintenance").filter(pk=freeze_id).first()


def find_maintenance(maintenance_id: int) -> Maintenance | None:
    """Return one entry of an imported calendar."""
    return Maintenance.objects.select_related("source").filter(pk=maintenance_id).first()


def between(start: datetime, end: datetime, wanted: Wanted) -> list[Freeze]:
    """Return the freezes that may hold between two moments, lifted ones up to when they were."""
    lasting = Q(ends_at=None) | Q(ends_at__gt=start) | ~Q(every="")
    lifted = Q(lifted_at=None) | Q(lifted_at__gt=start)
    rows = Freeze.objects.filter(lasting, lifted, starts_at__lt=end).filter(covers(wanted))
    return list(rows.select_related(*NAMED).order_by("starts_at", "pk"))


def covers(wanted: Wanted) -> Q:
    """Return the condition on freezes that concern what a calendar is filtered by."""
    if wanted.is_all:
        return Q()
    found = Q(scope=FreezeScope.EVERYTHING)
    environment, track, team = wanted.environment, wanted.track, wanted.team
    if environment is not None:
        found |= Q(environment=environment) | Q(track_id=environment.track_id)
        if environment.protected:
            found |= Q(scope=FreezeScope.PROTECTED)
        if environment.track.team_id is not None:
            found |= Q(team_id=environment.track.team_id)
    if track is not None:
        found |= Q(track=track) | Q(environment__track=track)
        if track.is_production:
            found |= Q(scope=FreezeScope.PROTECTED)
        else:
            found |= Q(team_id=track.team_id)
    if team is not None:
        found |= Q(team=team) | Q(track__team=team) | Q(environment__track__team=team)
    return found


def frozen_by(environment: Environment) -> Freeze | None:
    """The first freeze that lies on this protected environment alone; retiring it is refused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT environments_frozen_by(%s)", [environment.pk])
        row = cursor.fetchone()
    return Freeze.objects.filter(pk=row[0]).first() if row else None


def standing_stop() -> Freeze | None:
    """Return the emergency stop that stands, if any."""
    return Freeze.objects.filter(kind=FreezeKind.STOP, lifted_at=None).first()


def maintenance_between(start: datetime, end: datetime) -> QuerySet[Maintenance]:
    """Return the entries of imported calendars that touch a stretch of time."""
    rows = Maintenance.objects.filter(
        starts_at__lt=end, ends_at__gt=start, gone_at=None, source__retired_at=None
    )
    return rows.select_related("source").order_by("starts_at", "pk")


def sources() -> list[CalendarSource]:
    """Return the imported calendars by name."""
    rows = CalendarSource.objects.filter(retired_at=None).defer("content")
    return list(rows.select_related("created_by").order_by("name", "pk"))


def frozen_keys(keys: Iterable[str]) -> set[str]:
    """Return which days of a calendar are frozen already."""
    rows = Freeze.objects.filter(source_key__in=list(keys), lifted_at=None)
    return set(rows.values_list("source_key", flat=True))
