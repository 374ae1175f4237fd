"""Getting back into an account: a new password, second factor or e-mail address, by a link.

For those whose approval counts it is a matter of the board, like a seat: whoever could reset an
approver's account could decide in that person's name. For everybody else the link goes out at once.
Either way what the account holds counts from the reset on, on requests opened afterwards.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from core.context import Actor, acting_as
from core.db import advisory_lock, database_now
from core.errors import Conflict, DomainError, InvalidInput, NotNow
from governance import audit, governed, notices
from governance.models import GitIdentity, Invitation, Matter, User
from governance.permissions import acting_person, demand
from governance.rules.addresses import written
from governance.services import invitations, matters, secondfactor, signin
from governance.states import InvitationPurpose, MatterKind, PersonKind, ResetWhat

FORGOTTEN = "forgot the password"


@transaction.atomic
def ask(*, user_id: int, what: str, reason: str, new_email: str = "") -> Matter | None:
    """Reset somebody's account, or change one's own address: at once, or through the board.

    Returns the matter when the board is asked, None when the link is on its way.

    Codes: ``reset.what``, ``reset.not_joined``, ``member.inactive``, ``person.email``,
    ``person.exists``, ``identity.taken`` and those of ``matters.open_matter``.
    """
    asker, user = acting_person(), matters.person(user_id)
    chosen = _what(what)
    if asker.pk != user.pk or chosen != ResetWhat.EMAIL:
        demand("person.reset")
    if not user.is_active or user.kind != PersonKind.PERSON:
        raise NotNow("member.inactive", f"{user.full_name}'s account is not active.")
    if not user.has_usable_password():
        raise NotNow("reset.not_joined", f"{user.full_name} has not joined yet; invite again.")
    address = _new_address(user, new_email) if chosen == ResetWhat.EMAIL else ""
    if governed.is_holder(user):
        return matters.open_matter(
            Matter(
                kind=MatterKind.RESET,
                user=user,
                what=chosen,
                new_email=address,
                reason=reason,
                asked_by=asker,
            )
        )
    audit.record("person.reset_sent", user, facts={"what": chosen.title})
    invitations.send_reset_link(user, chosen, new_email=address)
    if address:
        notices.send(
            [user],
            "Your e-mail address is to change",
            f"Hello {user.get_short_name()},\n\n{asker.full_name} asked that you sign in as "
            f"{address}. If that is not right, tell an admin at once.\n",
        )
    return None


def forgotten(*, email: str, address: str) -> None:
    """Do what is due for somebody who forgot the password; the answer never tells what that was.

    Codes: ``signin.too_many``, with the same limits whether the account exists or not.
    """
    account = written(email)[:254]
    user = User.objects.filter(email=account, is_active=True, kind=PersonKind.PERSON).first()
    signin.count_try(f"forgotten:{account}"[:254], address, None)
    if user is None or not user.has_usable_password():
        return
    try:
        with transaction.atomic(), signin.as_system():
            _help(user)
    except DomainError:
        # Asked already, or nobody left who may decide: the page says the same to everybody.
        return


def _help(user: User) -> None:
    if governed.is_holder(user):
        matters.open_matter(
            Matter(
                kind=MatterKind.RESET,
                user=user,
                what=ResetWhat.PASSWORD,
                reason=FORGOTTEN,
                asked_by=user,
            )
        )
        return
    facts = {"what": ResetWhat.PASSWORD.title}
    audit.record("person.reset_sent", user, facts=facts)
    invitations.send_reset_link(user, ResetWhat.PASSWORD)


def find(token: str) -> Invitation:
    """Return the live invitation of a link of any kind; a reset is judged again now.

    Codes: ``invitation.unknown``.
    """
    invitation = invitations.find(token)
    if invitation.purpose == InvitationPurpose.RESET and not _holds(invitation):
        raise invitations.unknown()
    return invitation


def _holds(invitation: Invitation) -> bool:
    """Tell whether a reset may be used: the board's approval stands, or none is needed."""
    matter = invitation.matter
    if matter is None:
        return not governed.is_holder(invitation.user)
    request = matters.request_of(matter)
    if request is None or not matter.is_due(database_now()):
        return False
    return matters.stands(matters.find(matter.pk), request)


@transaction.atomic
def accept(*, token: str, password: str) -> User:
    """Set the password with a one-time link and do what the link is for.

    Codes: ``invitation.unknown``, ``person.password``, ``person.exists``.
    """
    invitation = invitations.find(token)
    if invitation.purpose != InvitationPurpose.RESET:
        return invitations.accept(token=token, password=password)
    if invitation.matter_id is not None:
        matters.lock(invitation.matter_id)
        invitation = invitations.find(token)
    if not _holds(invitation):
        raise invitations.unknown()
    invitations.use(invitation)
    user, what = invitation.user, ResetWhat(invitation.what)
    old = user.email
    if what == ResetWhat.EMAIL:
        _change_address(user, invitation.new_email)
    if what == ResetWhat.SECOND_FACTOR:
        secondfactor.drop(user)
    invitations.set_password(user, password)
    secondfactor.end_sessions(user)
    user.reset_at = database_now()
    user.save(update_fields=["reset_at"])
    with acting_as(Actor("person", user.pk, user.full_name)):
        audit.record("person.reset", user, facts={"what": what.title})
        if invitation.matter_id is not None:
            matters.done(invitation.matter_id)
    _told(user, old, what)
    return user


def _change_address(user: User, address: str) -> None:
    advisory_lock(f"email:{address}")
    _check_free(user, address)
    # Commits under the old address stay this person's.
    old, known = user.email, GitIdentity.objects.filter(email=user.email, ended_at=None)
    if not known.exists():
        GitIdentity.objects.create(email=old, user=user)
    user.email = address
    user.save(update_fields=["email"])


def _told(user: User, old: str, what: ResetWhat) -> None:
    text = (
        f"Hello {user.get_short_name()},\n\nyour account has a {what.title}, and all its sessions "
        "have ended. If that was not you, tell an admin and the release board at once.\n"
    )
    for address in {old, user.email}:
        notices.send_to(address, f"Gatehouse: {what.title}", text)


def _new_address(user: User, text: str) -> str:
    address = written(text)
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidInput(
            "person.email", "Enter an e-mail address, such as ana@example.com.", field="new_email"
        ) from None
    _check_free(user, address)
    return address


def _check_free(user: User, address: str) -> None:
    invitations.check_mailbox_free(address, besides=user)
    taken = GitIdentity.objects.filter(email=address, ended_at=None).exclude(user=user)
    if taken.exists():
        raise Conflict("identity.taken", f"{address} is matched with somebody else.")


def _what(text: str) -> ResetWhat:
    try:
        return ResetWhat(text)
    except ValueError:
        raise InvalidInput("reset.what", "Choose what is reset.", field="what") from None
