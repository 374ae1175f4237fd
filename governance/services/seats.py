"""Seats of approvers: put to the board, and given when its approval and the delay have passed."""

from __future__ import annotations

from django.db import connection, transaction

from core.db import database_now, lock_rows
from core.errors import Conflict, InvalidInput, NotAllowed
from governance import audit, governed
from governance.models import ApprovalRequest, Matter, Membership
from governance.permissions import acting_person, demand
from governance.selectors import people
from governance.services import matters
from governance.states import ApprovalState, MatterKind, MatterState, Role

LOOK_AGAIN_SECONDS = 600.0
"""How long a seat rests that is due while its approvals do not stand."""


@transaction.atomic
def ask(*, user_id: int, role: str, reason: str) -> Matter:
    """Put somebody up for a seat; people may put themselves up.

    Codes: ``seat.role``, ``seat.not_governed``, ``seat.already``, ``matter.reason``,
    ``matter.pending``, ``member.inactive``, ``matter.no_policy``, ``approval.unsatisfiable``.
    """
    asker, user = acting_person(), matters.person(user_id)
    if asker.pk != user.pk:
        demand("seat.ask")
    chosen = _governed_role(role)
    held = people.live_memberships().filter(user=user, role=chosen, team__owns_production=True)
    if held.exists():
        raise Conflict("seat.already", f"{user.full_name} is {chosen.title} already.")
    return matters.open_matter(
        Matter(kind=MatterKind.SEAT, user=user, role=chosen, reason=reason, asked_by=asker)
    )


@transaction.atomic
def take_effect(matter_id: int) -> Membership | None:
    """Give the seat of a matter whose delay is over; None when it is not due or does not hold.

    Called by a worker, which may give no role itself: a function of the database's owner does it,
    and looks at the approvals once more.
    """
    matter = Matter.objects.filter(pk=matter_id, kind=MatterKind.SEAT).first()
    now = database_now()
    if matter is None or not matter.is_due(now):
        return None
    requests = lock_rows(
        ApprovalRequest.objects.filter(
            subject_kind=matter.kind, subject_id=matter.pk, state=ApprovalState.SATISFIED
        ).select_related("policy_version")
    )
    if not requests or not matters.stands(matter, requests[0]):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT governance_give_seat(%s)", [matter.pk])
        (given,) = cursor.fetchone()
    membership = Membership.objects.select_related("user", "team").get(pk=given)
    facts = {
        "person": membership.user.full_name,
        "role": membership.title,
        "team": membership.team.name,
    }
    matters.use_approval(matter, "the seat was given")
    audit.record("seat.taken", matter, related=[membership.user, membership.team], facts=facts)
    matters.tell(matter, f"In effect: {matter}", f"From now on: {matter}.")
    return membership


def rest(matter_id: int) -> float | None:
    """Say in how many seconds a seat is to be looked at again; None when that is over."""
    matter = Matter.objects.filter(pk=matter_id, state=MatterState.APPROVED).first()
    if matter is None or matter.effective_at is None:
        return None
    left = (matter.effective_at - database_now()).total_seconds()
    return left if left > 0 else LOOK_AGAIN_SECONDS


def _governed_role(text: str) -> Role:
    try:
        role = Role(text)
    except ValueError:
        raise InvalidInput("seat.role", "Choose one of the roles.", field="role") from None
    if role not in governed.roles():
        raise NotAllowed(
            "seat.not_governed",
            f"The role {role.title} is given on the page of the team; the board is not asked.",
        )
    return role
