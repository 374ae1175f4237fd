"""How long deployments take and usually took, in seconds, from the rows of the past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from statistics import median

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from releases.models import Deployment, Step
from releases.states import DeploymentState, StepState

REMEMBERED = 10


def elapsed(row: Deployment | Step, now: datetime) -> float | None:
    """Seconds that a deployment or step ran, until ``now`` while it runs; None before it began."""
    if row.started_at is None:
        return None
    return max(((row.finished_at or now) - row.started_at).total_seconds(), 0.0)


def usual(deployments: Iterable[Deployment]) -> dict[tuple[int, str], float]:
    """Median seconds of the last ten that succeeded, by (environment, purpose); one query."""
    wanted = {(row.environment_id, row.purpose) for row in deployments}
    if not wanted:
        return {}
    past = (
        Deployment.objects.filter(
            environment_id__in={environment for environment, _ in wanted},
            purpose__in={purpose for _, purpose in wanted},
            state=DeploymentState.SUCCEEDED,
        )
        .annotate(
            recency=Window(
                RowNumber(),
                partition_by=[F("environment_id"), F("purpose")],
                order_by=F("pk").desc(),
            )
        )
        .filter(recency__lte=REMEMBERED)
        .values_list("environment_id", "purpose", "started_at", "finished_at")
    )
    spans: dict[tuple[int, str], list[float]] = defaultdict(list)
    for environment, purpose, began, ended in past:
        if began and ended:
            spans[environment, purpose].append((ended - began).total_seconds())
    return {key: median(values) for key, values in spans.items()}


def usual_steps(deployment: Deployment) -> dict[str, float]:
    """Median seconds of each kind of step in the last ten of the same purpose there; one query."""
    last = (
        Deployment.objects.filter(
            environment_id=deployment.environment_id,
            purpose=deployment.purpose,
            state=DeploymentState.SUCCEEDED,
        )
        .order_by("-pk")
        .values("pk")[:REMEMBERED]
    )
    rows = Step.objects.filter(
        deployment__in=last,
        state=StepState.SUCCEEDED,
    ).values_list("kind", "started_at", "finished_at")
    spans: dict[str, list[float]] = defaultdict(list)
    for kind, began, ended in rows:
        if began and ended:
            spans[kind].append((ended - began).total_seconds())
    return {kind: median(values) for kind, values in spans.items()}
