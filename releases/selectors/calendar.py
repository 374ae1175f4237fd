"""What releases put into the calendar: planned starts, and what went out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from environments.models import Environment
from governance.models import Team
from governance.rules import windows
from governance.rules.windows import Span, Window
from releases.models import Deployment, Release, ReleaseItem
from releases.selectors import policies, words
from releases.selectors.home import PLANNED
from releases.states import Purpose, ReleaseState

SHOWN = 500


@dataclass(frozen=True, slots=True)
class Train:
    """A release at its place in the calendar; ``done`` when it went out then."""

    ref: str
    title: str
    url: str
    start: datetime
    end: datetime | None
    word: str
    state: str
    done: bool


def trains(start: datetime, end: datetime, team: Team | None) -> list[Train]:
    """Return releases whose planned window, or whose deployment, lies between two moments."""
    planned = Release.objects.filter(
        state__in=(*PLANNED, ReleaseState.DEPLOYING), not_before__lt=end
    ).filter(Q(not_after__gte=start) | Q(not_after=None, not_before__gte=start))
    went = Deployment.objects.filter(
        purpose=Purpose.RELEASE, started_at__gte=start, started_at__lt=end, release__isnull=False
    ).select_related("release")
    if team is not None:
        items = ReleaseItem.objects.filter(candidate__team=team, removed_at=None)
        planned = planned.filter(pk__in=items.values("release_id"))
        went = went.filter(release_id__in=items.values("release_id"))
    found = [_planned(row) for row in planned.order_by("not_before", "pk")[:SHOWN]]
    found += [_went(row) for row in went.order_by("started_at")[:SHOWN]]
    return sorted(found, key=lambda train: (train.start, train.ref))


def _planned(row: Release) -> Train:
    word = words.release(row)
    assert row.not_before is not None  # noqa: S101  # asked by the query
    return Train(
        row.public_id,
        row.title,
        row.get_absolute_url(),
        row.not_before,
        row.not_after,
        word.text,
        word.state,
        done=False,
    )


def _went(row: Deployment) -> Train:
    assert row.release is not None and row.started_at is not None  # noqa: S101, PT018
    word = words.deployment(row)
    return Train(
        row.release.public_id,
        row.release.title,
        row.get_absolute_url(),
        row.started_at,
        row.finished_at,
        word.text,
        word.state,
        done=True,
    )


def windows_of(environment: Environment) -> tuple[Window, ...]:
    """Return the windows of the policy in force; nothing means any time, or no policy."""
    version = policies.in_force(environment)
    return windows.parse(version.body.get("windows", ())) if version else ()


def openings(
    orgs: Iterable[Environment], start: datetime, end: datetime
) -> list[tuple[Environment, Span]]:
    """Return when the policies of orgs let something begin between two moments."""
    found = []
    for environment in orgs:
        allowed = windows_of(environment)
        found += [(environment, span) for span in windows.spans(allowed, start, end)]
    return sorted(found, key=lambda pair: pair[1].start)
