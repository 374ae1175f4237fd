"""Teams, people, memberships and Git addresses."""

from __future__ import annotations

import contextvars
import functools
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from core.context import current_actor
from core.db import advisory_lock, database_now, lock_rows
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotNow
from core.names import plain
from governance import approvals, audit, governed
from governance.models import GitIdentity, Membership, Team, User
from governance.models.people import validate_zone
from governance.permissions import acting_person, demand
from governance.selectors import people as selectors
from governance.selectors.teams import revoking
from governance.states import INSTALLATION_ROLES, PersonKind, Role

NAME_MAX = 80
AUDIT_LASTS, AUDIT_MOST = timedelta(days=90), timedelta(days=366)
RESERVED_SLUGS = frozenset({"new"})
"""Words that mean a page of their own in addresses of teams."""


@transaction.atomic
def create_team(*, name: str, slug: str = "") -> Team:
    """Create a team with its own developer track to come.

    Codes: ``team.name``, ``team.slug``, ``team.name_taken``.
    """
    demand("team.create")
    name = _team_name(name)
    slug = (slug or slugify(name))[:50].strip("-")
    if not slug or slugify(slug) != slug or slug in RESERVED_SLUGS:
        raise InvalidInput(
            "team.slug",
            "The short name in addresses takes lower-case letters, digits and hyphens, and is not "
            "“new”.",
            field="slug",
        )
    _check_team_name_free(name)
    if Team.objects.filter(slug=slug).exists():
        raise Conflict("team.slug_taken", f"Another team has the short name {slug} already.")
    team = Team.objects.create(name=name, slug=slug)
    audit.record("team.created", team, team=team)
    return team


@transaction.atomic
def rename_team(*, team_id: int, name: str) -> Team:
    """Give a team another name; its short name in addresses stays."""
    demand("team.edit")
    team = _team(team_id)
    name, old = _team_name(name), team.name
    if name == old:
        return team
    if name.lower() != old.lower():
        _check_team_name_free(name)
    team.name = name
    team.save(update_fields=["name"])
    audit.record("team.renamed", team, team=team, facts={"old": old})
    return team


@transaction.atomic
def retire_team(*, team_id: int) -> Team:
    """Retire a team: its members lose their rights in it, its history stays."""
    demand("team.edit")
    team = _team(team_id)
    if team.owns_production:
        raise NotNow("team.owns_production", "The team that owns production cannot be retired.")
    if team.retired_at is None:
        team.retired_at = database_now()
        team.save(update_fields=["retired_at"])
        audit.record("team.retired", team, team=team)
    return team


@transaction.atomic
def grant(*, user_id: int, team_id: int, role: str, ends_at: datetime | None = None) -> Membership:
    """Give a person a role in a team. Nobody gives one to themselves.

    An auditor's role ends by itself, after ``AUDIT_LASTS`` unless told otherwise; no other does.

    Codes: ``member.end``, ``member.role``, ``member.governed`` (the board gives it),
    ``member.place`` (the role exists only in the team that owns production), ``member.self``,
    ``member.already``, ``member.inactive``, ``member.not_a_person``, ``team.retired``.
    """
    chosen, team, user = _role(role), _team(team_id), _user(user_id)
    if chosen in INSTALLATION_ROLES and not team.owns_production:
        raise InvalidInput(
            "member.place",
            f"The role {chosen.title} exists only in the team that owns production.",
            field="role",
        )
    if chosen in governed.roles():
        raise NotAllowed(
            "member.governed",
            f"Nobody gives the role {chosen.title}: put {user.full_name} to the release board.",
        )
    demand(f"member.{chosen}", team)
    if user.kind != PersonKind.PERSON:
        raise NotAllowed("member.not_a_person", "A service account has tokens, not roles.")
    if current_actor().id == user.pk:
        raise NotAllowed(
            "member.self", "Nobody gives a role to themselves; ask somebody else who may."
        )
    if not user.is_active:
        raise NotNow("member.inactive", f"{user.full_name}'s account is not active.")
    if team.retired_at:
        raise NotNow("team.retired", f"{team.name} is retired and takes no new members.")
    now = database_now()
    ends_at = _end(chosen, ends_at, now)
    advisory_lock(f"membership:{user.pk}")
    _close_ended(user, team, chosen, now)
    if selectors.live_memberships().filter(user=user, team=team, role=chosen).exists():
        raise Conflict("member.already", f"{user.full_name} is {chosen.title} already.")
    membership = Membership.objects.create(
        user=user,
        team=team,
        role=chosen,
        granted_by=acting_person(),
        granted_at=now,
        ends_at=ends_at,
    )
    _record_membership("membership.granted", membership, **({"until": ends_at} if ends_at else {}))
    # Whoever joins a team that contributes is no longer counted on what it contributes.
    count_again(user)
    return membership


