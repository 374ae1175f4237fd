"""Where production can go back to: artefacts that were approved for it and ran there (I-28)."""

from __future__ import annotations

from django.db.models import QuerySet

from environments.models import Environment
from releases.models import Artefact, Deployment, Release
from releases.states import DeploymentState, Purpose

SHOWN = 10


def _approved(environment: Environment) -> QuerySet[Deployment]:
    """Deployments that people approved and that succeeded in this organisation.

    A release of only what differed is none: its package would not bring the rest back.
    """
    return Deployment.objects.filter(
        environment=environment,
        organization_id=environment.organization_id,
        purpose=Purpose.RELEASE,
        state=DeploymentState.SUCCEEDED,
        approval__isnull=False,
        approved_at__isnull=False,
        release__scope=Release.Scope.WHOLE,
    )


def was_approved_here(environment: Environment, artefact: Artefact) -> bool:
    """Whether this very artefact was approved for and deployed to the environment before."""
    return _approved(environment).filter(artefact=artefact).exists()


def earlier(environment: Environment) -> list[Deployment]:
    """What the environment may go back to, the newest first; not what it holds now."""
    rows = (
        _approved(environment)
        .exclude(artefact__digest=environment.holds_digest)
        .select_related("release", "artefact")
        .order_by("-finished_at")
    )
    newest: dict[int, Deployment] = {}
    for row in rows[: 5 * SHOWN]:
        newest.setdefault(row.artefact_id, row)
    return list(newest.values())[:SHOWN]
