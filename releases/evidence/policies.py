"""Each policy version as a file: the rules, who agreed to them, and from when to when they held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from governance.models import ApprovalRequest, PolicyProposal, PolicyVersion
from governance.rules.policy import parse
from governance.rules.policy_words import describe
from releases.evidence.record.authorised import roles_at
from releases.evidence.record.loading import person
from releases.evidence.times import recorded

CHANGE_KIND = "policy.version"


def policy_files(until: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and content of every version published before a moment."""
    rows = PolicyVersion.objects.filter(published_at__lt=until).select_related(
        "policy", "proposed_by", "confirmed_by", "request__policy_version__policy"
    )
    for row in rows.order_by("policy_id", "number").iterator():
        yield f"policies/{row.policy.public_id}-v{row.number}.json", _content(row)


def _content(row: PolicyVersion) -> dict[str, Any]:
    next_one = PolicyVersion.objects.filter(policy=row.policy_id, number=row.number + 1).first()
    return {
        "policy": row.policy.public_id,
        "name": row.policy.name,
        "version": row.number,
        "digest": row.digest,
        "in_words": describe(parse(row.body)),
        "rules": row.body,
        "in_force_from": recorded(row.published_at),
        "in_force_until": recorded(next_one.published_at) if next_one else None,
        "proposed_by": person(row.proposed_by),
        "confirmed_by": person(row.confirmed_by),
        "confirmed_by_held": roles_at(row.confirmed_by_id, row.published_at),
        "founding": row.request is None,
        "approvals": [_request(row.request)] if row.request else [],
        "other_proposals": [_request(each) for each in _others(row)],
    }


def _others(row: PolicyVersion) -> list[ApprovalRequest]:
    """Questions about changes of this version that did not become the next one."""
    proposals = PolicyProposal.objects.filter(policy=row.policy_id, based_on=row)
    found = ApprovalRequest.objects.filter(
        subject_kind=CHANGE_KIND, subject_id__in=proposals.values("pk"), published__isnull=True
    )
    return list(found.select_related("requester", "policy_version__policy").order_by("pk"))


def _request(row: ApprovalRequest) -> dict[str, Any]:
    version = row.policy_version
    return {
        "request": row.public_id,
        "about": row.label,
        "state": row.state,
        "decided_under": f"{version.policy.public_id} v{version.number}",
        "requester": person(row.requester),
        "opened_at": recorded(row.opened_at),
        "closed_at": recorded(row.closed_at),
        "decisions": [
            {
                "person": person(each.person),
                "role": each.role,
                "verdict": each.verdict,
                "decided_at": recorded(each.decided_at),
                "comment": each.comment,
                "withdrawn": hasattr(each, "withdrawal"),
            }
            for each in row.decisions.select_related("person", "withdrawal").order_by("pk")
        ],
    }
