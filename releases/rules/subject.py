"""What an approval is bound to.

An approval counts for exactly one subject: the digest over everything listed here (design 5). A
change of any field gives another digest, and so voids every decision taken on the old one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from core.digests import digest_json


@dataclass(frozen=True, slots=True)
class Subject:
    """The bound tuple of a production deployment; times are RFC 3339 in UTC or empty."""

    artefact: str
    baseline: str
    environment_id: int
    organization_id: str
    plan: dict[str, Any]
    rollback: str
    policy_version_id: int
    runbook: str
    emergency: str
    composition: tuple[tuple[int, str], ...]
    resolutions: str
    tests: str
    change_class: str
    requester_id: int
    not_before: str
    not_after: str

    def digest(self) -> str:
        """``sha256:…`` over the canonical JSON of all fields."""
        return digest_json(asdict(self))


LABELS: dict[str, str] = {
    "artefact": "artefact",
    "baseline": "what production holds",
    "environment_id": "environment",
    "organization_id": "organisation",
    "plan": "plan of steps and tests",
    "rollback": "rollback",
    "policy_version_id": "policy version",
    "runbook": "runbook",
    "emergency": "reason and incident of the break-glass",
    "composition": "contents of the release",
    "resolutions": "decisions between its candidates",
    "tests": "tests that people chose",
    "change_class": "change class",
    "requester_id": "requester",
    "not_before": "earliest start",
    "not_after": "latest start",
}


def differences(old: Subject, new: Subject) -> list[str]:
    """Names of the bound facts that differ, in the order of the tuple, as people call them."""
    return [
        LABELS[field.name]
        for field in fields(Subject)
        if getattr(old, field.name) != getattr(new, field.name)
    ]


BOUND: dict[str, str] = {
    "Release.artefact": "artefact",
    "Release.change_class": "change_class",
    "Release.not_before": "not_before",
    "Release.not_after": "not_after",
    "Release.restores": "composition",
    "Release.test_level": "tests",
    "Release.tests_added": "tests",
    "Release.tests_removed": "tests",
    "ReleaseItem.candidate": "composition",
    "ReleaseItem.removed_at": "composition",
    "ReleaseItem.release": "composition",
    "Candidate.sha": "composition",
    "Resolution.release": "resolutions",
    "Resolution.type": "resolutions",
    "Resolution.name": "resolutions",
    "Resolution.path": "resolutions",
    "Resolution.conflict_digest": "resolutions",
    "Resolution.pick": "resolutions",
    "Resolution.made_by": "resolutions",
    "Artefact.digest": "artefact",
    "Environment.organization_id": "organization_id",
    "Environment.policy": "policy_version_id",
    "Deployment.environment": "environment_id",
    "Deployment.requester": "requester_id",
    "Deployment.plan": "plan",
    "Deployment.preparation": "baseline",
    "Deployment.release": "composition",
    "Deployment.baseline_digest": "baseline",
    "RunbookItem.text": "runbook",
    "RunbookItem.phase": "runbook",
    "RunbookItem.owner": "runbook",
    "RunbookItem.critical": "runbook",
    "RunbookItem.removed_at": "runbook",
    "RunbookItem.release": "runbook",
    "BreakGlass.reason": "emergency",
    "BreakGlass.incident": "emergency",
    "BreakGlass.release": "emergency",
}
"""Fields of the bound objects and the part of the subject that they change."""

_ROW = "names the row, says nothing about what is deployed"
_CHECKED = "the gate asks it by itself"
_OUTCOME = "written by what happens after the decision"
_WORDS = "words for people"
UNBOUND: dict[str, str] = {
    "*.id": _ROW,
    "*.uuid": _ROW,
    "*.created_at": _ROW,
    "Release.title": _WORDS,
    "Release.version": _WORDS,
    "Release.bump": _WORDS,
    "Release.scope": "the composed artefact's digest is bound",
    "Release.notes": _WORDS,
    "Release.impact": _WORDS,
    "Release.state": "moved by the decision itself; its machine guards it",
    "Release.state_note": _WORDS,
    "Release.composed_by": "excluded from deciding when the request is opened",
    "Release.edited_by": "excluded from deciding when the request is opened",
    "Release.base_snapshot": "the preparation is compared with it, and its baseline is bound",
    "Release.integration_commit": "the artefact's digest is bound",
    "Release.deployed_at": _OUTCOME,
    "ReleaseItem.added_by": "excluded from deciding when the request is opened",
    "ReleaseItem.added_at": _WORDS,
    "ReleaseItem.removed_by": _WORDS,
    "Candidate.repository": "the commit's hash is bound",
    "Candidate.team": "excluded from deciding when the request is opened",
    "Candidate.tag": "a name; the commit it meant is bound",
    "Candidate.state": _CHECKED,
    "Candidate.artefact": "the composed artefact's digest is bound",
    "Candidate.message": _WORDS,
    "Candidate.created_by": "excluded from deciding when the request is opened",
    "Candidate.tested_by": "excluded from deciding when the request is opened",
    "Candidate.tested_at": _CHECKED,
    "Candidate.test_note": _WORDS,
    "Candidate.offered_by": "excluded from deciding when the request is opened",
    "Candidate.offered_at": _WORDS,
    "Candidate.commit_count": _WORDS,
    "Candidate.oldest_commit_at": "widens who is excluded when the request is opened",
    "Candidate.contributors": "excluded from deciding when the request is opened",
    "Artefact.blob": "the worker hashes the bytes before the call",
    "Artefact.zip_size": _WORDS,
    "Artefact.unzipped_size": _WORDS,
    "Artefact.file_count": _WORDS,
    "Artefact.component_count": _WORDS,
    "Artefact.api_version": "part of the package, whose digest is bound",
    "Resolution.told": _WORDS,
    "Resolution.taken": _WORDS,
    "Resolution.reason": "never changed once it is written, which is bound",
    "Resolution.made_at": "never changed once it is written, which is bound",
    "Artefact.removes": "part of the package, whose digest is bound",
    "Artefact.manifest": "part of the package, whose digest is bound",
    "Environment.track": _CHECKED,
    "Environment.stage": _CHECKED,
    "Environment.kind": _CHECKED,
    "Environment.name": _WORDS,
    "Environment.follows_stage": "where the policy comes from; the policy itself is bound",
    "Environment.licence_type": _WORDS,
    "Environment.login_host": "another address discards the organisation, which is bound",
    "Environment.expected_organization_id": "another one discards the organisation",
    "Environment.api_version": "how the org is asked; the package carries its own",
    "Environment.check_requested_at": _WORDS,
    "Environment.retired_at": _CHECKED,
    "Environment.is_sandbox": _CHECKED,
    "Environment.organization_name": _WORDS,
    "Environment.organization_type": _WORDS,
    "Environment.instance_url": "the organisation's id is asked in every session",
    "Environment.instance_name": _WORDS,
    "Environment.newest_api_version": _WORDS,
    "Environment.limits": _WORDS,
    "Environment.checked_at": _WORDS,
    "Environment.connection": _CHECKED,
    "Environment.connection_code": _WORDS,
    "Environment.connection_message": _WORDS,
    "Environment.holds_digest": "part of the baseline, which is read again before the call",
    "Environment.holds_label": _WORDS,
    "Environment.holds_ref": _WORDS,
    "Environment.holds_since": _WORDS,
    "Environment.hold_state": _WORDS,
    "Environment.hold_note": _WORDS,
    "Deployment.purpose": "its steps are in the plan",
    "Deployment.artefact": "must be the release's artefact; the gate compares",
    "Deployment.build": "belongs to builds, which nobody approves",
    "Deployment.candidate": "belongs to candidates, which nobody approves",
    "Deployment.state": _OUTCOME,
    "Deployment.reasons": _OUTCOME,
    "Deployment.message": _OUTCOME,
    "Deployment.organization_id": "must be the environment's; the gate compares",
    "Deployment.subject_digest": "is the digest; the gate compares it with today's",
    "Deployment.baseline": "its digest is bound",
    "Deployment.approval": "the request carries the digest",
    "Deployment.policy_version": "must be the one in force; the gate compares",
    "Deployment.not_before": "a copy; the gate obeys the release's, which is bound",
    "Deployment.not_after": "a copy; the gate obeys the release's, which is bound",
    "Deployment.approved_at": _OUTCOME,
    "Deployment.started_at": _OUTCOME,
    "Deployment.finished_at": _OUTCOME,
    "Deployment.cancel_requested_at": "stopping never needs a decision",
    "Deployment.cancel_requested_by": "stopping never needs a decision",
    "Deployment.uncovered": _OUTCOME,
    "Deployment.settle_outcome": _OUTCOME,
    "Deployment.settle_note": _OUTCOME,
    "Deployment.settled_by": _OUTCOME,
    "RunbookItem.added_by": _WORDS,
    "RunbookItem.rehearsed_at": "a tick, judged by the check of the runbook",
    "RunbookItem.rehearsed_by": "a tick, judged by the check of the runbook",
    "RunbookItem.done_at": "a tick, judged by the check of the runbook",
    "RunbookItem.done_by": "a tick, judged by the check of the runbook",
    "BreakGlass.request": "the request carries the digest",
    "BreakGlass.asked_by": "the requester, who is bound",
    "BreakGlass.used_at": _OUTCOME,
    "BreakGlass.review_due_at": _OUTCOME,
    "BreakGlass.reviewed_at": _OUTCOME,
    "BreakGlass.reviewed_by": _OUTCOME,
    "BreakGlass.review": _OUTCOME,
}
"""Fields of the bound objects that a change of does not void decisions, each with the reason."""
