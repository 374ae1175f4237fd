"""Break-glass: the loud way to production in an emergency (I-31).

It is a release of change class ``emergency``: declared with a reason and an incident, prepared and
asked like any other, but decided by people of the policy "Break-glass". It opens once, for hours
not days, everybody who watches production is told, and somebody else has to review it afterwards;
while a review is overdue there is no next one.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from core import db
from core.errors import InvalidInput, NotAllowed, NotNow
from governance import audit, notices
from governance.models import ApprovalRequest
from governance.permissions import acting_person, demand
from governance.selectors import people
from governance.states import Role
from releases.models import BreakGlass, Deployment, Release
from releases.selectors import emergencies

LIFE_MAX = timedelta(hours=24)
"""No break-glass lasts longer, whatever its policy says; founding's policy says four hours."""
REVIEW_WITHIN = timedelta(days=3)
REASON_MIN = 20
TOLD = (Role.ADMIN, Role.BOARD_MEMBER, Role.EMERGENCY_APPROVER)


def refuse_overdue() -> None:
    """Raise ``break_glass.review_overdue`` while an earlier one should have been reviewed."""
    late = emergencies.overdue()
    if late:
        raise NotNow(
            "break_glass.review_overdue",
            f"The review of {late[0]} is overdue. A board member reviews it first.",
        )


def newest(release: Release) -> BreakGlass:
    """The row that a release's present emergency goes by; raises ``break_glass.none``."""
    row = BreakGlass.objects.filter(release=release, used_at=None).order_by("-pk").first()
    if row is None:
        raise NotNow(
            "break_glass.none",
            f"{release.public_id} has no break-glass that is still to be used; declare one.",
        )
    return row


def asked(release: Release, request: ApprovalRequest) -> None:
    """Tie the request to the row and tell everybody; called while it is opened."""
    row = newest(release)
    row.request = request
    row.save(update_fields=["request"])
    record("break_glass.asked", row, [request.public_id], reason=row.reason)
    _tell(row, "is asked for", f"{row.asked_by.full_name} asks to break the glass: {row.reason}")


def approved(request: ApprovalRequest) -> None:
    """Tell everybody that the last approval was given."""
    for row in BreakGlass.objects.filter(request=request).select_related("release"):
        record("break_glass.approved", row, [request.public_id])
        _tell(row, "is approved", "A worker deploys it now, outside windows and freezes.")


def used(deployment: Deployment, waived: list[str]) -> None:
    """Write down the one use; called in the transaction in which the deployment begins."""
    now = db.database_now()
    for row in BreakGlass.objects.filter(request=deployment.approval_id).select_related("release"):
        row.used_at, row.review_due_at = now, now + REVIEW_WITHIN
        row.save(update_fields=["used_at", "review_due_at"])
        said = "; ".join(waived) or "nothing: every rule would have let it pass"
        record("break_glass.used", row, [deployment.public_id], waived=said)
        _tell(row, "is used", f"{deployment} begins. It waives {said}")


@transaction.atomic
def review(*, break_glass_id: int, review: str) -> BreakGlass:
    """Write down what came of an emergency; somebody other than who asked for it.

    Codes: ``break_glass.review`` (too short), ``break_glass.not_used``, ``break_glass.reviewed``,
    ``break_glass.own_review``.
    """
    demand("break_glass.review")
    row = db.lock_rows(BreakGlass.objects.filter(pk=break_glass_id).select_related("release"))[0]
    person = acting_person()
    if len(review.strip()) < REASON_MIN:
        raise InvalidInput(
            "break_glass.review",
            "Say what happened, whether it was right, and what prevents the next one.",
            field="review",
        )
    if row.used_at is None:
        raise NotNow("break_glass.not_used", f"{row} was not used; there is nothing to review.")
    if row.reviewed_at is not None:
        raise NotNow("break_glass.reviewed", f"{row} was reviewed already.")
    if row.asked_by_id == person.pk:
        raise NotAllowed("break_glass.own_review", "You asked for it; somebody else reviews it.")
    row.review, row.reviewed_by, row.reviewed_at = review.strip(), person, db.database_now()
    row.save(update_fields=["review", "reviewed_by", "reviewed_at"])
    record("break_glass.reviewed", row, review=row.review)
    return row


def record(event: str, row: BreakGlass, related: list[str] | None = None, **facts: object) -> None:
    """Write an event about a break-glass, in the story of its release too."""
    about = [row.release.public_id, *(related or [])]
    audit.record(event, row, related=about, facts={"incident": row.incident, **facts})


def _tell(row: BreakGlass, what: str, text: str) -> None:
    notices.send(
        people.holders(TOLD),
        f"Break-glass {row.public_id} {what}: {row.release} ({row.incident})",
        f"{text}\n\n{notices.absolute(row.get_absolute_url())}",
        related=[row.public_id, row.release.public_id],
    )
