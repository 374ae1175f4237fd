"""Service accounts and their tokens: made, revoked and closed by an admin."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils.text import slugify

from core.db import database_now, lock_rows
from core.errors import Conflict, InvalidInput, NotFound
from core.names import plain
from governance import audit, tokens
from governance.models import ApiToken, Team, User
from governance.permissions import acting_person, demand
from governance.states import PersonKind

DOMAIN = "service.invalid"
DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is shown once."""

    row: ApiToken
    whole: str


@transaction.atomic
def create(*, full_name: str) -> User:
    """Make an account that no person signs in to and that never decides.

    Codes: ``service.name``, ``service.exists``.
    """
    demand("service.manage")
    full_name = plain(full_name)
    name = slugify(full_name)[:60]
    if not name or len(full_name) > 150:
        raise InvalidInput(
            "service.name", "Say what it is, such as “Jenkins of Sales”.", field="full_name"
        )
    email = f"{name}@{DOMAIN}"
    if User.objects.filter(email=email).exists():
        raise Conflict("service.exists", f"There is a service account {full_name} already.")
    user = User.objects.create(email=email, full_name=full_name, kind=PersonKind.SERVICE)
    audit.record("service.created", user)
    return user


@transaction.atomic
def close(*, user_id: int) -> User:
    """Close a service account at once: none of its tokens works any more."""
    demand("service.manage")
    user = _account(user_id)
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        audit.record("service.closed", user)
    return user


@transaction.atomic
def create_token(
    *, user_id: int, label: str, scopes: Collection[str], team_ids: Collection[int], days: int
) -> NewToken:
    """Make a token; it is shown once and kept as a hash.

    Codes: ``service.unknown``, ``service.closed``, ``token.label``, ``token.scopes``,
    ``token.teams``, ``token.days``.
    """
    demand("service.manage")
    user = _account(user_id)
    if not user.is_active:
        raise Conflict("service.closed", f"{user.full_name} is closed and gets no tokens.")
    label, wanted = plain(label)[:80], sorted(set(scopes))
    if not label:
        raise InvalidInput("token.label", "Say where the token will be kept.", field="label")
    if not wanted or not set(wanted) <= set(tokens.SCOPES):
        raise InvalidInput("token.scopes", "Choose what the token may do.", field="scopes")
    teams = list(Team.objects.filter(pk__in=team_ids, retired_at=None).order_by("pk"))
    if len(teams) != len(set(team_ids)):
        raise InvalidInput("token.teams", "Choose among the teams of the list.", field="team_ids")
    if not 1 <= days <= DAYS_MAX:
        raise InvalidInput(
            "token.days", f"A token lasts 1 to {DAYS_MAX} days.", field="days", most=DAYS_MAX
        )
    whole, prefix, hashed = tokens.new_token()
    now = database_now()
    row = ApiToken.objects.create(
        user=user,
        label=label,
        prefix=prefix,
        hash=hashed,
        scopes=wanted,
        team_ids=[team.pk for team in teams],
        created_by=acting_person(),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    facts = {"label": str(row), "scopes": wanted, "expires": row.expires_at}
    audit.record("token.created", user, related=teams, facts=facts)
    return NewToken(row, whole)


@transaction.atomic
def revoke_token(*, user_id: int, token_id: int) -> ApiToken:
    """Revoke a token at once. Codes: ``token.unknown``."""
    demand("service.manage")
    user = _account(user_id)
    rows = lock_rows(ApiToken.objects.filter(pk=token_id, user=user, revoked_at=None))
    if not rows:
        raise NotFound("token.unknown", "There is no such token, or it was revoked already.")
    row = rows[0]
    row.revoked_at, row.revoked_by = database_now(), acting_person()
    row.save(update_fields=["revoked_at", "revoked_by"])
    audit.record("token.revoked", user, facts={"label": str(row)})
    return row


def _account(user_id: int) -> User:
    user = User.objects.filter(pk=user_id, kind=PersonKind.SERVICE).first()
    if user is None:
        raise NotFound("service.unknown", "There is no such service account.")
    return user
