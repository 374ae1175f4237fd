"""One-time links with which people set their first password."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from core import clock
from core.context import Actor, acting_as
from core.db import lock_rows
from core.errors import Conflict, InvalidInput, NotFound
from core.names import plain
from governance import audit, notices
from governance.models import Invitation, Matter, User
from governance.permissions import acting_person, demand
from governance.rules.addresses import mailbox, written
from governance.states import InvitationPurpose, ResetWhat

LIFE = timedelta(days=7)
TOKEN_BYTES = 32


@transaction.atomic
def invite(*, email: str, full_name: str) -> User:
    """Make an account and e-mail its owner a one-time link.

    Codes: ``person.email``, ``person.name``, ``person.exists``.
    """
    demand("person.invite")
    user = create_person(email=email, full_name=full_name)
    audit.record("person.invited", user)
    _send_link(user)
    return user


@transaction.atomic
def invite_again(*, user_id: int) -> User:
    """E-mail a new link to somebody who has not joined yet; older links stop working."""
    demand("person.invite")
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound("person.unknown", "There is no such person.")
    if user.has_usable_password():
        raise Conflict("person.joined", f"{user.full_name} has joined already.")
    audit.record("person.invited", user)
    _send_link(user)
    return user


def create_person(*, email: str, full_name: str) -> User:
    """Make an account that nobody can sign in to yet."""
    email, full_name = written(email), plain(full_name)
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInput(
            "person.email", "Enter an e-mail address, such as ana@example.com.", field="email"
        ) from None
    if not full_name or len(full_name) > 150:
        raise InvalidInput("person.name", "Enter the person's name.", field="full_name")
    check_mailbox_free(email)
    return User.objects.create(email=email, full_name=full_name)


def check_mailbox_free(email: str, *, besides: User | None = None) -> None:
    """Refuse an address whose mailbox has an account: one human, one account, one approval.

    Codes: ``person.exists``.
    """
    box = mailbox(email)
    local, _, domain = box.rpartition("@")
    near = User.objects.filter(Q(email=box) | Q(email__startswith=f"{local}+"), kind="person")
    near = near.filter(email__endswith=f"@{domain}")
    owner = near.exclude(pk=besides.pk if besides else 0).first()
    if User.objects.filter(email=email).exists():
        raise Conflict("person.exists", f"Somebody has an account with {email} already.")
    if owner is not None:
        raise Conflict(
            "person.exists",
            f"{email} is the mailbox of {owner.full_name}, who has an account with {owner.email}.",
        )


def make_link(
    user: User, purpose: InvitationPurpose, created_by: User | None = None, **columns: Any
) -> str:
    """Make a one-time link and return its full address; it is stored nowhere.

    Unused links of the same person stop working.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    Invitation.objects.filter(user=user, used_at=None).update(used_at=clock.now())
    Invitation.objects.create(
        user=user,
        purpose=purpose,
        token_hash=_hash(token),
        created_by=created_by,
        expires_at=(columns.get("works_from") or clock.now()) + LIFE,
        **columns,
    )
    return notices.absolute(f"/found/{token}/")


def send_reset_link(
    user: User,
    what: ResetWhat,
    *,
    new_email: str = "",
    matter: Matter | None = None,
    works_from: datetime | None = None,
) -> None:
    """E-mail a link with which a person gets back into an account; a new address gets its own.

    Whoever calls has settled that it may be sent: by the board, an admin or the person's mailbox.
    """
    link = make_link(
        user,
        InvitationPurpose.RESET,
        what=what,
        new_email=new_email,
        matter=matter,
        works_from=works_from,
    )
    when = f"from {works_from:%-d %b %Y %H:%M} UTC on and " if works_from else ""
    text = (
        f"Hello {user.get_short_name()},\n\nthis link gives your account a {what.title}. It works "
        f"{when}for {LIFE.days} days, once:\n\n{link}\n\nIf you did not ask for it, do nothing "
        "and tell an admin.\n"
    )
    notices.send_to(new_email or user.email, f"Gatehouse: {what.title}", text)


def find(token: str) -> Invitation:
    """Return the live invitation of a link.

    Codes: ``invitation.unknown`` for a link that is wrong, used or expired.
    """
    found = (
        Invitation.objects.filter(
            token_hash=_hash(token),
            used_at=None,
            expires_at__gt=clock.now(),
            user__is_active=True,
        )
        .exclude(works_from__gt=clock.now())
        .select_related("user", "matter")
        .first()
    )
    if found is None:
        raise unknown()
    return found


def unknown() -> NotFound:
    """Refuse a link, without a word about which of the reasons it is."""
    return NotFound(
        "invitation.unknown",
        "This link is wrong, was used already, or has expired. Ask for a new one.",
    )


@transaction.atomic
def accept(*, token: str, password: str) -> User:
    """Set the first password with a one-time link, which is then used up.

    Codes: ``invitation.unknown``, ``person.password`` (too weak; field ``password``).
    """
    invitation = find(token)
    if invitation.purpose == InvitationPurpose.RESET:
        raise unknown()
    use(invitation)
    user = invitation.user
    set_password(user, password)
    with acting_as(Actor("person", user.pk, user.full_name)):
        audit.record("person.joined", user)
    return user


def use(invitation: Invitation) -> None:
    """Use a link up. Codes: ``invitation.unknown`` when somebody else just did."""
    # Two people with the same link: the second waits here and then finds it used.
    if not lock_rows(Invitation.objects.filter(pk=invitation.pk, used_at=None)):
        raise unknown()
    invitation.used_at = clock.now()
    invitation.save(update_fields=["used_at"])


@transaction.atomic
def change_password(*, password: str) -> User:
    """Change the acting person's own password. The view has checked the old one."""
    user = acting_person()
    set_password(user, password, field="new_password")
    audit.record("person.password_changed", user)
    return user


def set_password(user: User, password: str, *, field: str = "password") -> None:
    """Store a password after checking its strength."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput("person.password", " ".join(error.messages), field=field) from error
    user.set_password(password)
    user.save(update_fields=[])  # no column of the person, only the new password


def _send_link(user: User) -> None:
    sender = acting_person()
    link = make_link(user, InvitationPurpose.JOINING, sender)
    notices.send(
        [user],
        "Your account for Gatehouse",
        f"Hello {user.get_short_name()},\n\n"
        f"{sender.full_name} made an account for you. Open this link within "
        f"{LIFE.days} days to choose a password; it works once:\n\n{link}\n",
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
