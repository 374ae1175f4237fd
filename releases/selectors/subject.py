"""The subject of a production deployment as the rows say it now."""

from __future__ import annotations

from datetime import datetime

from core.digests import canonical_json
from environments.models import Environment
from governance.models import PolicyVersion, User
from releases.models import Artefact, Deployment, Release
from releases.rules.subject import Subject

NONE_YET = "none"


def composition(release: Release) -> tuple[tuple[int, str], ...]:
    """Candidates in the release with the commits they name, in a fixed order."""
    items = release.items.filter(removed_at__isnull=True)
    rows = items.values_list("candidate_id", "candidate__sha").order_by("candidate_id")
    return tuple((pk, sha) for pk, sha in rows)


def build(
    *,
    release: Release,
    artefact: Artefact,
    environment: Environment,
    baseline_digest: str,
    plan: dict[str, object],
    policy_version: PolicyVersion,
    requester: User,
) -> Subject:
    """The bound tuple from its parts; rollback and runbook are "none" until they exist."""
    return Subject(
        artefact=artefact.digest,
        baseline=baseline_digest,
        environment_id=environment.pk,
        organization_id=environment.organization_id or "",
        plan=plan,
        rollback=NONE_YET,
        policy_version_id=policy_version.pk,
        runbook=NONE_YET,
        composition=composition(release),
        change_class=release.change_class,
        requester_id=requester.pk,
        not_before=_moment(release.not_before),
        not_after=_moment(release.not_after),
    )


def current(deployment: Deployment, policy_version: PolicyVersion) -> Subject | None:
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
    )


def _moment(value: datetime | None) -> str:
    return "" if value is None else canonical_json(value).decode().strip('"')
