"""Who could approve, deploy or change the rules: at the start, at the end, and each change between.

Read from memberships, which are never deleted: a role holds from its grant until its revocation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from governance.models import Membership, PolicyVersion
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
    for at, word, row in sorted(changes, key=lambda each: (each[0], each[2].pk)):
        by = row.granted_by if word == "granted" else row.revoked_by
        yield _line(word, at, row, zone, powers, by.full_name if by else "founding")
    for row in rows:
        if row.revoked_at is None or row.revoked_at >= span.until:
            yield _line("at the end", span.until, row, zone, powers)


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
        *("yes" if role in powers[name] else "no" for name in ("approve", "deploy", "policy")),
        by,
    )  # fmt: skip
