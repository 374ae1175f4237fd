"""Who stands in for whom, as far as counting and rights are concerned.

A deputy has the role of one holder from one moment until another, and nothing more: he passes
nothing on, because only a membership can be lent. A loan counts on requests opened after it was
written, never while the holder asked, is excluded, or has decided in person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import DateTimeField, F, Func, QuerySet

from core.composed import Composed, Given, Question
from core.decisions import Denied
from governance.models import Delegation, User
from governance.rules.quorum import Person
from governance.states import PersonKind, Role

LENDABLE = (
    Role.BOARD_MEMBER,
    Role.SECURITY_APPROVER,
    Role.EMERGENCY_APPROVER,
    Role.RELEASE_MANAGER,
)
"""Roles that can be lent; also held to by the database."""


class Now(Func):
    """The database's clock."""

    function = "gatehouse_now"
    output_field = DateTimeField()


@dataclass(frozen=True, slots=True)
class Loan:
    """A role that somebody has at this moment in the place of its holder."""

    deputy_id: int
    holder_id: int
    holder_name: str
    role: Role
    team: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Lent:
    """What the loans come to in one count: people with their roles, and why some do not count."""

    people: dict[int, Person]
    seats: Mapping[int, str] = field(default_factory=dict)
    barred: Mapping[int, Denied] = field(default_factory=dict)


def running() -> QuerySet[Delegation]:
    """Return the delegations that hold now: in their time, both active, the holder still one."""
    return Delegation.objects.filter(
        ended_at=None,
        starts_at__lte=Now(),
        ends_at__gt=Now(),
        deputy__is_active=True,
        deputy__kind=PersonKind.PERSON,
        delegator__is_active=True,
        delegator__memberships__role=F("role"),
        delegator__memberships__revoked_at=None,
        delegator__memberships__team__owns_production=True,
    )


def loans(roles: Iterable[Role]) -> list[Loan]:
    """Read the loans of these roles, in one query."""
    return [
        Loan(deputy, holder, name, Role(role), slug, max(filter(None, moments)), until)
        for deputy, holder, name, role, slug, until, *moments in foreseen(roles).answer()
    ]


def foreseen(roles: Iterable[Role]) -> Question:
    """What ``loans`` will ask."""
    return _LOANS.asked(roles=[str(role) for role in roles])


_LOANS = Composed(
    lambda: (
        running()
        .filter(role__in=Given("roles", "text[]"))
        .order_by("pk")
        .values_list(
            "deputy_id",
            "delegator_id",
            "delegator__full_name",
            "role",
            "delegator__memberships__team__slug",
            "ends_at",
            "created_at",
            "delegator__memberships__granted_at",
            "delegator__reset_at",
            "deputy__reset_at",
        )
    )
)


def lend(
    people: Mapping[int, Person],
    open_loans: Iterable[Loan],
    *,
    barred: Collection[int],
    approved: Collection[int],
    voted: Collection[int],
) -> Lent:
    """Give deputies the roles that count on one request.

    ``barred`` asked or are excluded; ``approved`` and ``voted`` hold who has a standing approval,
    or decision of any kind.
    """
    found = dict(people)
    seats: dict[int, str] = {}
    refused: dict[int, Denied] = {}
    for loan in open_loans:
        own = people[loan.deputy_id].roles.get(loan.role)
        if loan.deputy_id in approved and own is None:
            refused.setdefault(loan.holder_id, _deputy_decided(people[loan.deputy_id]))
        if loan.holder_id in barred:
            refused.setdefault(loan.deputy_id, _holder_barred(loan))
        elif loan.holder_id in voted:
            refused.setdefault(loan.deputy_id, _holder_decided(loan))
        elif own is None or loan.since < own:
            person = found[loan.deputy_id]
            since = min(loan.since, person.roles.get(loan.role, loan.since))
            found[loan.deputy_id] = person._replace(
                roles={**person.roles, loan.role: since},
                in_teams={**person.in_teams, (loan.role, loan.team): since},
            )
            seats[loan.deputy_id] = f"for {loan.holder_name} until {loan.until:%-d %b %Y %H:%M} UTC"
    return Lent(found, seats, {pk: why for pk, why in refused.items() if pk not in seats})


def _deputy_decided(deputy: Person) -> Denied:
    return Denied(
        "approval.deputy_decided",
        f"{deputy.name} approved in your place; that approval must be taken back before yours. "
        "You may still reject.",
    )


def _holder_barred(loan: Loan) -> Denied:
    return Denied(
        "approval.delegator_excluded",
        f"You stand in for {loan.holder_name}, who may not decide on this either.",
    )


def _holder_decided(loan: Loan) -> Denied:
    return Denied(
        "approval.seat_used",
        f"{loan.holder_name}, for whom you stand in, has decided in person; a seat has one vote.",
    )


def of_person(user: User) -> QuerySet[Delegation]:
    """Return what a person gave and holds that is not over, soonest first."""
    rows = Delegation.objects.filter(ended_at=None, ends_at__gt=Now())
    mine = rows.filter(delegator=user) | rows.filter(deputy=user)
    return mine.select_related("delegator", "deputy").order_by("starts_at", "pk")
