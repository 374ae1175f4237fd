"""Who could approve, deploy or change the rules: at the start, at the end, and each change between.

Read from memberships, which are never deleted: a role holds from its grant until its revocation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from governance.models import AuditEvent, Delegation, Membership, PolicyVersion, Team
from governance.permissions import CAPABILITIES
from governance.rules.policy import parse
from governance.states import Role
from releases.evidence.times import local, utc

ACCESS = (
    "when", "at (UTC)", "at (local)", "person", "person id", "role", "team",
    "may approve under", "may deploy", "may change policy", "by", "role held since (UTC)", "event",
)  # fmt: skip
GRANTS = {"membership.granted": "granted", "membership.revoked": "revoked"}
POWERS = {
    "deploy": ("release.deploy",),
    "policy": ("policy.propose", "policy.confirm"),
}
ACCOUNTS = {
    "person.deactivated": "account closed",
    "person.reactivated": "account opened again",
}
NEAR = timedelta(minutes=1)
"""A role and its event are written in one transaction; their clocks differ by less."""
Dated = tuple[datetime, int, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Span:
    """The time a pack speaks about."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """A policy version and the rules of its that count people, from when to when it held."""

    name: str
    since: datetime
    until: datetime | None
    rules: tuple[Any, ...]

    def counts(self, role: str, team: Team, at: datetime) -> bool:
        """Tell whether a role in a team could have given an approval under it at a moment."""
        if at < self.since or (self.until is not None and at >= self.until):
            return False
        return any(
            role in {str(each) for each in rule.roles}
            and (team.slug == rule.team if rule.team else team.owns_production)
            for rule in self.rules
        )


@dataclass(slots=True)
class Rights:
    """What roles could do at moments of the period, and the events that gave and took them."""

    span: Span
    versions: list[Counted] = field(default_factory=list)
    powers: dict[str, set[str]] = field(default_factory=dict)
    events: dict[tuple[str, int, str, str], list[AuditEvent]] = field(default_factory=dict)
    """By what was done, to whom, with which role and in which team: names of teams may change."""

    @classmethod
    def read(cls, span: Span) -> Rights:
        """Read policies and events up to the end of the period."""
        found = cls(span, _versions(span))
        found.powers = {name: _holding(names) for name, names in POWERS.items()}
        for event in AuditEvent.objects.filter(event__in=GRANTS, at__lt=span.until).order_by("pk"):
            body = json.loads(event.body)
            told = (GRANTS[str(event.event)], body["subject"]["id"])
            for ref in event.related:
                key = (*told, body["facts"].get("role", ""), ref)
                found.events.setdefault(key, []).append(event)
        return found

    @property
    def roles(self) -> set[str]:
        """Every role that could approve, deploy or change the rules."""
        approving = {
            str(role) for row in self.versions for rule in row.rules for role in rule.roles
        }
        return approving.union(*self.powers.values())

    def may(self, role: str, team: Team | None, at: datetime) -> tuple[str, ...]:
        """The three columns about power: policies by name, and yes or no twice."""
        named = [row.name for row in self.versions if team and row.counts(role, team, at)]
        others = ("yes" if role in self.powers[name] else "no" for name in ("deploy", "policy"))
        return ("; ".join(named) or "no", *others)

    def event(self, word: str, row: Membership) -> tuple[str, str]:
        """The line of history that says that a role was given or taken, and the team's name in it.

        Without such a line nothing, and the team's name of today.
        """
        at = row.granted_at if word == "granted" else row.revoked_at
        if at is None:
            return "", row.team.name
        key = (word, row.user_id, Role(row.role).title, row.team.audit_ref)
        near = min(self.events.get(key, []), key=lambda each: abs(each.at - at), default=None)
        if near is None or abs(near.at - at) >= NEAR:
            return "", row.team.name
        return near.public_id, json.loads(near.body)["facts"].get("team", row.team.name)


def _versions(span: Span) -> list[Counted]:
    rows = PolicyVersion.objects.filter(published_at__lt=span.until).select_related("policy")
    found: list[Counted] = []
    ends: dict[int, datetime] = {}
    for row in rows.order_by("policy_id", "-number"):
        name = f"{row.policy.public_id} {row.policy.name} v{row.number}"
        rules = tuple(parse(row.body).approvals)
        found.append(Counted(name, row.published_at, ends.get(row.policy_id), rules))
        ends[row.policy_id] = row.published_at
    return list(reversed(found))


def _holding(names: tuple[str, ...]) -> set[str]:
    rules = (CAPABILITIES[name] for name in names if name in CAPABILITIES)
    return {str(role) for rule in rules for role in rule.roles}


def access_rows(rights: Rights, zone: ZoneInfo) -> Iterator[tuple[object, ...]]:
    """Everybody with such a role at the start, the changes in order, everybody at the end."""
    span = rights.span
    rows = list(
        Membership.objects.filter(role__in=rights.roles, granted_at__lt=span.until)
        .filter(Q(revoked_at__isnull=True) | Q(revoked_at__gte=span.since))
        .select_related("user", "team", "granted_by", "revoked_by")
        .order_by("user__full_name", "pk")
    )
    for row in rows:
        if row.granted_at <= span.since:
            yield _line("at the start", span.since, row, zone, rights)
    changes = [(row.granted_at, "granted", row) for row in rows if row.granted_at > span.since]
    changes += [
        (row.revoked_at, "revoked", row)
        for row in rows
        if row.revoked_at is not None and row.revoked_at < span.until
    ]
    lines = [(at, row.pk, _line(word, at, row, zone, rights)) for at, word, row in changes]
    lines += _loans(rights, zone)
    lines += _accounts(span, zone, {row.user_id for row in rows})
    for _, _, line in sorted(lines, key=lambda each: each[:2]):
        yield line
    for row in rows:
        if (row.revoked_at is None or row.revoked_at >= span.until) and row.user.is_active:
            yield _line("at the end", span.until, row, zone, rights)


def _by(word: str, row: Membership) -> str:
    by = row.revoked_by if word == "revoked" else row.granted_by
    return by.full_name if by else "founding"


def _loans(rights: Rights, zone: ZoneInfo) -> list[Dated]:
    """Who stood in for whom: the role lent is the delegator's, and so is its power."""
    span = rights.span
    owner = Team.objects.filter(owns_production=True, retired_at=None).first()
    rows = Delegation.objects.filter(starts_at__lt=span.until).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=span.since), ends_at__gte=span.since
    )
    found: list[Dated] = []
    for row in rows.select_related("delegator", "deputy").order_by("pk"):
        over = min(row.ends_at, row.ended_at or row.ends_at)
        name = row.delegator.full_name
        for word, at in ((f"stands in for {name}", row.starts_at), (f"ended for {name}", over)):
            if at < span.until:
                may = rights.may(str(row.role), owner, at)
                who = (row.deputy.full_name, row.deputy_id, Role(row.role).title, "", *may, name)
                found.append((at, row.pk, (word, utc(at), local(at, zone), *who, "", "")))
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
            nothing = ("", "", "", "", "", body["actor"]["name"], "", event.public_id)
            found.append((event.at, event.pk, (*line, *nothing)))
    return found


def _line(
    word: str, at: datetime, row: Membership, zone: ZoneInfo, rights: Rights
) -> tuple[object, ...]:
    role = str(row.role)
    told = "revoked" if word == "revoked" else "granted"
    event, team = rights.event(told, row)
    return (
        word, utc(at), local(at, zone), row.user.full_name, row.user_id, Role(role).title,
        team, *rights.may(role, row.team, at), _by(told, row), utc(row.granted_at), event,
    )  # fmt: skip
