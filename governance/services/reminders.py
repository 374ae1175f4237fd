"""A letter to those who may still decide, a day before a question expires unanswered."""

from __future__ import annotations

from datetime import datetime, timedelta

from governance import approvals, audit, notices
from governance.models import ApprovalRequest, AuditEvent
from governance.states import ApprovalState

BEFORE = timedelta(hours=24)
EVENT = "approval.reminded"


def remind(now: datetime) -> int:
    """Remind once per request that lacks decisions and expires soon; returns how many."""
    soon = ApprovalRequest.objects.filter(
        state=ApprovalState.OPEN,
        expires_at__gt=now,
        expires_at__lte=now + BEFORE,
        # Who was asked with less than a day to go was told then.
        opened_at__lte=now - timedelta(hours=1),
    )
    told = 0
    for request in soon.select_related("policy_version__policy", "requester").order_by("pk"):
        if AuditEvent.objects.filter(event=EVENT, subject_ref=request.audit_ref).exists():
            continue
        people = approvals.progress(request, now=now).may_still
        if not people:
            continue
        notices.send(
            people,
            f"Waiting for your decision: {request.label}",
            f"{request.label} expires on {request.expires_at:%a %d %b %H:%M} UTC and still lacks "
            f"decisions.\n\n{notices.absolute(request.url)}",
            related=[request.public_id],
        )
        audit.record(EVENT, request, facts={"label": request.label, "people": len(people)})
        told += 1
    return told
