"""Freezes and emergency stops: what holds now, making one, letting it last longer.

Stopping is cheap (I-32): one authorised person freezes or stops at once, and lets it last longer
at once. Lifting and shortening are in ``environments.services.lifting``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q

from core.composed import Composed, Given, Question
from core.db import advisory_lock, database_now, lock_rows
from core.errors import Conflict, InvalidInput, NotFound, NotNow
from core.names import plain
from environments import permissions
from environments.models import Environment, Freeze, Maintenance
from environments.rules_calendar import LONGEST, Every, Hold, Plan, freeze_hold
from environments.selectors_calendar import Target
from environments.states import FreezeKind, FreezeScope, FreezeSource
from governance import approvals, audit
from governance.permissions import acting_person, demand
from governance.rules.windows import instant, zone_of

LOCK = "calendar"
"""Name of the advisory lock: writing a freeze takes it alone, recording an intent shares it."""

LIFT_KIND = "freeze.lift"
NAME_MAX = 80
REASON_MAX = 1000
STOP_WORD = "stop"

Waker = Callable[[Freeze], None]
_wakers: list[Waker] = []


def register_waker(waker: Waker) -> Waker:
    """Let an app above wake the work that a freeze begins or ceases to hold.

    Called in the transaction that made, changed or lifted it.
    """
    if waker not in _wakers:
        _wakers.append(waker)
    return waker


def wake(freeze: Freeze) -> None:
    """Tell every app above that a freeze was made, changed or lifted."""
    for waker in _wakers:
        waker(freeze)


# What holds now ----------------------------------------------------------------------------------


class _Standing(NamedTuple):
    """A freeze as far as holding is concerned."""

    kind: str
    name: str
    zone: str
    start: datetime
    end: datetime | None
    every: str
    step: int
    last_day: date | None


_COLUMNS = ("kind", "name", "zone", "starts_at", "ends_at", "every", "step", "last_day")
"""The columns of ``_Standing``."""


def holding(
    environment: Environment, *, team_ids: Collection[int], now: datetime
) -> tuple[Hold, ...]:
    """Return what holds deployments to an environment now, in one query: stops first.

    ``team_ids`` are the teams whose work the deployment carries; the team of the environment's own
    track counts too. Maintenance of imported calendars holds nothing.
    """
    holds = []
    for found in map(_Standing._make, foreseen(environment, team_ids, now).answer()):
        plan = Plan(
            found.start, found.end, found.zone, Every(found.every), found.step, found.last_day
        )
        span = plan.at(now)
        if span is not None:
            until = None if found.end is None else span.end
            holds.append(freeze_hold(found.kind, found.name, until, found.zone))
    return tuple(sorted(holds, key=_weight))


def foreseen(environment: Environment, team_ids: Collection[int], now: datetime) -> Question:
    """What ``holding`` will ask."""
    teams = {*team_ids, environment.track.team_id} - {None}
    return _IN_SCOPE[environment.protected].asked(
        track=environment.track_id, environment=environment.pk, teams=list(teams), now=now
    )


def _weight(hold: Hold) -> tuple[bool, bool, float]:
    until = hold.until.timestamp() if hold.until else 0.0
    return hold.kind != "stop", hold.until is not None, -until


def _in_scope(protected: bool) -> Composed:
    covers = (
        Q(scope=FreezeScope.EVERYTHING)
        | Q(track_id=Given("track", "bigint"))
        | Q(environment_id=Given("environment", "bigint"))
        | Q(team_id__in=Given("teams", "bigint[]"))
    )
    if protected:
        covers |= Q(scope=FreezeScope.PROTECTED)
    now = Given("now", "timestamptz")
    lasting = Q(ends_at=None) | Q(ends_at__gt=now) | ~Q(every="")
    return Composed(
        lambda: (
            Freeze.objects.filter(covers, lasting, lifted_at=None, starts_at__lte=now)
            .order_by("pk")
            .values_list(*_COLUMNS)
        )
    )


_IN_SCOPE = {protected: _in_scope(protected) for protected in (True, False)}


# Making one --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """What people type about a freeze. Times are readings of a clock in ``zone``."""

    name: str
    reason: str
    target: Target
    zone: str
    starts: datetime
    ends: datetime
    every: str = ""
    step: int = 1
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Which calendar a freeze was chosen from."""

    source: FreezeSource = FreezeSource.PERSON
    key: str = ""
    maintenance: Maintenance | None = None


@transaction.atomic
def freeze(*, words: Words, origin: Origin | None = None) -> Freeze:
    """Freeze at once; what is queued or running meets it before its next write.

    Codes: ``freeze.name``, ``freeze.reason``, ``freeze.times``, ``freeze.recurrence``,
    ``freeze.over``, ``calendar.zone`` and ``freeze.taken`` (that day of a calendar is frozen).
    """
    permissions.demand_freeze(words.target.scope, words.target.track, words.target.team)
    typed = origin or Origin()
    plan = _plan(words)
    advisory_lock(LOCK)
    now = database_now()
    if plan.over(now):
        raise InvalidInput(
            "freeze.over", "It would be over already; choose later times.", field="ends"
        )
    if typed.key and Freeze.objects.filter(source_key=typed.key, lifted_at=None).exists():
        raise Conflict("freeze.taken", f"{words.name} is frozen already.")
    made = Freeze.objects.create(
        kind=FreezeKind.FREEZE,
        scope=words.target.scope,
        track=words.target.track,
        environment=words.target.environment,
        team=words.target.team,
        name=_name(words.name),
        reason=_reason(words.reason),
        zone=words.zone,
        starts_at=plan.start,
        ends_at=plan.end,
        every=plan.every.value,
        step=plan.step,
        last_day=plan.last_day,
        source=typed.source,
        source_key=typed.key,
        maintenance=typed.maintenance,
        created_by=acting_person(),
    )
    record(
        "freeze.created",
        made,
        target=made.target,
        start=made.starts_at,
        end=made.ends_at,
        recurrence=made.recurrence,
        reason=made.reason,
        zone=made.zone,
    )
    wake(made)
    return made


