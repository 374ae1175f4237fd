"""Matters of the board about people: seats of approvers, and resets of their accounts.

Whoever decides what goes to production is chosen by those who decide now. A matter is put to the
board as any question is, bound to what was asked, decided under the board's own policy, never by
whom it is about nor by who asked. With the last approval a delay begins in which every member of
the board can stop it; the approvals are counted again when it takes effect. What it gives counts on
requests that are opened afterwards only. Taking a seat away needs nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from core.db import advisory_lock, database_now, lock_rows
from core.digests import digest_json
from core.errors import Conflict, InvalidInput, NotFound, NotNow
from governance import approvals, audit, notices, policies
from governance.approvals import subjects
from governance.models import ApprovalRequest, Decision, Matter, PolicyVersion, User
from governance.models.approvals import LIVE
from governance.models.matters import PENDING
from governance.permissions import acting_person, can, demand
from governance.selectors import people
from governance.services import invitations
from governance.states import (
    MATTER,
    ApprovalState,
    MatterKind,
    MatterState,
    PersonKind,
    ResetWhat,
    Role,
)
from jobs import wake

WORK = "governance.matter"
REASON_MAX = 300


def delay() -> timedelta:
    """How long a matter rests between the board's approval and its effect."""
    return timedelta(hours=settings.GATEHOUSE.board_delay_hours)


def digest_of(matter: Matter) -> str:
    """Digest what the board is asked: nothing of it ever changes."""
    return digest_json(
        {
            "kind": matter.kind,
            "id": matter.pk,
            "user": matter.user_id,
            "email": matter.user.email,
            "role": matter.role,
            "what": matter.what,
            "new_email": matter.new_email,
            "reason": matter.reason,
            "asked_by": matter.asked_by_id,
        }
    )


def request_of(matter: Matter) -> ApprovalRequest | None:
    """Return the newest request for approval of a matter."""
    found = ApprovalRequest.objects.filter(subject_kind=matter.kind, subject_id=matter.pk)
    return found.select_related("policy_version__policy", "requester").order_by("-pk").first()


def open_matter(matter: Matter) -> Matter:
    """Store a matter and ask the board; its caller has checked who may ask for what.

    Codes: ``matter.reason``, ``matter.pending``, ``member.inactive``, ``member.other_account``,
    ``matter.no_policy``, ``approval.unsatisfiable``.
    """
    user = matter.user
    matter.reason = " ".join(matter.reason.split())
    if not matter.reason or len(matter.reason) > REASON_MAX:
        raise InvalidInput(
            "matter.reason", f"Say why, in at most {REASON_MAX} characters.", field="reason"
        )
    if not user.is_active or user.kind != PersonKind.PERSON:
        raise NotNow("member.inactive", f"{user.full_name}'s account is not active.")
    if user.same_as_id is not None:
        raise NotNow(
            "member.other_account",
            f"{user.full_name} ({user.email}) is another account of somebody; nothing of it "
            "counts. Put the first account to the board.",
        )
    version = _board_policy()
    advisory_lock(f"matter:{user.pk}")
    if Matter.objects.filter(
        kind=matter.kind, user=user, role=matter.role, state__in=PENDING
    ).exists():
        raise Conflict("matter.pending", f"{matter} is before the board already.")
    matter.save()
    event = "seat.asked" if matter.kind == MatterKind.SEAT else "reset.asked"
    audit.record(event, matter, related=[user], facts={"reason": matter.reason})
    approvals.open_request(
        kind=matter.kind,
        subject_id=matter.pk,
        digest=digest_of(matter),
        policy_version=version,
        requester=matter.asked_by,
        exclusions=[(user, "is whom it is about")],
        unmapped=[],
        expires_at=database_now() + timedelta(hours=policies.expires_hours(version)) + delay(),
        label=str(matter),
        url=matter.get_absolute_url(),
        related=[user.audit_ref, matter.audit_ref],
    )
    tell(
        matter,
        f"The board is asked: {matter}",
        f"{matter.asked_by.full_name} asks the release board about {matter}: {matter.reason}",
    )
    return matter


def decide(
    *, matter_id: int, verdict: str, comment: str, shown_digest: str, auth_strength: str
) -> Decision:
    """Record the acting person's answer.

    Codes: those of ``approvals.decide`` and ``matter.closed``.
    """
    matter = find(matter_id)
    request = request_of(matter)
    if request is None or not matter.is_pending:
        raise NotNow("matter.closed", f"{matter} is {matter.state}; nothing can be changed.")
    return approvals.decide(
        request_id=request.pk,
        verdict=verdict,
        comment=comment,
        shown_digest=shown_digest,
        current_digest=digest_of(matter),
        auth_strength=auth_strength,
    )


@transaction.atomic
def withdraw_decision(*, matter_id: int, reason: str = "") -> None:
    """Take the acting person's own decision back. Codes: those of ``approvals``."""
    request = request_of(find(matter_id))
    if request is None:
        raise NotFound("matter.unknown", "There is no such matter.")
    approvals.withdraw_decision(request_id=request.pk, reason=reason)


