"""Who could approve, deploy or change the rules: at the start, at the end, and each change between.

Read from memberships, which are never deleted: a role holds from its grant until its revocation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from governance.models import AuditEvent, Delegation, Membership, PolicyVersion
from governance.permissions import CAPABILITIES
from governance.rules.policy import parse
from governance.states import Role
from releases.evidence.times import local, utc

ACCESS = (
    "when", "at (UTC)", "at (local)", "person", "person id", "role", "team", "may approve",
    "may deploy", "may change policy", "by",
)  # fmt: skip
POWERS = {
    "deploy": ("release.deploy",),
    "policy": ("policy.propose", "policy.confirm"),
}
ACCOUNTS = {
    "person.deactivated": "account closed",
    "person.reactivated": "account opened again",
}
Dated = tuple[datetime, int, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Span:
    """The time a pack speaks about."""

    since: datetime
    until: datetime


def approving_roles(span: Span) -> set[str]:
    """Roles that a policy version published before the end of the period counts."""
    bodies = PolicyVersion.objects.filter(published_at__lt=span.until).values_list(
        "body", flat=True
    )
    rules = (rule for body in bodies for rule in parse(body).approvals)
    return {str(role) for rule in rules for role in rule.roles}


def _holding(names: tuple[str, ...]) -> set[str]:
    rules = (CAPABILITIES[name] for name in names if name in CAPABILITIES)
    return {str(role) for rule in rules for role in rule.roles}


def access_rows(span: Span, zone: ZoneInfo) -> Iterator[tuple[object, ...]]:
    """Everybody with such a role at the start, the changes in order, everybody at the end."""
    powers = {name: _holding(names) for name, names in POWERS.items()}
    powers["approve"] = approving_roles(span)
    rows = list(
        Membership.objects.filter(role__in=set().union(*powers.values()), granted_at__lt=span.until)
        .filter(Q(revoked_at__isnull=True) | Q(revoked_at__gte=span.since))
        .select_related("user", "team", "granted_by", "revoked_by")
        .order_by("user__full_name", "pk")
    )
    for row in rows:
        if row.granted_at <= span.since:
            yield _line("at the start", span.since, row, zone, powers)
    changes = [(row.granted_at, "granted", row) for row in rows if row.granted_at > span.since]
    changes += [
        (row.revoked_at, "revoked", row)
        for row in rows
        if row.revoked_at is not None and row.revoked_at < span.until
    ]
    lines = [
        (at, row.pk, _line(word, at, row, zone, powers, _by(word, row)))
        for at, word, row in changes
    ]
    lines += _loans(span, zone, powers)
    lines += _accounts(span, zone, {row.user_id for row in rows})
    for _, _, line in sorted(lines, key=lambda each: each[:2]):
        yield line
    for row in rows:
        if (row.revoked_at is None or row.revoked_at >= span.until) and row.user.is_active:
            yield _line("at the end", span.until, row, zone, powers)


def _by(word: str, row: Membership) -> str:
    by = row.granted_by if word == "granted" else row.revoked_by
    return by.full_name if by else "founding"


def _loans(span: Span, zone: ZoneInfo, powers: dict[str, set[str]]) -> list[Dated]:
    """Who stood in for whom: the role lent is the delegator's, and so is its power."""
    rows = Delegation.objects.filter(starts_at__lt=span.until).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=span.since), ends_at__gte=span.since
    )
    found: list[Dated] = []
    for row in rows.select_related("delegator", "deputy").order_by("pk"):
        over = min(row.ends_at, row.ended_at or row.ends_at)
        name = row.delegator.full_name
        for word, at in ((f"stands in for {name}", row.starts_at), (f"ended for {name}", over)):
            if at < span.until:
                may = _powers(str(row.role), powers)
                who = (row.deputy.full_name, row.deputy_id, Role(row.role).title, "", *may, name)
                found.append((at, row.pk, (word, utc(at), local(at, zone), *who)))
    return found


def _accounts(span: Span, zone: ZoneInfo, people: set[int]) -> list[Dated]:
    """Accounts closed and opened again: a closed one has no right whatever its roles."""
    events = AuditEvent.objects.filter(
        event__in=ACCOUNTS, at__gte=span.since, at__lt=span.until
    ).order_by("pk")
    found: list[Dated] = []
    for event in events:
        body = json.loads(event.body)
        number, name = body["subject"]["id"], body["subject"]["label"]
        if number in people:
            line = (ACCOUNTS[str(event.event)], utc(event.at), local(event.at, zone), name, number)
            nothing = ("", "", "", "", "", body["actor"]["name"])
            found.append((event.at, event.pk, (*line, *nothing)))
    return found


def _powers(role: str, powers: dict[str, set[str]]) -> tuple[str, ...]:
    return tuple(
        "yes" if role in powers[name] else "no" for name in ("approve", "deploy", "policy")
    )


def _line(
    word: str,
    at: datetime,
    row: Membership,
    zone: ZoneInfo,
    powers: dict[str, set[str]],
    by: str = "",
) -> tuple[object, ...]:
    role = str(row.role)
    return (
        word, utc(at), local(at, zone), row.user.full_name, row.user_id, Role(role).title,
        row.team.name,
        *_powers(role, powers),
        by,
    )  # fmt: skip
