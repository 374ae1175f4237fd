"""A deployment with every row that the gate looks at, as they are stored now.

In a few queries with few joins each: PostgreSQL plans a statement anew every time, and for one
that joins twenty tables planning costs more than all the rest of the gate.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet

from core.composed import Composed, Given, Question
from environments.models import Environment
from governance.models import ApprovalRequest
from releases.models import Build, Candidate, Deployment, Step
from releases.states import DeploymentState, Effect

JOINED = ("artefact", "release", "preparation", "requester")
OF_ENVIRONMENT = ("track", "policy", "lease")
OF_APPROVAL = ("policy_version__policy",)
LARGE = (
    "baseline",
    "reasons",
    "preparation__baseline",
    "preparation__plan",
    "preparation__reasons",
    "artefact__manifest",
)
"""Columns that grow with the contents and decide nothing."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The deployment, whether a step of it writes, and what its artefact went through before."""

    deployment: Deployment
    writes: bool
    done: frozenset[str]
    """Purposes for which the release's artefact was deployed successfully."""


def foreseen(deployment: Deployment) -> list[Question]:
    """What ``as_stored`` will ask about it, if the deployment in hand is still what is stored."""
    asked = [_DEPLOYMENT.asked(pk=deployment.pk), _ENVIRONMENT.asked(pk=deployment.environment_id)]
    return [*asked, _REQUEST.asked(pk=deployment.approval_id)] if deployment.approval_id else asked


def as_stored(pk: int) -> Stored:
    """Read the deployment afresh; nothing that a caller holds in memory reaches the gate."""
    (row,) = _DEPLOYMENT(pk=pk)
    (row.environment,) = _ENVIRONMENT(pk=row.environment_id)
    _read_approval(row)
    _read_owner(row)
    return Stored(row, row.writes, frozenset(row.done))


def _deployment() -> QuerySet[Deployment]:
    writes = Step.objects.filter(deployment=OuterRef("pk"), effect=Effect.WRITE)
    done = Deployment.objects.filter(
        release=OuterRef("release"),
        artefact=OuterRef("artefact"),
        state=DeploymentState.SUCCEEDED,
    )
    rows = Deployment.objects.filter(pk=Given("pk", "bigint")).annotate(
        writes=Exists(writes), done=ArraySubquery(done.values("purpose").distinct())
    )
    return rows.select_related(*JOINED).defer(*LARGE)


_DEPLOYMENT = Composed(_deployment)
_ENVIRONMENT = Composed(
    lambda: Environment.objects.filter(pk=Given("pk", "bigint")).select_related(*OF_ENVIRONMENT)
)
_REQUEST = Composed(
    lambda: ApprovalRequest.objects.filter(pk=Given("pk", "bigint")).select_related(*OF_APPROVAL)
)


def _read_approval(row: Deployment) -> None:
    """Read the request, and the policy's version with it when the deployment obeys the same."""
    if row.approval_id is None:
        return
    (asked,) = _REQUEST(pk=row.approval_id)
    row.approval = asked
    if row.requester is not None and row.requester_id == asked.requester_id:
        asked.requester = row.requester
    if row.policy_version_id == asked.policy_version_id:
        row.policy_version = asked.policy_version


def _read_owner(row: Deployment) -> None:
    """Read whose deployment it is; its artefact is read again only when it is another by now."""
    if row.candidate_id is not None:
        row.candidate = Candidate.objects.select_related("team").get(pk=row.candidate_id)
    if row.build_id is not None:
        row.build = Build.objects.select_related("repository__team").get(pk=row.build_id)
    for owner in (row.release, row.candidate, row.build):
        if owner is not None and owner.artefact_id == row.artefact_id:
            owner.artefact = row.artefact
