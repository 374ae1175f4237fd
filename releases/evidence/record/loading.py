"""Read everything that belongs to one change, in a number of queries that does not grow with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from governance.models import ApprovalRequest, AuditEvent, Decision, PolicyVersion
from releases.models import (
    Artefact,
    BreakGlass,
    Build,
    Candidate,
    CheckResult,
    Deployment,
    Release,
    ReleaseReview,
    RunbookItem,
    Step,
)
from releases.selectors import check_results, reviews
from releases.selectors.changes import ChangeRow, rows_of
from releases.states import DeploymentState, Purpose

NOT_RECORDED = "not recorded"
"""Stands where Gatehouse holds no fact, so that an empty place is never mistaken for a no."""


@dataclass(frozen=True, slots=True)
class Change:
    """One attempt on a protected environment with all that led to it."""

    deployment: Deployment
    release: Release | None
    artefact: Artefact
    candidates: list[Candidate]
    builds: dict[tuple[int, str], Build]
    components: list[ChangeRow]
    steps: list[Step]
    request: ApprovalRequest | None
    decisions: list[Decision]
    earlier_requests: list[ApprovalRequest]
    policy: PolicyVersion | None
    tried: list[Deployment]
    results: list[CheckResult]
    runbook: list[RunbookItem]
    break_glass: BreakGlass | None
    reviews: list[ReleaseReview]
    back_out: Deployment | None
    events: list[AuditEvent]

    @property
    def write(self) -> Step | None:
        """The step that changes the org; None in an attempt that only checks."""
        return next((step for step in self.steps if step.effect == "write"), None)


def load(deployment_id: int) -> Change:
    """Read one change."""
    deployment = Deployment.objects.select_related(
        "environment__track__team",
        "artefact",
        "release__composed_by",
        "release__base_snapshot",
        "requester",
        "approval__policy_version__policy",
        "approval__requester",
        "policy_version__policy",
        "preparation",
        "cancel_requested_by",
        "settled_by",
    ).get(pk=deployment_id)
    release, request = deployment.release, deployment.approval
    candidates = _candidates(deployment)
    version = request.policy_version if request else deployment.policy_version
    return Change(
        deployment=deployment,
        release=release,
        artefact=deployment.artefact,
        candidates=candidates,
        builds=_builds(candidates),
        components=rows_of(release) if release else [],
        steps=list(deployment.steps.prefetch_related("messages").order_by("position")),
        request=request,
        decisions=_decisions(request),
        earlier_requests=_earlier(release, request),
        policy=version,
        tried=_tried(release),
        results=_results(candidates),
        runbook=_runbook(release),
        break_glass=_break_glass(release, request),
        reviews=reviews.of(release) if release else [],
        back_out=_back_out(deployment),
        events=events_of(references(deployment, request)),
    )


def references(deployment: Deployment, request: ApprovalRequest | None) -> list[str]:
    """The public ids whose stories together are the story of this change."""
    found = [deployment.public_id]
    if deployment.release_id:
        found.append(f"{Release.PREFIX}-{deployment.release_id}")
    if request is not None:
        found.append(request.public_id)
    return found


def events_of(refs: list[str]) -> list[AuditEvent]:
    """Every event about any of these objects that has its place in the chain, in order."""
    rows = AuditEvent.objects.filter(related__overlap=refs, link__isnull=False)
    return list(rows.select_related("link").order_by("pk"))


def _candidates(deployment: Deployment) -> list[Candidate]:
    if deployment.release is None:
        return [deployment.candidate] if deployment.candidate else []
    rows = Candidate.objects.filter(
        items__release=deployment.release, items__removed_at__isnull=True
    )
    return list(
        rows.select_related("team", "repository", "artefact", "tested_by", "offered_by")
        .select_related("created_by")
        .order_by("team__name", "pk")
    )


def _builds(candidates: list[Candidate]) -> dict[tuple[int, str], Build]:
    """The build of each candidate's very commit, by repository and commit."""
    wanted = Q(pk__in=[])
    for row in candidates:
        wanted |= Q(repository_id=row.repository_id, sha=row.sha)
    return {(row.repository_id, row.sha): row for row in Build.objects.filter(wanted)}


def _decisions(request: ApprovalRequest | None) -> list[Decision]:
    if request is None:
        return []
    return list(request.decisions.select_related("person", "withdrawal").order_by("pk"))


def _earlier(release: Release | None, request: ApprovalRequest | None) -> list[ApprovalRequest]:
    if release is None:
        return []
    rows = ApprovalRequest.objects.filter(related__contains=[release.public_id])
    if request is not None:
        rows = rows.filter(pk__lt=request.pk)
    return list(rows.select_related("requester", "policy_version__policy").order_by("pk"))


def _tried(release: Release | None) -> list[Deployment]:
    """Every deployment of the release, so that rehearsal and validation can be told."""
    if release is None:
        return []
    rows = release.deployments.select_related("environment", "artefact").prefetch_related("steps")
    return list(rows.order_by("pk"))


def _results(candidates: list[Candidate]) -> list[CheckResult]:
    """What other systems reported about the candidates' commits."""
    rows = CheckResult.objects.filter(sha__in=[row.sha for row in candidates])
    found = rows.select_related("reported_by", "repository").order_by("received_at", "pk")
    teams = {(each.sha, each.team_id) for each in candidates}
    return [
        row
        for row in found
        if any(sha == row.sha and check_results.counts_in(row, team) for sha, team in teams)
    ]


def _runbook(release: Release | None) -> list[RunbookItem]:
    if release is None:
        return []
    rows = release.runbook.filter(removed_at__isnull=True)
    return list(rows.select_related("owner", "done_by", "rehearsed_by"))


def _break_glass(release: Release | None, request: ApprovalRequest | None) -> BreakGlass | None:
    """The emergency that this change went by."""
    if release is None:
        return None
    rows = release.break_glass.select_related("asked_by", "reviewed_by")
    return rows.filter(request=request).first() if request else None


def _back_out(deployment: Deployment) -> Deployment | None:
    """The newest rollback of this environment that had worked when the change was planned."""
    rows = Deployment.objects.filter(
        environment=deployment.environment_id,
        organization_id=deployment.organization_id,
        release__change_class=Release.ChangeClass.ROLLBACK,
        purpose=Purpose.RELEASE,
        state=DeploymentState.SUCCEEDED,
        finished_at__lt=deployment.created_at,
    )
    return rows.select_related("release").order_by("-finished_at").first()


def person(user: Any) -> dict[str, Any] | None:
    """Name a person in a record: the number never changes, the name is for people."""
    return None if user is None else {"id": user.pk, "name": user.full_name}
