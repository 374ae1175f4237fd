"""The board's decision on a release: the page's digest against today's, then governance decides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q

from core import db
from core.errors import NotNow, Stale
from governance import approvals
from governance.models import ApprovalRequest, Decision, PolicyVersion
from governance.permissions import demand
from releases.models import Deployment, Release
from releases.selectors import policies, subject
from releases.services import break_glass, deployments, releases
from releases.states import ReleaseState


@dataclass(frozen=True, slots=True)
class ApprovalCard:
    """What the approval page shows about the question itself."""

    request: ApprovalRequest | None
    deployment: Deployment | None
    progress: approvals.Progress | None
    shown_digest: str
    voids: tuple[str, ...]
    policy: PolicyVersion | None = None
    """The version in force for the deployment."""


VOIDS = (
    "any change of contents, tests, plan or window",
    "a change in production of a component that this release touches",
    "a new version of the policy",
    "the loss of an approver's role",
)


def request_of(release: Release) -> ApprovalRequest | None:
    """The newest approval request about a release."""
    rows = ApprovalRequest.objects.filter(subject_kind__in=releases.KINDS, subject_id=release.pk)
    return rows.select_related("policy_version__policy", "requester").order_by("-pk").first()


def deployment_of(request: ApprovalRequest) -> Deployment | None:
    """The deployment that a request lets go on."""
    rows = Deployment.objects.filter(approval=request).select_related(
        "environment__policy", "release__artefact", "preparation", "requester", "artefact"
    )
    return rows.order_by("-pk").first()


def card(release: Release) -> ApprovalCard:
    """The question as it stands now, for the page."""
    request = request_of(release)
    if request is None:
        return ApprovalCard(None, None, None, "", VOIDS)
    deployment = deployment_of(request)
    version = _version(deployment)
    digest = _current_digest(deployment, version)
    return ApprovalCard(
        request=request,
        deployment=deployment,
        progress=approvals.progress(request, current_digest=digest),
        shown_digest=request.digest,
        voids=VOIDS,
        policy=version,
    )


def _version(deployment: Deployment | None) -> PolicyVersion | None:
    """The version of the policy that the deployment obeys now."""
    return policies.of_deployment(deployment, deployment.environment) if deployment else None


def _current_digest(deployment: Deployment | None, version: PolicyVersion | None) -> str:
    """The subject's digest as today's rows give it; empty when it cannot be built."""
    if deployment is None or version is None:
        return ""
    now = subject.current(deployment, version)
    return now.digest() if now else ""


@transaction.atomic
def decide(
    *,
    release_id: int,
    verdict: str,
    comment: str,
    shown_digest: str,
    auth_strength: str,
) -> Decision:
    """Record a person's approval or rejection of exactly what the page showed.

    Codes: ``approval.none`` when nobody was asked, ``approval.stale`` (409) when the page is
    older than the question or the subject changed, and those of ``governance.approvals.decide``.
    """
    demand("release.decide")
    release = releases.lock(release_id)
    request = request_of(release)
    deployment = deployment_of(request) if request else None
    if request is None or deployment is None:
        raise NotNow("approval.none", f"Nobody is asked to decide on {release.public_id} now.")
    current = _current_digest(deployment, _version(deployment))
    if shown_digest != request.digest or current != request.digest:
        raise Stale(
            "approval.stale",
            "Something changed since you opened this page. Read it again, then decide; "
            "nothing was recorded.",
            shown=shown_digest,
            current=current,
        )
    return approvals.decide(
        request_id=request.pk,
        verdict=verdict,
        comment=comment,
        shown_digest=shown_digest,
        current_digest=current,
        auth_strength=auth_strength,
    )


@transaction.atomic
def withdraw_decision(*, release_id: int, reason: str) -> None:
    """Take back one's own decision; a deployment that was sent already is stopped if it can be."""
    release = releases.lock(release_id)
    request = request_of(release)
    if request is None:
        raise NotNow("approval.none", f"Nobody is asked to decide on {release.public_id} now.")
    approvals.withdraw_decision(request_id=request.pk, reason=reason)


# What the loss of an approval means for a deployment that was sent already, and whether to stop it.
# That its time runs out meanwhile means nothing: it counted when the write was intended.
_LOST = {
    "open": ("An approval no longer counts", True),
    "rejected": ("The board rejected it", True),
    "withdrawn": ("The question was taken back", True),
    "superseded": ("What was approved was changed", False),
}


def outcome(request_id: int) -> None:
    """Move the release when its request is settled; called by governance in its transaction."""
    request = ApprovalRequest.objects.get(pk=request_id)
    deployment = deployment_of(request)
    if deployment is None or deployment.release_id is None:
        return
    release = releases.lock(deployment.release_id)
    if release.state == ReleaseState.DEPLOYING and request.state in _LOST:
        reason, stop = _LOST[request.state]
        deployments.uncover(deployment, reason, stop=stop)
    elif request.state == "satisfied" and release.state == ReleaseState.SUBMITTED:
        releases.move(release, ReleaseState.APPROVED)
        releases.record("release.approved", release, [request.public_id])
        break_glass.approved(request)
        opens = deployment.not_before
        if opens is not None and opens > db.database_now():
            releases.move(release, ReleaseState.SCHEDULED)
            releases.record("release.scheduled", release, opens=opens.isoformat())
        deployments.approved(deployment)
    elif request.state in ("rejected", "expired", "withdrawn", "superseded") and release.state in (
        ReleaseState.SUBMITTED,
        ReleaseState.APPROVED,
        ReleaseState.SCHEDULED,
    ):
        reasons = {
            "rejected": "the board rejected it",
            "expired": "the approval expired",
            "superseded": request.note or "what it was bound to changed",
        }
        releases.void(
            release,
            reasons.get(request.state, "the request was withdrawn"),
            to=ReleaseState.REHEARSED,
        )
        if request.state == "rejected":
            releases.record("release.rejected", release, [request.public_id])
    elif request.state == "open" and release.state in (
        ReleaseState.APPROVED,
        ReleaseState.SCHEDULED,
    ):
        releases.void(release, "an approval was taken back", to=ReleaseState.REHEARSED)


def describe(releases_asked: Collection[int]) -> dict[int, approvals.subjects.Facts]:
    """Describe releases for governance's inbox."""
    held = Count("items", filter=Q(items__removed_at__isnull=True))
    rows = Release.objects.filter(pk__in=releases_asked).annotate(held=held)
    found = {}
    for row in rows.select_related("artefact").defer("artefact__manifest"):
        size = [f"{row.artefact.component_count} components"] if row.artefact else []
        found[row.pk] = (f"{row.held} candidates", *size)
    return found
