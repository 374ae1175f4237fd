"""What waits for a person: approvals, policies to confirm, and whatever other apps register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from core import db
from governance import policy_changes
from governance.approvals import Progress, progress_of, subjects
from governance.models import ApprovalRequest, PolicyProposal, User
from governance.models.approvals import LIVE
from governance.permissions import standing_shown
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
    live = ApprovalRequest.objects.filter(state__in=LIVE).order_by("expires_at")
    live = live.select_related("policy_version__policy", "requester").annotate(now=db.Now())
    rows = list(live)
    lacking = [
        standing
        for standing in (progress_of(rows, now=rows[0].now) if rows else [])
        if not standing.satisfied and standing.may_decide(user)
    ]
    about = [(each.request.subject_kind, each.request.subject_id) for each in lacking]
    facts = subjects.facts_of(about)
    return [_approval(each, facts.get(key, ())) for each, key in zip(lacking, about, strict=True)]


def _approval(standing: Progress, facts: tuple[str, ...]) -> Waiting:
    request, missing = standing.request, standing.outcome.short
    more = "1 more approval" if missing == 1 else f"{missing} more approvals"
    return Waiting(
        title=f"Approve {request.label}",
        url=request.url,
        ref=request.public_id,
        facts=(*facts, f"needs {more}"),
        due_at=request.expires_at,
    )


def proposals_for(user: User) -> list[Waiting]:
    """List the policies of the founding that this person may confirm."""
    if not standing_shown(user).can("policy.confirm"):
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
