"""Who is who: members, holders of roles, and the people behind Git addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from django.db.models import Q, QuerySet

from core.composed import Composed, Given, Question
from governance.models import GitIdentity, Membership, Team, User
from governance.rules.policy import ApprovalRule
from governance.rules.quorum import Person
from governance.selectors.delegations import Now
from governance.states import PersonKind, Role

ROLES = {str(role): role for role in Role}


def live_memberships() -> QuerySet[Membership]:
    """Return memberships that give rights now.

    Those are not revoked, not over (an auditor's ends by itself), of an active person and of a
    team that is not retired.
    """
    rows = Membership.objects.filter(revoked_at=None, user__is_active=True, team__retired_at=None)
    return rows.filter(Q(ends_at=None) | Q(ends_at__gt=Now()))


def members(team: Team | None, *roles: Role) -> list[User]:
    """Return the active people of a team by name, of the given roles when there are any."""
    if team is None:
        return []
    rows = live_memberships().filter(team=team)
    if roles:
        rows = rows.filter(role__in=roles)
    return list(User.objects.filter(pk__in=rows.values("user_id")).order_by("full_name", "pk"))


def holders(roles: Iterable[Role]) -> list[User]:
    """Return the active human beings who hold one of the installation's roles now, by name."""
    rows = live_memberships().filter(role__in=list(roles), team__owns_production=True)
    people = User.objects.filter(pk__in=rows.values("user_id"), kind=PersonKind.PERSON)
    return list(people.order_by("full_name", "pk"))


class Seat(NamedTuple):
    """A membership as far as counting is concerned."""

    user_id: int
    role: str
    team: str
    owns_production: bool
    granted_at: datetime
    name: str
    kind: str
    reset_at: datetime | None
    same_as_id: int | None

    @property
    def account(self) -> Read:
        """Whose membership it is; of somebody who is not active none is live."""
        return Read(self.user_id, self.name, True, self.kind, self.reset_at, self.same_as_id)


SEAT = (
    "user_id",
    "role",
    "team__slug",
    "team__owns_production",
    "granted_at",
    "user__full_name",
    "user__kind",
    "user__reset_at",
    "user__same_as_id",
)
"""The columns of ``Seat``."""


def seats_for_counting(rules: Iterable[ApprovalRule]) -> list[Seat]:
    """Read the memberships that may count under any of these rules, the newest first."""
    return [Seat._make(row) for row in foreseen(rules).answer()]


def foreseen(rules: Iterable[ApprovalRule]) -> Question:
    """What ``seats_for_counting`` will ask."""
    wanted = list(rules)
    teams = {rule.team for rule in wanted if rule.team}
    roles = {str(role) for rule in wanted for role in rule.roles}
    return _SEATS.asked(teams=list(teams), roles=list(roles))


_SEATS = Composed(
    lambda: (
        live_memberships()
        .filter(
            Q(team__owns_production=True) | Q(team__slug__in=Given("teams", "text[]")),
            role__in=Given("roles", "text[]"),
        )
        .order_by("-granted_at")
        .values_list(*SEAT)
    )
)
_USERS = Composed(lambda: User.objects.filter(pk__in=Given("keys", "bigint[]")))
_ACCOUNTS = Composed(
    lambda: User.objects.filter(pk__in=Given("keys", "bigint[]")).values_list(*Read._fields)
)


class Account(Protocol):
    """A person as far as counting is concerned: a ``User``, or what of one was read."""

    @property
    def full_name(self) -> str: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def kind(self) -> str: ...
    @property
    def reset_at(self) -> datetime | None: ...
    @property
    def same_as_id(self) -> int | None: ...


class Read(NamedTuple):
    """What is read of people who are counted and not shown."""

    pk: int
    full_name: str
    is_active: bool
    kind: str
    reset_at: datetime | None
    same_as_id: int | None


def accounts_by_id(
    known: Mapping[int, User], wanted: Iterable[int], seats: Iterable[Seat]
) -> dict[int, Account]:
    """Return these people besides the known ones, for counting.

    Asks only when one of them neither is known nor has one of the seats.
    """
    found: dict[int, Account] = {**{seat.user_id: seat.account for seat in seats}, **known}
    unread = set(wanted) - found.keys()
    read = map(Read._make, _ACCOUNTS(keys=list(unread))) if unread else ()
    return {**found, **{each.pk: each for each in read}}


def users_by_id(known: Mapping[int, User], wanted: Iterable[int]) -> dict[int, User]:
    """Return these people besides the known ones; in one query when somebody is unknown."""
    unread = set(wanted) - known.keys()
    read = _USERS(keys=list(unread)) if unread else ()
    return {**known, **{user.pk: user for user in read}}


def everybody_for_counting(rules: Iterable[ApprovalRule]) -> list[Person]:
    """Read everybody who holds a role that counts under these rules, in two queries."""
    wanted = list(rules)
    seats = seats_for_counting(wanted)
    return list(people_for_counting(wanted, seats, users_by_id({}, _holders(seats))).values())


def people_for_counting(
    rules: Iterable[ApprovalRule],
    seats: Iterable[Seat],
    users: Mapping[int, Account],
    also: Iterable[int] = (),
) -> dict[int, Person]:
    """Return everybody who matters for a count under these rules.

    Those are the holders of the roles that count and the people named in ``also`` (voters).
    ``seats`` are what ``seats_for_counting`` read for these rules and others, ``users`` holds all.
    """
    wanted = list(rules)
    roles = {role for rule in wanted for role in rule.roles}
    teams = {rule.team for rule in wanted if rule.team}
    granted: dict[int, dict[Role, datetime]] = {number: {} for number in also}
    in_teams: dict[int, dict[tuple[Role, str], datetime]] = {}
    for seat in seats:
        if seat.role not in roles or not (seat.owns_production or seat.team in teams):
            continue
        # What an account holds counts from its last reset on.
        since = max(seat.granted_at, users[seat.user_id].reset_at or seat.granted_at)
        role = ROLES[seat.role]
        granted.setdefault(seat.user_id, {})[role] = since
        in_teams.setdefault(seat.user_id, {})[role, seat.team] = since
    return {
        pk: Person(
            id=pk,
            name=users[pk].full_name,
            active=users[pk].is_active,
            human=users[pk].kind == PersonKind.PERSON,
            roles=held,
            in_teams=in_teams.get(pk, {}),
            other_account=users[pk].same_as_id is not None,
        )
        for pk, held in granted.items()
    }


def _holders(seats: Iterable[Seat]) -> set[int]:
    return {seat.user_id for seat in seats}


@dataclass(frozen=True, slots=True)
class Identities:
    """The people behind Git addresses, and the addresses that nobody has matched yet."""

    mapped: dict[str, User]
    unmapped: dict[str, str]


def as_address(email: str) -> str:
    """Write an address of a commit as it is stored."""
    return email.strip().lower()


def resolve_identities(authors: Iterable[tuple[str, str]]) -> Identities:
    """Match (e-mail, name) pairs of commits with people, by mapped and by sign-in address.

    A service account writes no commits: its address stays unknown, and blocks.
    """
    names = {as_address(email): name for email, name in authors}
    persons = User.objects.filter(email__in=names, kind=PersonKind.PERSON)
    mapped = {user.email: user for user in persons}
    rows = GitIdentity.objects.filter(email__in=names, ended_at=None).select_related("user")
    mapped |= {row.email: row.user for row in rows if row.user.kind == PersonKind.PERSON}
    return Identities(mapped, {email: name for email, name in names.items() if email not in mapped})
