"""Standing in: a holder of a role lets somebody decide in his place for a time, and ends it.

Only a membership can be lent, so nobody passes on what was lent to him. The deputy has the rights
of that role and no seat of his own: the holder's vote and his never both count.
"""

from __future__ import annotations

import functools
from contextvars import copy_context
from datetime import datetime, timedelta

from django.db import transaction

from core.db import advisory_lock, database_now, lock_rows
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotNow
from governance import approvals, audit, notices
from governance.models import Delegation, User
from governance.permissions import acting_person, can
from governance.selectors.delegations import LENDABLE
from governance.selectors.people import live_memberships
from governance.states import PersonKind, Role

DAYS_MAX = 90
REASON_MAX = 200


@transaction.atomic
def give(
    *, deputy_id: int, role: str, starts_at: datetime, ends_at: datetime, reason: str
) -> Delegation:
    """Let somebody decide in the acting person's place.

    Codes: ``delegation.role``, ``delegation.not_held``, ``delegation.period``,
    ``delegation.reason``, ``delegation.self``, ``delegation.inactive``, ``delegation.holds``
    (the deputy has the role anyway), ``delegation.overlaps``.
    """
    holder, chosen = acting_person(), _role(role)
    reason = " ".join(reason.split())
    if not reason or len(reason) > REASON_MAX:
        raise InvalidInput("delegation.reason", "Say why, such as “holiday”.", field="reason")
    _check_period(starts_at, ends_at)
    deputy = User.objects.filter(pk=deputy_id).first()
    if deputy is None or not deputy.is_active or deputy.kind != PersonKind.PERSON:
        raise InvalidInput("delegation.inactive", "Choose an active person.", field="deputy_id")
    if deputy.pk == holder.pk:
        raise InvalidInput("delegation.self", "Choose somebody else.", field="deputy_id")
    advisory_lock(f"delegation:{holder.pk}")
    held = live_memberships().filter(role=chosen, team__owns_production=True)
    if not held.filter(user=holder).exists():
        raise NotAllowed(
            "delegation.not_held",
            f"You are not {chosen.title} yourself, so you cannot let anybody stand in for you. "
            "What was lent to you cannot be passed on.",
        )
    if held.filter(user=deputy).exists():
        raise Conflict(
            "delegation.holds",
            f"{deputy.full_name} is {chosen.title} already and has one vote either way.",
        )
    mine = Delegation.objects.filter(delegator=holder, role=chosen, ended_at=None)
    if mine.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise Conflict(
            "delegation.overlaps",
            "Somebody stands in for you in that time already; end that first.",
        )
    row = Delegation.objects.create(
        delegator=holder,
        deputy=deputy,
        role=chosen,
        reason=reason,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    _record("delegation.given", row, start=starts_at, end=ends_at, reason=reason)
    _tell(
        row,
        f"{deputy.full_name} decides for {holder.full_name} as {chosen.title} from "
        f"{starts_at:%-d %b %Y %H:%M} until {ends_at:%-d %b %Y %H:%M} UTC: {reason}. It counts on "
        "what is asked from now on, not on what either of them had a hand in.",
    )
    return row


@transaction.atomic
def end(*, delegation_id: int) -> Delegation:
    """End a delegation before its time: either of the two, or whoever may take the seat away.

    What the deputy approved and is not done yet stops to count. Codes: ``delegation.unknown``,
    ``delegation.over``.
    """
    actor = acting_person()
    rows = lock_rows(
        Delegation.objects.select_related("delegator", "deputy").filter(pk=delegation_id)
    )
    if not rows:
        raise NotFound("delegation.unknown", "Nobody stands in that way.")
    row = rows[0]
    if actor.pk not in {row.delegator_id, row.deputy_id} and not (
        answer := can(actor, "seat.revoke")
    ):
        raise NotAllowed(answer.code, answer.reason, capability="seat.revoke")
    if row.ended_at is not None:
        raise NotNow("delegation.over", "This ended already.")
    row.ended_at, row.ended_by = database_now(), actor
    row.save(update_fields=["ended_at", "ended_by"])
    _record("delegation.ended", row)
    _tell(row, f"{actor.full_name} ended that {row.deputy} decides for {row.delegator}.")
    settle = functools.partial(copy_context().run, approvals.settle_for, row.deputy)
    transaction.on_commit(settle, robust=True)
    return row


def _check_period(starts_at: datetime, ends_at: datetime) -> None:
    if not database_now() < ends_at or not starts_at < ends_at:
        raise InvalidInput(
            "delegation.period", "The end must lie after the beginning and ahead.", field="ends_at"
        )
    if ends_at - starts_at > timedelta(days=DAYS_MAX):
        raise InvalidInput(
            "delegation.period",
            f"Somebody stands in for {DAYS_MAX} days at most; for longer the board gives a seat.",
            field="ends_at",
        )


def _role(text: str) -> Role:
    if text not in set(LENDABLE):
        raise InvalidInput("delegation.role", "Choose one of the roles.", field="role")
    return Role(text)


def _record(event: str, row: Delegation, **facts: object) -> None:
    audit.record(
        event,
        row.deputy,
        related=[row.delegator],
        facts={"role": row.title, "holder": row.delegator.full_name, **facts},
    )


def _tell(row: Delegation, text: str) -> None:
    link = notices.absolute("/account/")
    notices.send([row.delegator, row.deputy], "Standing in", f"{text}\n\n{link}\n")