@transaction.atomic
def cancel(*, matter_id: int, reason: str) -> Matter:
    """Stop a matter before it takes effect: any member of the board, or who asked.

    Codes: ``matter.unknown``, ``matter.reason``, ``matter.closed``.
    """
    actor, matter = acting_person(), find(matter_id)
    if actor.pk != matter.asked_by_id:
        demand("matter.cancel")
    reason = " ".join(reason.split())[:REASON_MAX]
    if not reason:
        raise InvalidInput("matter.reason", "Say why it is stopped.", field="reason")
    live = ApprovalRequest.objects.filter(
        subject_kind=matter.kind, subject_id=matter.pk, state__in=LIVE
    )
    requests = lock_rows(live)
    matter = _locked(matter_id)
    if not matter.is_pending:
        raise NotNow("matter.closed", f"{matter} is {matter.state}; nothing can be changed.")
    _move(matter, MatterState.CANCELLED, note=reason, closed_by=actor)
    audit.record("matter.cancelled", matter, related=[matter.user], facts={"reason": reason})
    for request in requests:
        approvals.withdraw_request(request_id=request.pk, reason=reason)
    tell(matter, f"Stopped: {matter}", f"{actor.full_name} stopped {matter}: {reason}")
    return matter


def may_cancel(matter: Matter, user: User) -> bool:
    """Tell whether a person may stop a matter now."""
    asked = matter.asked_by_id == user.pk
    return matter.is_pending and (asked or bool(can(user, "matter.cancel")))


def outcome(request_id: int) -> None:
    """Follow the state of the request: begin the delay, end it, or close the matter."""
    request = ApprovalRequest.objects.get(pk=request_id)
    matter = _locked(request.subject_id)
    if not matter.is_pending:
        return
    if request.state == ApprovalState.SATISFIED:
        _approve(matter)
    elif request.state == ApprovalState.OPEN:
        if matter.state == MatterState.APPROVED:
            _move(matter, MatterState.ASKED)
            audit.record("matter.reopened", matter, related=[matter.user])
    else:
        reason = {
            ApprovalState.REJECTED: "the board rejected it",
            ApprovalState.EXPIRED: "its time was over",
            ApprovalState.SUPERSEDED: "the board's policy changed; it must be asked again",
        }.get(ApprovalState(request.state), "it was withdrawn")
        _move(matter, MatterState.REFUSED, note=reason)
        audit.record("matter.refused", matter, related=[matter.user], facts={"reason": reason})


def _approve(matter: Matter) -> None:
    if matter.state != MatterState.ASKED:
        return
    effective = database_now() + delay()
    _move(matter, MatterState.APPROVED, effective_at=effective)
    seat = matter.kind == MatterKind.SEAT
    event = "seat.approved" if seat else "reset.approved"
    audit.record(event, matter, related=[matter.user], facts={"effective": effective})
    tell(
        matter,
        f"Approved: {matter}",
        f"The release board approved {matter}. It takes effect on {effective:%-d %b %Y %H:%M} UTC. "
        "Until then every member of the board can stop it.",
    )
    if seat:
        wake.wake(WORK, matter.pk, at=effective)
    else:
        invitations.send_reset_link(
            matter.user,
            ResetWhat(matter.what),
            new_email=matter.new_email,
            matter=matter,
            works_from=effective,
        )


def stands(matter: Matter, request: ApprovalRequest) -> bool:
    """Count the approvals of a matter as they are now."""
    return approvals.progress(request, current_digest=digest_of(matter)).satisfied


def describe(matters: Collection[int]) -> dict[int, subjects.Facts]:
    """Describe matters for the inbox."""
    rows = Matter.objects.filter(pk__in=matters).select_related("asked_by")
    return {row.pk: (f"asked by {row.asked_by.full_name}", row.reason) for row in rows}


def find(matter_id: int) -> Matter:
    """Return a matter. Codes: ``matter.unknown``."""
    rows = Matter.objects.select_related("user", "asked_by", "closed_by")
    matter = rows.filter(pk=matter_id).first()
    if matter is None:
        raise NotFound("matter.unknown", "There is no such matter before the board.")
    return matter


def lock(matter_id: int) -> None:
    """Hold a matter with its live request until the transaction ends, the request first."""
    matter = find(matter_id)
    rows = ApprovalRequest.objects.filter(subject_kind=matter.kind, subject_id=matter.pk)
    lock_rows(rows.filter(state__in=LIVE))
    _locked(matter_id)


def done(matter_id: int) -> None:
    """Close a matter that took effect; the caller has locked and judged it."""
    matter = _locked(matter_id)
    _move(matter, MatterState.DONE, effective_at=matter.effective_at)
    use_approval(matter, "the link was used")


def use_approval(matter: Matter, what: str) -> None:
    """Close the question about a matter that took effect."""
    request = request_of(matter)
    if request is not None:
        approvals.use(request.pk, what)


def _locked(matter_id: int) -> Matter:
    find(matter_id)
    return lock_rows(Matter.objects.filter(pk=matter_id).select_related("user", "asked_by"))[0]


def _move(matter: Matter, state: MatterState, **columns: object) -> None:
    MATTER.check(MatterState(matter.state), state)
    values = {"state": state, "effective_at": None, **columns}
    values["closed_at"] = None if state in PENDING else database_now()
    for name, value in values.items():
        setattr(matter, name, value)
    matter.save(update_fields=list(values))


def _board_policy() -> PolicyVersion:
    version = policies.board_policy()
    if version is None:
        raise NotNow(
            "matter.no_policy",
            "The board has no policy in force yet, so it cannot be asked. Confirm the first one.",
        )
    return version


def tell(matter: Matter, subject: str, text: str) -> None:
    """Tell the board, the admins and whom it is about: nothing of this happens unseen."""
    board = people.holders([Role.BOARD_MEMBER, Role.ADMIN])
    link = notices.absolute(matter.get_absolute_url())
    notices.send([*board, matter.user], subject, f"{text}\n\n{link}\n", related=[matter.audit_ref])


def person(user_id: int) -> User:
    """Return a person. Codes: ``person.unknown``."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("person.unknown", "There is no such person.")
    return user
