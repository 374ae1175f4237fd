"""The population: every attempt to change a protected environment, whatever became of it.

Nothing is left out by outcome: failed, unknown, cancelled, held, set aside and emergency attempts
are rows like the others. An attempt belongs to the moment it started, or was planned when it never
started. Protected is what ``Environment.protected`` says: the production track, and every org that
is no sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from environments.models import Environment
from environments.states import TrackKind
from releases.models import Deployment, EvidencePack, Release, Step
from releases.states import Effect


@dataclass(frozen=True, slots=True)
class Selection:
    """What a pack or a sample is drawn from; None does not narrow."""

    release: Release | None = None
    environment: Environment | None = None
    since: datetime | None = None
    until: datetime | None = None
    writes_only: bool = False


def selection_of(pack: EvidencePack) -> Selection:
    """What an evidence pack is about."""
    return Selection(pack.release, pack.environment, pack.since, pack.until)


def protected() -> QuerySet[Environment]:
    """Every environment whose writes need an approval, retired ones included."""
    return Environment.objects.filter(
        Q(track__kind=TrackKind.PRODUCTION.value) | Q(is_sandbox=False)
    ).order_by("pk")


def executions(selection: Selection) -> QuerySet[Deployment]:
    """The attempts of a selection in the order in which they were planned."""
    rows = Deployment.objects.filter(environment__in=protected()).annotate(
        moment=Coalesce("started_at", "created_at", output_field=DateTimeField())
    )
    if selection.release is not None:
        rows = rows.filter(release=selection.release)
    if selection.environment is not None:
        rows = rows.filter(environment=selection.environment)
    if selection.since is not None:
        rows = rows.filter(moment__gte=selection.since)
    if selection.until is not None:
        rows = rows.filter(moment__lt=selection.until)
    if selection.writes_only:
        writes = Step.objects.filter(deployment=OuterRef("pk"), effect=Effect.WRITE.value)
        rows = rows.filter(Exists(writes))
    return rows.order_by("pk")


def elsewhere(selection: Selection) -> list[Deployment]:
    """Attempts planned in the period that began outside of it, and so belong to another one."""
    if selection.release is not None or selection.since is None or selection.until is None:
        return []
    rows = Deployment.objects.filter(
        environment__in=environments_of(selection).values("pk"),
        created_at__gte=selection.since,
        created_at__lt=selection.until,
        started_at__gte=selection.until,
    )
    return list(rows.select_related("environment").order_by("pk"))


def environments_of(selection: Selection) -> QuerySet[Environment]:
    """The protected environments that a selection covers."""
    rows = protected().select_related("track")
    return rows if selection.environment is None else rows.filter(pk=selection.environment.pk)
