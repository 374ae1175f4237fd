"""Service accounts at the door of the API: who brings a token, and what it may do.

A token is ``gh_<prefix>_<secret>``, sent as ``Authorization: Bearer …``. It acts as its service
account, within its scopes and teams, until it expires or is revoked. A token opens no page and
never decides: on a page it is refused, and the history tells it.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest

from core.context import Actor, acting_as
from core.db import database_now
from core.errors import NotAllowed, NotSignedIn
from governance import audit
from governance.models import ApiToken, Team, User

SCOPES: dict[str, str] = {
    "checks:report": "report results of checks",
    "history:read": "read the history",
}
"""What a token can be made for, in words."""

PREFIX_BYTES = 5
SECRET_BYTES = 32
USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A service account that proved itself with one of its tokens."""

    user: User
    token: ApiToken

    def acting(self) -> AbstractContextManager[Actor]:
        """Act as the service account; it holds no capability of a person."""
        return acting_as(Actor("service", self.user.pk, self.user.full_name))

    def demand_team(self, team: Team) -> None:
        """Pass when the token may act in this team. Codes: ``token.team``."""
        if self.token.team_ids and team.pk not in self.token.team_ids:
            raise NotAllowed("token.team", f"This token may do nothing in {team.name}.")


def authenticate(request: HttpRequest, scope: str) -> Bearer:
    """Return who sent the request, if that token may do this.

    Codes: ``token.missing``, ``token.invalid`` (401: wrong, expired, revoked or closed account),
    ``token.scope`` (403).
    """
    bearer = _bearer(request)
    if bearer is None:
        raise NotSignedIn(
            "token.invalid" if "Authorization" in request.headers else "token.missing",
            "Send a token of a service account that is valid: “Authorization: Bearer gh_…”.",
        )
    if scope not in bearer.token.scopes:
        raise NotAllowed("token.scope", f"This token is not made to {SCOPES.get(scope, scope)}.")
    return bearer


def refuse_on_pages(request: HttpRequest) -> None:
    """Refuse a page to whoever brings an Authorization header: pages are for people.

    Codes: ``token.page`` (403).
    """
    if "Authorization" not in request.headers:
        return
    bearer = _bearer(request)
    if bearer is not None:
        with transaction.atomic(), bearer.acting():
            facts = {"how": "with a token", "path": request.path[:200]}
            audit.record("security.decision_refused", bearer.user, facts=facts)
    raise NotAllowed(
        "token.page",
        "Tokens work under /api/ only. What a page does, a person does in their own session.",
    )


def new_token() -> tuple[str, str, str]:
    """Make a token; returns it whole, its prefix and its hash."""
    prefix = secrets.token_hex(PREFIX_BYTES)
    whole = f"gh_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return whole, prefix, hash_of(whole)


def hash_of(whole: str) -> str:
    """Hash a token; it has entropy enough for a plain hash."""
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def _bearer(request: HttpRequest) -> Bearer | None:
    kind, _, whole = request.headers.get("Authorization", "").partition(" ")
    parts = whole.strip().split("_", 2)
    if kind.lower() != "bearer" or len(parts) != 3 or parts[0] != "gh":
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=parts[1][:12]).first()
    if token is None or not secrets.compare_digest(token.hash, hash_of(whole.strip())):
        return None
    now = database_now()
    if token.revoked_at or token.expires_at <= now or not token.user.is_active:
        return None
    if token.last_used_at is None or token.last_used_at <= now - USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return Bearer(token.user, token)
