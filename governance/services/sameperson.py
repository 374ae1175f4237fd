"""Two accounts of one person: one human, one approval (I-8).

The other account keeps its roles for working, and never counts when people decide: not on what is
asked later, nor with what it approved already. What keeps one of the two from deciding keeps both.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from core.db import lock_rows
from core.errors import InvalidInput, NotAllowed, NotFound, NotNow
from governance import audit, notices
from governance.models import ApprovalRequest, Decision, Exclusion, User
from governance.models.approvals import LIVE
from governance.permissions import demand
from governance.selectors import people
from governance.services.people import count_again
from governance.states import PersonKind, Role

REASON_MAX = 300


@transaction.atomic
def mark(*, user_id: int, same_as_id: int, reason: str) -> User:
    """Say that an account is another account of somebody; effective at once.

    Codes: ``person.unknown``, ``person.reason``, ``same.self``, ``same.not_a_person``,
    ``same.marked``.
    """
    demand("identity.map")
    reason = " ".join(reason.split())
    if not reason or len(reason) > REASON_MAX:
        raise InvalidInput(
            "person.reason", f"Say why, in at most {REASON_MAX} characters.", field="reason"
        )
    if user_id == same_as_id:
        raise InvalidInput("same.self", "Choose another account than this one.", field="same_as_id")
    user, first = _locked(user_id, same_as_id)
    if {user.kind, first.kind} != {PersonKind.PERSON}:
        raise NotAllowed("same.not_a_person", "Service accounts are nobody's; they never decide.")
    if user.same_as_id or first.same_as_id or user.other_accounts.exists():
        raise NotNow(
            "same.marked",
            "One of the two is marked already: every other account points to the one account with "
            "which the person decides. Choose that one, or end the mark first.",
        )
    user.same_as = first
    user.save(update_fields=["same_as"])
    _tell("person.same_marked", user, first, reason)
    return user


@transaction.atomic
def end(*, user_id: int) -> User:
    """End a wrong mark; the account counts on what is asked from now on.

    Codes: ``person.unknown``, ``same.not_marked``.
    """
    demand("identity.map")
    (user,) = _locked(user_id)
    first = user.same_as
    if first is None:
        raise NotNow("same.not_marked", f"{user.full_name} is not marked as another account.")
    user.same_as = None
    user.save(update_fields=["same_as"])
    user.refresh_from_db(fields=["reset_at"])
    _tell("person.same_ended", user, first, "")
    return user


def _locked(*user_ids: int) -> list[User]:
    """Hold what these accounts were asked about, then the accounts, in the order given."""
    live = ApprovalRequest.objects.filter(state__in=LIVE)
    mine = live.filter(
        Q(requester_id__in=user_ids)
        | Q(pk__in=Decision.objects.filter(person_id__in=user_ids).values("request_id"))
        | Q(pk__in=Exclusion.objects.filter(user_id__in=user_ids).values("request_id"))
    )
    lock_rows(ApprovalRequest.objects.filter(pk__in=list(mine.values_list("pk", flat=True))))
    found = {user.pk: user for user in lock_rows(User.objects.filter(pk__in=user_ids))}
    if len(found) != len(set(user_ids)):
        raise NotFound("person.unknown", "There is no such person.")
    return [found[number] for number in user_ids]


def _tell(event: str, user: User, first: User, reason: str) -> None:
    """Record it, tell the board and both accounts, and count again what they decided on."""
    facts = {"email": user.email, "first": first.email, "reason": reason}
    audit.record(event, user, related=[first], facts=facts)
    for each in (user, first):
        count_again(each)
    said = "is" if event == "person.same_marked" else "is no longer"
    board = people.holders([Role.BOARD_MEMBER, Role.ADMIN])
    notices.send(
        [*board, user, first],
        f"{user.email} {said} another account of {first.full_name}",
        f"{user.email} {said} marked as another account of {first.full_name} ({first.email}). One "
        f"person has one approval, given with the first account.\n\n"
        f"{notices.absolute(user.get_absolute_url())}\n",
        related=[user.audit_ref, first.audit_ref],
    )
