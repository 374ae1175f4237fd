"""What waits for a person: approvals, policies to confirm, and whatever other apps register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from governance import policy_changes
from governance.approvals import SubjectCard, progress, subjects
from governance.models import ApprovalRequest, PolicyProposal, User
from governance.models.approvals import LIVE
from governance.permissions import standing_of
from governance.states import ProposalState


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits for somebody; ``state`` is one of the page's state marks."""

    title: str
    url: str
    ref: str
    facts: tuple[str, ...] = ()
    due_at: datetime | None = None
    state: str = "waiting"


Provider = Callable[[User], list[Waiting]]

_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Let an app add what waits for a person; registering twice changes nothing."""
    if provider not in _providers:
        _providers.append(provider)


def waiting_for(user: User) -> list[Waiting]:
    """List what waits for this person: what is due first comes first, then what has no date."""
    found = [waiting for provider in _providers for waiting in provider(user)]
    return sorted(found, key=_urgency)


def _urgency(waiting: Waiting) -> tuple[datetime, str]:
    return waiting.due_at or datetime.max.replace(tzinfo=UTC), waiting.ref


def approvals_for(user: User) -> list[Waiting]:
    """List the requests that lack an approval which this person may give."""
    live = ApprovalRequest.objects.filter(state__in=LIVE).select_related("policy_version__policy")
    found = []
    for request in live.order_by("expires_at"):
        standing = progress(request)
        if standing.satisfied or not standing.may_decide(user):
            continue
        card = subjects.card_of(request.subject_kind, request.subject_id)
        found.append(_approval(request, card, standing.outcome.short))
    return found


def _approval(request: ApprovalRequest, card: SubjectCard | None, missing: int) -> Waiting:
    more = "1 more approval" if missing == 1 else f"{missing} more approvals"
    return Waiting(
        title=f"Approve {request.label}",
        url=request.url,
        ref=request.public_id,
        facts=(*(card.facts if card else ()), f"needs {more}"),
        due_at=request.expires_at,
    )


def proposals_for(user: User) -> list[Waiting]:
    """List the policies of the founding that this person may confirm."""
    if not standing_of(user).can("policy.confirm"):
        return []
    rows = PolicyProposal.objects.filter(state=ProposalState.OPEN).exclude(proposed_by=user)
    asked = ApprovalRequest.objects.filter(subject_kind=policy_changes.KIND, state__in=LIVE)
    rows = rows.exclude(pk__in=asked.values("subject_id"))
    return [
        Waiting(
            title=f"Confirm the policy {row.policy.name}",
            url=f"{row.policy.get_absolute_url()}#proposal",
            ref=row.policy.public_id,
            facts=(f"proposed by {row.proposed_by.full_name}",),
        )
        for row in rows.select_related("policy", "proposed_by").order_by("pk")
    ]


register(approvals_for)
register(proposals_for)