def _end(role: Role, ends_at: datetime | None, now: datetime) -> datetime | None:
    """When the role ends: an auditor's within a year, another one's never."""
    if role is not Role.AUDITOR:
        if ends_at is not None:
            raise InvalidInput(
                "member.end",
                "Only an auditor's role ends by itself; revoke the others.",
                field="ends_at",
            )
        return None
    if ends_at is None:
        return now + AUDIT_LASTS
    if not now < ends_at <= now + AUDIT_MOST:
        raise InvalidInput(
            "member.end",
            "An auditor's role ends in the future, within a year. Choose another day.",
            field="ends_at",
        )
    return ends_at


def _close_ended(user: User, team: Team, role: Role, now: datetime) -> None:
    """Write down that an earlier time of this role is over, so that a new one can begin."""
    rows = Membership.objects.filter(
        user=user, team=team, role=role, revoked_at=None, ends_at__lte=now
    )
    for row in lock_rows(rows):
        row.revoked_at, row.revoked_by = now, acting_person()
        row.save(update_fields=["revoked_at", "revoked_by"])
        _record_membership("membership.revoked", row)


@transaction.atomic
def revoke(*, membership_id: int) -> Membership:
    """Take a role away, at once. Approvals given with it stop to count.

    Codes: ``member.unknown``, ``member.already_revoked``, ``member.last_admin``.
    """
    membership = Membership.objects.select_related("user", "team").filter(pk=membership_id).first()
    if membership is None:
        raise NotFound("member.unknown", "There is no such membership.")
    demand(revoking(Role(membership.role)), membership.team)
    if membership.role == Role.ADMIN:
        _check_other_admin(membership.user)
    if not lock_rows(Membership.objects.filter(pk=membership.pk, revoked_at=None)):
        raise Conflict(
            "member.already_revoked",
            f"{membership.user.full_name} does not have this role any more.",
        )
    membership.revoked_at = database_now()
    membership.revoked_by = acting_person()
    membership.save(update_fields=["revoked_at", "revoked_by"])
    _record_membership("membership.revoked", membership)
    count_again(membership.user)
    return membership


@transaction.atomic
def deactivate(*, user_id: int, reason: str) -> User:
    """Close a person's account at once: no sign-in, no rights, no countable approval."""
    demand("person.deactivate")
    user = _user(user_id)
    if not reason.strip():
        raise InvalidInput("person.reason", "Say why the account is closed.", field="reason")
    if current_actor().id == user.pk:
        raise NotAllowed("person.self", "Nobody closes their own account; ask another admin.")
    _check_other_admin(user)
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        audit.record("person.deactivated", user, facts={"reason": reason.strip()[:300]})
        count_again(user)
    return user


@transaction.atomic
def reactivate(*, user_id: int) -> User:
    """Open a closed account again; the person has the roles that nobody revoked meanwhile.

    Codes: ``person.on_the_board`` – a board seat comes back through the board only.
    """
    demand("person.deactivate")
    user = _user(user_id)
    if not user.is_active:
        if user.memberships.filter(revoked_at=None, role__in=governed.roles()).exists():
            raise NotNow(
                "person.on_the_board",
                f"{user.full_name} still has a seat that the board gave. Revoke it first; the "
                "board may give it again.",
            )
        user.is_active = True
        user.save(update_fields=["is_active"])
        audit.record("person.reactivated", user)
    return user


