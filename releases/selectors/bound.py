"""A deployment with every row that the gate looks at, as they are stored now, in one query."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from releases.models import Deployment, Step
from releases.states import Effect

JOINED = (
    "environment__track__team",
    "environment__policy",
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


def as_stored(pk: int) -> tuple[Deployment, bool]:
    """Read the deployment afresh, and whether a step of it writes.

    Nothing that a caller holds in memory reaches the gate.
    """
    writes = Step.objects.filter(deployment=OuterRef("pk"), effect=Effect.WRITE)
    rows = Deployment.objects.annotate(writes=Exists(writes)).select_related(*JOINED)
    row = rows.defer(*LARGE).get(pk=pk)
    return row, row.writes
