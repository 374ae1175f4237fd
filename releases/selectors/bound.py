"""A deployment with every row that the gate looks at, as they are stored now, in one query."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef

from releases.models import Deployment, Step
from releases.states import DeploymentState, Effect

JOINED = (
    "environment__track__team",
    "environment__policy",
    "environment__lease",
    "artefact",
    "release__artefact",
    "candidate__team",
    "build__repository__team",
    "build__artefact",
    "candidate__artefact",
    "preparation",
    "requester",
    "approval__requester",
    "approval__policy_version__policy",
    "policy_version__policy",
)
LARGE = (
    "baseline",
    "reasons",
    "preparation__baseline",
    "preparation__plan",
    "preparation__reasons",
    "artefact__manifest",
    "release__artefact__manifest",
    "build__artefact__manifest",
    "candidate__artefact__manifest",
)
"""Columns that grow with the contents and decide nothing."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The deployment, whether a step of it writes, and what its artefact went through before."""

    deployment: Deployment
    writes: bool
    done: frozenset[str]
    """Purposes for which the release's artefact was deployed successfully."""


def as_stored(pk: int) -> Stored:
    """Read the deployment afresh; nothing that a caller holds in memory reaches the gate."""
    writes = Step.objects.filter(deployment=OuterRef("pk"), effect=Effect.WRITE)
    done = Deployment.objects.filter(
        release=OuterRef("release"),
        artefact=OuterRef("artefact"),
        state=DeploymentState.SUCCEEDED,
    )
    rows = Deployment.objects.annotate(
        writes=Exists(writes), done=ArraySubquery(done.values("purpose").distinct())
    )
    row = rows.select_related(*JOINED).defer(*LARGE).get(pk=pk)
    return Stored(row, row.writes, frozenset(row.done))