def _plan(words: Words) -> Plan:
    """Read the times; the end of a freeze is the later one of two readings."""
    zone_of(words.zone)
    start, end = instant(words.starts, words.zone), instant(words.ends, words.zone, late=True)
    if words.ends <= words.starts or end <= start:
        raise InvalidInput("freeze.times", "A freeze ends after it begins.", field="ends")
    if end - start > LONGEST:
        raise InvalidInput(
            "freeze.times", "A freeze lasts a year at most; let it come back instead.", field="ends"
        )
    every = _every(words.every)
    if every is Every.NEVER:
        return Plan(start, end, words.zone)
    if not 1 <= words.step <= 52:
        raise InvalidInput(
            "freeze.recurrence", "It comes back every 1 to 52 weeks, months or years.", field="step"
        )
    days = {Every.WEEK: 7, Every.MONTH: 28, Every.YEAR: 365}[every] * words.step
    if end - start > timedelta(days=days):
        raise InvalidInput(
            "freeze.recurrence", "It would come back before it has ended.", field="every"
        )
    if words.last_day is not None and words.last_day < words.starts.date():
        raise InvalidInput(
            "freeze.recurrence", "The last day lies before the first.", field="last_day"
        )
    return Plan(start, end, words.zone, every, words.step, words.last_day)


def _every(text: str) -> Every:
    try:
        return Every(text)
    except ValueError:
        raise InvalidInput(
            "freeze.recurrence", "It comes back every week, month or year.", field="every"
        ) from None


def _name(text: str) -> str:
    name = plain(text)
    if not name or len(name) > NAME_MAX:
        raise InvalidInput("freeze.name", f"Name it in 1 to {NAME_MAX} characters.", field="name")
    return name


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason or len(reason) > REASON_MAX:
        raise InvalidInput(
            "freeze.reason",
            f"Say why, in at most {REASON_MAX} characters: everybody who is held reads it.",
            field="reason",
        )
    return reason


@transaction.atomic
def stop(*, reason: str, typed_word: str) -> Freeze:
    """Press the emergency stop: nothing goes to protected environments until it is lifted.

    Codes: ``stop.confirm`` (the word was not typed), ``freeze.reason``, ``stop.stands``.
    """
    demand("calendar.stop")
    if typed_word.strip().casefold() != STOP_WORD:
        raise InvalidInput(
            "stop.confirm", f"Type {STOP_WORD} to confirm the emergency stop.", field="typed_word"
        )
    why = _reason(reason)
    advisory_lock(LOCK)
    try:
        with transaction.atomic():
            made = Freeze.objects.create(
                kind=FreezeKind.STOP,
                scope=FreezeScope.PROTECTED,
                name=" ".join(why.split())[:NAME_MAX],
                reason=why,
                zone="UTC",
                starts_at=database_now(),
                created_by=acting_person(),
            )
    except IntegrityError:
        raise Conflict("stop.stands", "The emergency stop is pressed already.") from None
    record("freeze.stopped", made, reason=made.reason)
    wake(made)
    return made


@transaction.atomic
def extend(*, freeze_id: int, ends: datetime) -> Freeze:
    """Let a freeze last longer; ``ends`` is a reading of a clock in its zone.

    Codes: ``freeze.unknown``, ``freeze.closed``, ``freeze.times``, ``freeze.recurs``.
    """
    found = locked(freeze_id)
    permissions.demand_freeze(found.scope, found.track, found.team)
    if found.ends_at is None or found.every:
        raise NotNow(
            "freeze.recurs",
            "Only a freeze with one end can last longer; add another freeze beside this one.",
        )
    end = instant(ends, found.zone, late=True)
    if end <= found.ends_at:
        raise InvalidInput(
            "freeze.times",
            "Choose a later end. To end it earlier, ask to lift or to shorten it.",
            field="ends",
        )
    if end - found.starts_at > LONGEST:
        raise InvalidInput("freeze.times", "A freeze lasts a year at most.", field="ends")
    before, found.ends_at = found.ends_at, end
    found.save(update_fields=["ends_at"])
    record("freeze.extended", found, end=end, before=before)
    approvals.supersede(LIFT_KIND, found.pk, "the freeze was extended")
    wake(found)
    return found


def locked(freeze_id: int) -> Freeze:
    """Return a freeze that may still change, locked; the calendar's lock comes first."""
    advisory_lock(LOCK)
    rows = Freeze.objects.filter(pk=freeze_id).select_related("track__team", "environment", "team")
    found = lock_rows(rows)
    if not found:
        raise NotFound("freeze.unknown", "There is no such freeze.")
    if found[0].over(database_now()):
        raise NotNow("freeze.closed", f"{found[0].public_id} is over; nothing can be changed.")
    return found[0]


def record(event: str, freeze: Freeze, **facts: object) -> None:
    """Write an event of a freeze into its story and into that of what it covers."""
    related = [freeze.environment] if freeze.environment is not None else []
    team = freeze.team or (freeze.track.team if freeze.track is not None else None)
    audit.record(event, freeze, related=related, team=team, facts=facts)
