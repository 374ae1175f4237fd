"""The subject of a production deployment as the rows say it now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.digests import canonical_json, digest_json
from environments.models import Environment
from governance.models import PolicyVersion, User
from releases.models import Artefact, BreakGlass, Deployment, Release, RunbookItem
from releases.rules.subject import Subject
from releases.selectors import cargo
from releases.selectors.cargo import Cargo

NONE_YET = "none"


def runbook(steps: Iterable[RunbookItem]) -> str:
    """The version of the runbook: a digest of its steps' words, "none" without any."""
    rows = [[row.pk, row.phase, row.text, row.owner_id, row.critical] for row in steps]
    return digest_json(rows) if rows else NONE_YET


def emergency(release: Release) -> str:
    """Reason and incident of the newest break-glass of a release; empty for other classes."""
    if release.change_class != Release.ChangeClass.EMERGENCY:
        return ""
    newest = BreakGlass.objects.filter(release=release).order_by("-pk")
    found = newest.values_list("pk", "reason", "incident").first()
    return digest_json(list(found)) if found else NONE_YET


def chosen_tests(release: Release) -> str:
    """A digest of what people chose about the tests; "none" where they chose nothing.

    What is proposed follows from the artefact, and what is sent stands in the plan.
    """
    chosen = [release.test_level, release.tests_added, release.tests_removed]
    return digest_json(chosen) if any(chosen) else NONE_YET


def build(
    *,
    release: Release,
    artefact: Artefact,
    environment: Environment,
    baseline_digest: str,
    plan: dict[str, object],
    policy_version: PolicyVersion,
    requester: User,
    carries: Cargo | None = None,
) -> Subject:
    """The bound tuple from its parts; the rollback is "none" until one is computed.

    ``carries`` is what the release carries, when the caller has read it in this transaction.
    """
    aboard = carries or cargo.of_release(release)
    return Subject(
        artefact=artefact.digest,
        baseline=baseline_digest,
        environment_id=environment.pk,
        organization_id=environment.organization_id or "",
        plan=plan,
        rollback=NONE_YET,
        policy_version_id=policy_version.pk,
        runbook=runbook(aboard.steps),
        emergency=emergency(release),
        composition=tuple((load.candidate_id, load.sha) for load in aboard.loads),
        resolutions=digest_json(list(aboard.decided)) if aboard.decided else NONE_YET,
        tests=chosen_tests(release),
        change_class=release.change_class,
        requester_id=requester.pk,
        not_before=_moment(release.not_before),
        not_after=_moment(release.not_after),
    )


def current(
    deployment: Deployment, policy_version: PolicyVersion, carries: Cargo | None = None
) -> Subject | None:
    """The subject of a planned production deployment, recomputed from today's rows.

    ``None`` when a bound row is missing, which the gate treats as changed.
    """
    release, preparation = deployment.release, deployment.preparation
    if release is None or preparation is None or deployment.requester is None:
        return None
    if release.artefact is None:
        return None
    return build(
        release=release,
        artefact=release.artefact,
        environment=deployment.environment,
        baseline_digest=preparation.baseline_digest,
        plan=deployment.plan,
        policy_version=policy_version,
        requester=deployment.requester,
        carries=carries,
    )


def _moment(value: datetime | None) -> str:
    return "" if value is None else canonical_json(value).decode().strip('"')
