"""Who may do what: one table, denied by default.

A capability names what somebody wants to do. Its rule names the roles that may. Roles of a team
(developer, team lead) count in that team only; roles of the installation (release manager, board
member, admin, auditor) exist only in the team that owns production and count everywhere. Roles are
read from the database at the moment of asking. Nobody stands above the table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from core.composed import Composed, Given, Question
from core.context import current_actor
from core.decisions import Allowed, Answer, Denied
from core.errors import NotAllowed
from governance.events import enumeration
from governance.models import Membership, Team, User
from governance.selectors import delegations, people
from governance.states import INSTALLATION_ROLES, TEAM_ROLES, Role

Scope = Literal["team", "installation"]


@dataclass(frozen=True, slots=True)
class Rule:
    """The roles that hold a capability, and whether it is asked per team."""

    roles: Collection[str]
    scope: Scope

    def __post_init__(self) -> None:
        roles = {Role(role) for role in self.roles}
        if self.scope == "installation" and roles & TEAM_ROLES:
            raise ValueError("a team's role cannot hold a capability of the installation")


CAPABILITIES: dict[str, Rule] = {
    "team.create": Rule((Role.ADMIN,), "installation"),
    "team.edit": Rule((Role.ADMIN,), "installation"),
    "person.invite": Rule((Role.ADMIN,), "installation"),
    "person.deactivate": Rule((Role.ADMIN,), "installation"),
    "identity.map": Rule((Role.ADMIN,), "installation"),
    "member.developer": Rule((Role.TEAM_LEAD, Role.ADMIN), "team"),
    "member.team_lead": Rule((Role.ADMIN,), "installation"),
    "member.release_manager": Rule((Role.ADMIN,), "installation"),
    "member.auditor": Rule((Role.ADMIN,), "installation"),
    "member.admin": Rule((Role.ADMIN,), "installation"),
    # Nobody gives a seat of an approver: the board decides on it (governance.services.seats).
    "seat.ask": Rule((Role.BOARD_MEMBER, Role.RELEASE_MANAGER, Role.ADMIN), "installation"),
    # Stopping is cheaper than starting: an admin may take a board seat away.
    "seat.revoke": Rule((Role.BOARD_MEMBER, Role.ADMIN), "installation"),
    "matter.cancel": Rule((Role.BOARD_MEMBER,), "installation"),
    "person.reset": Rule((Role.BOARD_MEMBER, Role.ADMIN), "installation"),
    "service.manage": Rule((Role.ADMIN,), "installation"),
    "policy.propose": Rule((Role.RELEASE_MANAGER, Role.BOARD_MEMBER, Role.ADMIN), "installation"),
    "policy.confirm": Rule((Role.BOARD_MEMBER,), "installation"),
    "history.verify": Rule((Role.AUDITOR, Role.ADMIN, Role.BOARD_MEMBER), "installation"),
    # Addresses and browsers are personal details: for those who look into what happened.
    "history.details": Rule((Role.AUDITOR, Role.ADMIN), "installation"),
}
"""The table. Other apps add theirs in ``<app>/capabilities.py`` through ``register``."""


def register(rules: Mapping[str, Rule]) -> None:
    """Add an app's capabilities; naming one twice with another rule is refused."""
    for name, rule in rules.items():
        if CAPABILITIES.setdefault(name, rule) != rule:
            raise ValueError(f"capability {name} is registered twice with different rules")


_READ = "_standing_of_this_request"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person is at this moment: (team id, role) pairs of live memberships."""

    roles: frozenset[tuple[int, Role]]
    signed_in: bool = True

    @property
    def is_member(self) -> bool:
        """Tell whether the person belongs to any team."""
        return bool(self.roles)

    def can(self, capability: str, team: Team | None = None) -> Answer:
        """Ask the table; an unknown capability is denied."""
        rule = CAPABILITIES.get(capability)
        if rule is None:
            return Denied("permission.unknown", f"Nobody may do this: {capability} is not known.")
        if not self.signed_in:
            return Denied("permission.signed_out", "Sign in first.")
        for at, role in self.roles:
            if role not in rule.roles:
                continue
            if role in INSTALLATION_ROLES or (team is not None and at == team.pk):
                return Allowed()
        return Denied("permission.denied", _refusal(rule, team))


def standing_of(user: User | AnonymousUser | None) -> Standing:
    """Read a person's roles of now, also in somebody's place, in one query."""
    if user is None or not user.is_authenticated:
        return Standing(frozenset(), signed_in=False)
    return Standing(frozenset((team_id, Role(role)) for team_id, role in _ROLES(user=user.pk)))


def foreseen(person_id: int) -> Question:
    """What ``standing_of`` will ask about this person."""
    return _ROLES.asked(user=person_id)


def _roles() -> QuerySet[Membership, Any]:
    user = Given("user", "bigint")
    held = people.live_memberships().filter(user_id=user).values_list("team_id", "role")
    lent = delegations.running().filter(deputy_id=user)
    return held.union(lent.values_list("delegator__memberships__team_id", "role"))


_ROLES = Composed(_roles)


def standing_shown(user: User | AnonymousUser) -> Standing:
    """What a page shows by: the standing that the view's guard has just read, else that of now.

    Never for a decision: services read the roles of the moment.
    """
    read: Standing | None = getattr(user, _READ, None)
    return standing_of(user) if read is None else read


def keep_standing(user: User | AnonymousUser, standing: Standing) -> None:
    """Keep what the guard of a view read, for the pages of this request."""
    setattr(user, _READ, standing)


def can(user: User | AnonymousUser | None, capability: str, team: Team | None = None) -> Answer:
    """Say whether a person may do something now, with the reason when not."""
    return standing_of(user).can(capability, team)


def demand(capability: str, team: Team | None = None) -> None:
    """Raise NotAllowed unless the acting person may do this now.

    Workers and set-up commands hold no capabilities: they call services that demand none.
    """
    actor = current_actor()
    if actor.kind != "person" or actor.id is None:
        raise NotAllowed("permission.not_a_person", "Only a signed-in person may do this.")
    answer = can(User(pk=actor.id), capability, team)
    if isinstance(answer, Denied):
        raise NotAllowed(answer.code, answer.reason, capability=capability)


def acting_person() -> User:
    """Return the person who acts now; raises NotAllowed when a machine does."""
    actor = current_actor()
    if actor.kind != "person" or actor.id is None:
        raise NotAllowed("permission.not_a_person", "Only a signed-in person may do this.")
    return User.objects.get(pk=actor.id)


def _refusal(rule: Rule, team: Team | None) -> str:
    titles = [role.title for role in Role if role in rule.roles]
    place = f" of {team.name}" if team is not None and set(rule.roles) & TEAM_ROLES else ""
    return (
        f"This needs the role {enumeration(titles, 'or')}{place}, which you do not have. "
        "Ask an admin of the team that owns production."
    )
