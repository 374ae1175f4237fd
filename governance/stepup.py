"""Asking again who it is, before a decision.

A session remembers when its person last proved who they are, and how: with the password, or with a
code of the second factor. Whoever has a second factor proves it with a code, always. A form that
decides asks when the last proof is older than GATEHOUSE_STEP_UP_MINUTES.

Only people decide. A session of a service account and one in which somebody acts as somebody else
(Gatehouse has no such thing; the mark is refused should it ever appear) are refused here, and the
history tells it. Tokens do not come this far (``governance.tokens``).
"""

from __future__ import annotations

from typing import Literal, cast

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from core import clock
from core.context import Actor, acting_as
from core.errors import InvalidInput, NotAllowed
from governance import audit
from governance.models import User
from governance.services import secondfactor, signin
from governance.states import PersonKind

PROVED_AT = "stepped_up_at"
STRENGTH = "auth_strength"
IMPERSONATOR = "impersonated_by"
STRONG = frozenset({"totp", "recovery_code"})

Proof = Literal["", "password", "code"]


def fresh_seconds() -> int:
    """How long a proof lasts."""
    return int(settings.GATEHOUSE.step_up_minutes) * 60


def strength(request: HttpRequest) -> str:
    """Say how the person proved who they are in this session: password, totp or recovery_code."""
    return str(request.session.get(STRENGTH, "password"))


def proof_asked(request: HttpRequest) -> Proof:
    """Say what a form that decides must ask for now; nothing while the last proof is fresh."""
    enrolled = secondfactor.is_enrolled(_person(request))
    if _is_recent(request) and (not enrolled or strength(request) in STRONG):
        return ""
    return "code" if enrolled else "password"


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether nothing needs to be asked."""
    return not proof_asked(request)


def mark(request: HttpRequest, proved_with: str = "password") -> None:
    """Remember that the person has just proved who they are."""
    request.session[PROVED_AT] = int(clock.now().timestamp())
    request.session[STRENGTH] = proved_with


def demand(request: HttpRequest, proof: str) -> None:
    """Pass when the proof is fresh or right; wrong ones count as wrong sign-ins do.

    ``proof`` is the password, or a code where the person has a second factor.

    Codes: ``stepup.needed`` (field ``password``), ``stepup.not_a_person``, and those of
    ``signin.check_password`` and ``secondfactor.check_code``.
    """
    refuse_machines(request)
    asked = proof_asked(request)
    if not asked:
        return
    user, address = _person(request), signin.address_of(request)
    if not proof:
        what = "a code of your second factor" if asked == "code" else "your password"
        raise InvalidInput(
            "stepup.needed",
            f"Your last sign-in is a while ago. Enter {what} to decide.",
            field="password",
        )
    if asked == "code":
        mark(request, secondfactor.check_code(user, proof, address))
    else:
        signin.check_password(user, proof, address)
        mark(request)


def refuse_machines(request: HttpRequest) -> None:
    """Refuse a decision by anybody but a person in their own session, and say so in the history.

    Codes: ``stepup.not_a_person`` (403).
    """
    user = _person(request)
    if request.session.get(IMPERSONATOR):
        how = "in the name of somebody else"
    elif user.kind != PersonKind.PERSON:
        how = "as a service account"
    else:
        return
    with transaction.atomic(), acting_as(Actor("person", user.pk, user.full_name)):
        audit.record(
            "security.decision_refused", user, facts={"how": how, "path": request.path[:200]}
        )
    raise NotAllowed(
        "stepup.not_a_person",
        "Only people decide, each in their own session. Sign in as yourself and decide there.",
    )


def _is_recent(request: HttpRequest) -> bool:
    proved_at = request.session.get(PROVED_AT)
    if not isinstance(proved_at, int):
        return False
    age = int(clock.now().timestamp()) - proved_at
    return 0 <= age <= fresh_seconds()


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)
