"""Follow up on requests that the database voided because a bound row was changed behind our back.

The trigger (``releases/sql/0002_bound.sql``) closes the request in the transaction of the change
and wakes this; here the event is written and the release goes back.
"""

from __future__ import annotations

from django.db import transaction

from governance import audit
from governance.models import ApprovalRequest
from governance.states import ApprovalState
from jobs.registry import Claim, Next
from releases.services import approval

KIND = "releases.voided"


@transaction.atomic
def voided(claim: Claim) -> Next:
    """Tell the history which request was voided and why, and move what waited for it."""
    claim.guard()
    request = ApprovalRequest.objects.select_related("policy_version__policy").get(
        pk=claim.subject_id
    )
    if request.state == ApprovalState.SUPERSEDED:
        approval.outcome(request.pk)
        audit.record(
            "approval.superseded",
            request,
            related=request.related,
            facts={
                "label": request.label,
                "digest": request.digest,
                "policy": str(request.policy_version),
                "reason": request.note,
            },
        )
    return Next.done()
