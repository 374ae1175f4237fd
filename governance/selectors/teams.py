"""What the pages of teams and people show."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet

from governance.models import Membership, Team, User
from governance.permissions import standing_of
from governance.states import APPROVERS, Role


@dataclass(frozen=True, slots=True)
class Seat:
    """A membership on a page, and whether the viewer may take it away."""

    membership: Membership
    may_revoke: bool
    may_ask: bool
    """Whether the viewer may put this person up for a seat that the board gives."""


def listing() -> QuerySet[Team]:
    """Return all teams with their number of members; the owner of production first."""
    live = Q(memberships__revoked_at=None, memberships__user__is_active=True)
    return Team.objects.annotate(
        people=Count("memberships__user", filter=live, distinct=True)
    ).order_by("-owns_production", "retired_at", "name")


def seats(team: Team, viewer: User) -> list[Seat]:
    """Return the live memberships of a team by name, with what the viewer may do."""
    standing = standing_of(viewer)
    asks = bool(standing.can("seat.ask"))
    rows = (
        Membership.objects.filter(team=team, revoked_at=None)
        .select_related("user", "granted_by")
        .order_by("user__full_name", "user_id", "role")
    )
    return [
        Seat(
            row,
            bool(standing.can(revoking(Role(row.role)), team)),
            (asks or row.user_id == viewer.pk)
            and row.user.is_active
            and Role(row.role) not in APPROVERS,
        )
        for row in rows
    ]


def revoking(role: Role) -> str:
    """Name the capability that takes a role away."""
    return "seat.revoke" if role in APPROVERS else f"member.{role}"


def directory(words: str) -> QuerySet[User]:
    """Return people by name whose name or address contains all the words."""
    live = Membership.objects.filter(revoked_at=None).select_related("team").order_by("team__name")
    found = User.objects.prefetch_related(Prefetch("memberships", live, "live_memberships"))
    for word in words.split()[:5]:
        found = found.filter(Q(full_name__icontains=word) | Q(email__icontains=word))
    return found.order_by("-is_active", "full_name", "pk")


def other_accounts(person: User) -> list[User]:
    """Return the accounts that are said to be the same person's, the deciding one first."""
    first = person.same_as_id or person.pk
    rows = User.objects.filter(Q(pk=first) | Q(same_as_id=first)).exclude(pk=person.pk)
    return list(rows.order_by("same_as_id", "email"))


def namesakes(person: User) -> list[User]:
    """Return active people of the same name, who may be the same person."""
    rows = User.objects.filter(full_name__iexact=person.full_name, kind=person.kind)
    return list(rows.exclude(pk=person.pk).filter(same_as=None, is_active=True)[:5])
