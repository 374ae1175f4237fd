"""Freezes and emergency stops: what holds now, making one, letting it last longer, lifting it.

Stopping is cheap and lifting is not (I-32): one authorised person freezes at once; lifting or
shortening what covers a protected environment is asked of the release board under its policy.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from environments.models import Environment, Freeze
from environments.rules_calendar import Hold, freeze_hold
from environments.states import FreezeScope

LOCK = "calendar"
"""Name of the advisory lock: writing a freeze takes it alone, recording an intent shares it."""


def holding(
    environment: Environment, *, team_ids: Collection[int], now: datetime
) -> tuple[Hold, ...]:
    """Return what holds deployments to an environment now, in one query: stops first.

    ``team_ids`` are the teams whose work the deployment carries; the team of the environment's own
    track counts too. Maintenance of imported calendars holds nothing.
    """
    holds = []
    for freeze in _in_scope(environment, team_ids, now):
        span = freeze.plan.at(now)
        if span is not None:
            until = None if freeze.ends_at is None else span.end
            holds.append(freeze_hold(freeze.kind, freeze.name, until, freeze.zone))
    return tuple(sorted(holds, key=_weight))


def _weight(hold: Hold) -> tuple[bool, bool, float]:
    until = hold.until.timestamp() if hold.until else 0.0
    return hold.kind != "stop", hold.until is not None, -until


def _in_scope(environment: Environment, team_ids: Collection[int], now: datetime) -> list[Freeze]:
    teams = {*team_ids, environment.track.team_id} - {None}
    covers = (
        Q(scope=FreezeScope.EVERYTHING)
        | Q(track_id=environment.track_id)
        | Q(environment_id=environment.pk)
        | Q(team_id__in=teams)
    )
    if environment.protected:
        covers |= Q(scope=FreezeScope.PROTECTED)
    lasting = Q(ends_at=None) | Q(ends_at__gt=now) | ~Q(every="")
    rows = Freeze.objects.filter(covers, lasting, lifted_at=None, starts_at__lte=now)
    return list(rows.order_by("pk"))
