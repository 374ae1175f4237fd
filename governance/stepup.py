"""Asking for the password again before a decision.

A session remembers when its person last proved who they are. A form that decides shows a password
field when that was too long ago.
"""

from __future__ import annotations

from django.http import HttpRequest

from core import clock
from core.errors import InvalidInput
from governance.services import signin

FRESH_SECONDS = 10 * 60
SESSION_KEY = "gatehouse_proved_at"
STRENGTH = "password"


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether the person proved who they are within the last ten minutes."""
    proved_at = request.session.get(SESSION_KEY)
    if not isinstance(proved_at, int):
        return False
    age = int(clock.now().timestamp()) - proved_at
    return 0 <= age <= FRESH_SECONDS


def mark(request: HttpRequest) -> None:
    """Remember that the person has just proved who they are."""
    request.session[SESSION_KEY] = int(clock.now().timestamp())


def demand(request: HttpRequest, password: str) -> None:
    """Pass when the proof is fresh or the password is right; wrong ones count as sign-ins do.

    Codes: ``stepup.needed`` (field ``password``), and those of ``signin.check_password``.
    """
    if is_fresh(request):
        return
    if not password:
        raise InvalidInput(
            "stepup.needed",
            "Your last sign-in is a while ago. Enter your password to decide.",
            field="password",
        )
    signin.check_password(request.user, password, signin.address_of(request))  # type: ignore[arg-type]
    mark(request)
