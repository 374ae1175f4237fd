"""Who had which access when: who could decide on a given day, and what changed in a period.

Read from the rows that never change (memberships with their times, delegations) and from the
history (accounts closed and opened again), so it is what was, not what is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from governance.models import AuditEvent, Delegation, Membership, PolicyVersion, User
from governance.rules.policy import parse
from governance.states import PersonKind, Role

CHANGES = (
    "installation.founded",
    "membership.granted",
    "membership.revoked",
    "seat.asked",
    "seat.approved",
    "seat.taken",
    "reset.asked",
    "reset.approved",
    "matter.reopened",
    "matter.refused",
    "matter.cancelled",
    "delegation.given",
    "delegation.ended",
    "person.invited",
    "person.joined",
    "person.deactivated",
    "person.reactivated",
    "person.password_changed",
    "person.second_factor_added",
    "person.second_factor_removed",
    "person.reset_sent",
    "person.reset",
    "service.created",
    "service.closed",
    "token.created",
    "token.revoked",
    "database.changed",
)
"""Events that change who may do what."""

FOUNDING = "the founding"
WATCHED = ("membership:", "delegation:", "matter:", "apitoken:", "user:")
"""Rows whose changes past the application concern access."""


@dataclass(frozen=True, slots=True)
class CouldDecide:
    """Somebody whose decision could count at a moment, and by what right."""

    person: User
    role: Role
    team: str
    since: datetime
    instead_of: str = ""
    until: datetime | None = None
    granted_by: str = ""


def who_could_decide(version: PolicyVersion, at: datetime) -> list[CouldDecide]:
    """List the people whose decision could have counted under a policy version at a moment.

    Whoever had a hand in a particular change is excluded on that request; that is told there.
    """
    rules = parse(version.body).approvals
    rows = _memberships({role for rule in rules for role in rule.roles}, at)
    counted = [
        row
        for row in rows
        if any(
            row.role in rule.roles
            and (row.team.slug == rule.team if rule.team else row.team.owns_production)
            for rule in rules
        )
    ]
    closed = _closed({row.user_id for row in rows}, at)
    own = [
        CouldDecide(
            row.user,
            Role(row.role),
            row.team.name,
            max(row.granted_at, _reset(row.user, at) or row.granted_at),
            granted_by=row.granted_by.full_name if row.granted_by else FOUNDING,
        )
        for row in counted
        if row.user_id not in closed
    ]
    lent = _lent([row for row in counted if row.user_id not in closed], at)
    return sorted([*own, *lent], key=lambda each: (each.person.full_name, each.role))


def access_changes(since: datetime, until: datetime) -> Iterable[AuditEvent]:
    """Yield what changed who may do what in a period, in order of time, with flat memory."""
    past = Q()
    for prefix in WATCHED:
        past |= Q(subject_ref__startswith=prefix)
    found = AuditEvent.objects.filter(event__in=CHANGES, at__gte=since, at__lt=until)
    found = found.filter(~Q(event="database.changed") | past)
    yield from found.order_by("at", "pk").iterator(chunk_size=2000)


def _memberships(roles: set[Role], at: datetime) -> list[Membership]:
    rows = Membership.objects.filter(
        Q(revoked_at=None) | Q(revoked_at__gt=at),
        role__in=roles,
        granted_at__lte=at,
        user__kind=PersonKind.PERSON,
    )
    rows = rows.filter(Q(team__retired_at=None) | Q(team__retired_at__gt=at))
    return list(rows.select_related("user", "team", "granted_by").order_by("pk"))


def _lent(rows: list[Membership], at: datetime) -> list[CouldDecide]:
    held = {(row.user_id, row.role): row for row in rows if row.team.owns_production}
    running = Delegation.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=at),
        starts_at__lte=at,
        ends_at__gt=at,
        created_at__lte=at,
        delegator_id__in={user_id for user_id, _ in held},
    ).select_related("delegator", "deputy")
    loans = [row for row in running if (row.delegator_id, row.role) in held]
    closed = _closed({row.deputy_id for row in loans}, at)
    return [
        CouldDecide(
            row.deputy,
            Role(row.role),
            held[row.delegator_id, row.role].team.name,
            max(row.created_at, held[row.delegator_id, row.role].granted_at),
            instead_of=row.delegator.full_name,
            until=min(row.ends_at, row.ended_at or row.ends_at),
        )
        for row in loans
        if row.deputy_id not in closed
    ]


def _reset(user: User, at: datetime) -> datetime | None:
    return user.reset_at if user.reset_at and user.reset_at <= at else None


def _closed(user_ids: set[int], at: datetime) -> set[int]:
    """Return whose account was closed at a moment: the last word of the history before it."""
    events = AuditEvent.objects.filter(
        event__in=("person.deactivated", "person.reactivated"),
        subject_ref__in=[f"user:{pk}" for pk in user_ids],
        at__lte=at,
    ).order_by("at", "pk")
    last = {event.subject_ref: event.event for event in events}
    return {
        int(ref.partition(":")[2]) for ref, event in last.items() if event.endswith("deactivated")
    }
