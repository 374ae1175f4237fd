"""Send a composed release along the production track and put it before the board."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from core import db
from core.errors import NotNow
from environments.models import Environment
from governance import approvals
from governance.models import ApprovalRequest, PolicyVersion
from governance.permissions import acting_person, demand
from governance.rules.policy import parse
from releases.models import Artefact, Deployment, Release
from releases.rules.subject import Subject
from releases.selectors import marks, policies, segregation, subject, testing
from releases.services import break_glass, deployments, releases
from releases.states import DeploymentState, Purpose, ReleaseState, StepKind

SHORT_WAY = frozenset({ReleaseState.COMPOSED, ReleaseState.INTEGRATED, ReleaseState.REHEARSED})
"""From where an emergency or a rollback goes to production."""


@transaction.atomic
def integrate(*, release_id: int) -> Deployment:
    """Deploy the composed artefact to the production track's CI org."""
    return _send(release_id, Purpose.INTEGRATE, "CI", ReleaseState.INTEGRATING)


@transaction.atomic
def rehearse(*, release_id: int) -> Deployment:
    """Deploy the integrated artefact to PRE-PRD, the rehearsal."""
    return _send(release_id, Purpose.REHEARSE, "PRE-PRD", ReleaseState.REHEARSING)


def _send(release_id: int, purpose: Purpose, stage_name: str, state: ReleaseState) -> Deployment:
    demand("release.deploy")
    release = releases.lock(release_id)
    environment = releases.stage(stage_name)
    releases.move(release, state, state_note="")
    deployment = deployments.plan(
        purpose=purpose,
        environment=environment,
        artefact=artefact_of(release),
        requester=acting_person(),
        release=release,
        policy_version=policies.in_force(environment),
    )
    releases.record(
        f"release.{state.value}", release, [deployment.public_id], environment=environment.name
    )
    return deployment


def artefact_of(release: Release) -> Artefact:
    """The composed artefact; raises ``release.not_composed`` when there is none."""
    if release.artefact is None:
        raise NotNow("release.not_composed", f"{release.public_id} is not composed yet.")
    return release.artefact


@transaction.atomic
def prepare(*, release_id: int) -> Deployment:
    """Snapshot production and validate the artefact there, check-only, before people decide."""
    demand("release.deploy")
    release = releases.lock(release_id)
    if release.state not in _ready_states(release):
        raise NotNow(
            "release.not_rehearsed",
            f"{release.public_id} is {release.state}; production is prepared after the rehearsal.",
        )
    if releases.live(release, Purpose.PREPARE):
        raise NotNow("release.preparing", f"{release.public_id} is already being prepared.")
    environment = releases.stage("PRD")
    deployment = deployments.plan(
        purpose=Purpose.PREPARE,
        environment=environment,
        artefact=artefact_of(release),
        requester=acting_person(),
        release=release,
        policy_version=policies.for_release(environment, release.change_class),
    )
    releases.note(release, "")
    releases.record(
        "release.preparing", release, [deployment.public_id], environment=environment.name
    )
    return deployment


def preparation_of(release: Release) -> Deployment | None:
    """The newest preparation that succeeded for the release's present artefact and tests.

    One that was compared with what an earlier composition began from is none.
    """
    rows = release.deployments.filter(
        purpose=Purpose.PREPARE,
        state=DeploymentState.SUCCEEDED,
        artefact=release.artefact,
    )
    if release.base_snapshot_id is not None:
        rows = rows.filter(
            steps__kind=StepKind.SNAPSHOT,
            steps__facts__composed_against=release.base_snapshot_id,
        )
    newest = rows.select_related("environment").order_by("-pk").first()
    if newest is None:
        return None
    version = policies.for_release(newest.environment, release.change_class)
    return newest if testing.selection(release, version) == newest.tests else None


@transaction.atomic
def submit(*, release_id: int) -> ApprovalRequest:
    """Ask the board: plan the production deployment, bind it to its subject and open the request.

    Codes: ``release.not_prepared``, ``policy.missing``, and what ``approvals.open_request`` raises
    (for instance when nobody may decide).
    """
    demand("release.deploy")
    release = releases.lock(release_id)
    environment = releases.stage("PRD")
    preparation = preparation_of(release)
    if release.state not in _ready_states(release) or preparation is None:
        raise NotNow(
            "release.not_prepared",
            f"{release.public_id} is not prepared with what it holds and the tests that it runs "
            "now: rehearse it, then prepare production.",
        )
    version = policies.for_release(environment, release.change_class)
    if version is None:
        raise NotNow("policy.missing", f"{environment.name} has no policy, so nothing may go.")
    if release.change_class == Release.ChangeClass.EMERGENCY:
        break_glass.refuse_overdue()
        break_glass.newest(release)
    bound = _subject(release, environment, preparation, version)
    deployment = deployments.plan(
        purpose=Purpose.RELEASE,
        environment=environment,
        artefact=artefact_of(release),
        requester=acting_person(),
        release=release,
        preparation=preparation,
        policy_version=version,
        subject_digest=bound.digest(),
    )
    exclusions, unmapped = segregation.excluded(release)
    emergency = release.change_class == Release.ChangeClass.EMERGENCY
    request = approvals.open_request(
        kind=releases.BREAK_GLASS_KIND if emergency else releases.SUBJECT_KIND,
        subject_id=release.pk,
        digest=bound.digest(),
        policy_version=version,
        requester=acting_person(),
        exclusions=exclusions,
        unmapped=unmapped,
        expires_at=_expiry(release, version),
        label=f"{release} for {environment.name} ({release.artefact})",
        url=reverse("releases:approval", kwargs={"pk": release.pk}),
        marks=marks.of(release),
    )
    deployments.bind_approval(deployment, request)
    if emergency:
        break_glass.asked(release, request)
    releases.move(release, ReleaseState.SUBMITTED, state_note="")
    releases.record("release.submitted", release, [request.public_id, deployment.public_id])
    return request


def _ready_states(release: Release) -> frozenset[ReleaseState]:
    """From where a release of this class may be prepared and submitted."""
    short = release.change_class in releases.SHORT_CLASSES
    return SHORT_WAY if short else frozenset({ReleaseState.REHEARSED})


def _expiry(release: Release, version: PolicyVersion) -> datetime:
    """The policy's life of an approval, and no longer than the release's window."""
    life = timedelta(hours=parse(version.body).expires_hours)
    if release.change_class == Release.ChangeClass.EMERGENCY:
        life = min(life, break_glass.LIFE_MAX)
    ends = db.database_now() + life
    return min(ends, release.not_after) if release.not_after else ends


def _subject(
    release: Release,
    environment: Environment,
    preparation: Deployment,
    version: PolicyVersion,
) -> Subject:
    return subject.build(
        release=release,
        artefact=artefact_of(release),
        environment=environment,
        baseline_digest=preparation.baseline_digest,
        plan=deployments.plan_of(Purpose.RELEASE, version, release),
        policy_version=version,
        requester=acting_person(),
    )


@transaction.atomic
def withdraw_submission(*, release_id: int, reason: str) -> Release:
    """Take the question back from the board; the release stays rehearsed."""
    demand("release.deploy")
    release = releases.lock(release_id)
    if release.state not in (
        ReleaseState.SUBMITTED,
        ReleaseState.APPROVED,
        ReleaseState.SCHEDULED,
    ):
        raise NotNow("release.not_submitted", f"{release.public_id} is not before the board.")
    why = reason.strip() or "the submission was withdrawn"
    releases.void(release, why, to=ReleaseState.REHEARSED)
    releases.record("release.submission_withdrawn", release, reason=why)
    return release