@transaction.atomic
def edit_own_account(*, full_name: str, zone: str) -> User:
    """Change the acting person's own name and time zone."""
    user = acting_person()
    full_name = plain(full_name)
    if not full_name:
        raise InvalidInput("person.name", "Enter your name.", field="full_name")
    _check_zone(zone)
    changed = []
    if full_name != user.full_name:
        changed.append("the name")
    if zone != user.zone:
        changed.append("the time zone")
    if changed:
        user.full_name, user.zone = full_name, zone
        user.save(update_fields=["full_name", "zone"])
        audit.record("person.edited", user, facts={"changed": changed})
    return user


@transaction.atomic
def map_identity(*, email: str, user_id: int) -> GitIdentity:
    """Say whose a Git address is. The person is excluded from open requests about such commits.

    The exclusion is the database's (governance/sql/0006_holes.sql), and outlasts the match.

    Codes: ``identity.email``, ``identity.taken``, ``identity.not_a_person``,
    ``identity.other_account``.
    """
    demand("identity.map")
    email, user = email.strip().lower(), _user(user_id)
    if "@" not in email:
        raise InvalidInput(
            "identity.email", "Enter the address as it stands in commits.", field="email"
        )
    advisory_lock(f"identity:{email}")
    taken = GitIdentity.objects.filter(email=email, ended_at=None).select_related("user").first()
    if taken:
        raise Conflict(
            "identity.taken",
            f"{email} is matched with {taken.user.full_name} already; end that match first.",
        )
    if user.kind != PersonKind.PERSON:
        raise NotAllowed("identity.not_a_person", "Only people write commits; choose a person.")
    owner = User.objects.filter(email=email).exclude(pk=user.pk).first()
    if owner is not None:
        raise Conflict(
            "identity.other_account",
            f"{email} is the address with which {owner.full_name} signs in, so the commits are "
            "theirs.",
        )
    identity = GitIdentity.objects.create(email=email, user=user, mapped_by=acting_person())
    audit.record("identity.mapped", user, facts={"email": email})
    return identity


@transaction.atomic
def end_identity(*, identity_id: int) -> GitIdentity:
    """End a wrong match; the address counts as unknown again."""
    demand("identity.map")
    rows = lock_rows(GitIdentity.objects.filter(pk=identity_id, ended_at=None))
    if not rows:
        raise NotFound("identity.unknown", "There is no such match, or it was ended already.")
    identity = rows[0]
    identity.ended_at = database_now()
    identity.save(update_fields=["ended_at"])
    audit.record("identity.ended", identity.user, facts={"email": identity.email})
    return identity


def _record_membership(event: str, membership: Membership, **more: object) -> None:
    audit.record(
        event,
        membership.user,
        related=[membership.team],
        team=membership.team,
        facts={"role": membership.title, "team": membership.team.name, **more},
    )


def count_again(user: User) -> None:
    """Settle the person's requests after the commit, in a transaction of their own.

    Inside this one, memberships would be locked before requests while a decision locks them the
    other way round. Nothing depends on it: whoever acts on an approval counts live.
    """
    mine = contextvars.copy_context()
    settle = functools.partial(mine.run, approvals.settle_for, user)
    transaction.on_commit(settle, robust=True)


def _check_other_admin(user: User) -> None:
    advisory_lock("admins")
    admins = selectors.holders([Role.ADMIN])
    if user in admins and len(admins) == 1:
        raise NotNow(
            "member.last_admin",
            f"{user.full_name} is the only admin. Make somebody else admin first.",
        )


def _check_zone(zone: str) -> None:
    try:
        validate_zone(zone)
    except ValidationError as error:
        raise InvalidInput("person.zone", error.messages[0], field="zone") from error


def _check_team_name_free(name: str) -> None:
    advisory_lock("team-names")
    if Team.objects.filter(name__iexact=name).exists():
        raise Conflict("team.name_taken", f"There is a team called {name} already.")


def _team_name(name: str) -> str:
    name = plain(name)
    if not name or len(name) > NAME_MAX:
        raise InvalidInput(
            "team.name", f"A team's name has 1 to {NAME_MAX} characters.", field="name"
        )
    return name


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise InvalidInput("member.role", "Choose one of the roles.", field="role") from None


def _team(team_id: int) -> Team:
    team = Team.objects.filter(pk=team_id).first()
    if team is None:
        raise NotFound("team.unknown", "There is no such team.")
    return team


def _user(user_id: int) -> User:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("person.unknown", "There is no such person.")
    return user
