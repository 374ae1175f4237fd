"""Lists of deployments and how one is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from core import clock, ids
from environments.states import Stage
from releases.models import Deployment
from releases.selectors import durations, paging, words
from releases.states import LIVE_DEPLOYMENTS, DeploymentState, Purpose, StepKind, StepState

SHOWN_PURPOSES = tuple((purpose.value, words.PURPOSE[purpose]) for purpose in Purpose)
SHOWN_STATES = tuple((state.value, words.DEPLOYMENT[state].text) for state in DeploymentState)
STATES = frozenset(DeploymentState)
PURPOSES = frozenset(Purpose)
EXPORTED = 5000


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """One deployment in a list."""

    deployment: Deployment
    word: words.Word
    title: str
    purpose: str
    seconds: float | None
    usual: float | None

    @property
    def is_live(self) -> bool:
        """Whether it waits or runs."""
        return self.deployment.state in LIVE_DEPLOYMENTS

    @property
    def uncovered_text(self) -> str:
        """What happens now that its approval was lost after it was sent."""
        return words.uncovered(self.deployment)


@dataclass(frozen=True, slots=True)
class DeploymentFilter:
    """What the list's URL asks for; unknown words are left out, not refused."""

    query: str = ""
    state: str = ""
    purpose: str = ""
    environment: str = ""

    @property
    def is_set(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.query or self.state or self.purpose or self.environment)


def with_names(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Join everything that a row's title needs."""
    return rows.select_related(
        "environment",
        "artefact",
        "release",
        "requester",
        "candidate__team",
        "build__repository__team",
    )


def carries(deployment: Deployment) -> str:
    """What it carries, in a few words: ``R-42``, ``Sales v4.2.0`` or ``Sales 9f3c2e1``."""
    if deployment.environment.stage == Stage.CANARY:
        return "Canary"
    if deployment.release is not None:
        return deployment.release.public_id
    if deployment.candidate is not None:
        return f"{deployment.candidate.team.name} {deployment.candidate.tag}"
    if deployment.build is not None:
        return f"{deployment.build.repository.team.name} {deployment.build.sha[:7]}"
    return str(deployment.artefact)


def title(deployment: Deployment) -> str:
    """What it carries and where to: ``R-42 to Production``."""
    return f"{carries(deployment)} to {deployment.environment.name}"


def rows_of(deployments: Iterable[Deployment], now: datetime | None = None) -> list[DeploymentRow]:
    """Rows for a list, with the usual time only where something is under way; one query."""
    found = list(deployments)
    usual = durations.usual(row for row in found if row.state in LIVE_DEPLOYMENTS)
    moment = now or clock.now()
    return [
        DeploymentRow(
            deployment=row,
            word=words.deployment(row),
            title=title(row),
            purpose=words.PURPOSE[Purpose(row.purpose)],
            seconds=durations.elapsed(row, moment),
            usual=usual.get((row.environment_id, row.purpose)),
        )
        for row in found
    ]


def listing(
    wanted: DeploymentFilter, place: paging.Place
) -> tuple[paging.Page[Deployment], list[DeploymentRow]]:
    """One page of deployments, newest first."""
    page = paging.page(with_names(_filtered(wanted)), place)
    return page, rows_of(page.rows)


def export(wanted: DeploymentFilter) -> list[DeploymentRow]:
    """The newest deployments that match, at most ``EXPORTED``, for a file."""
    return rows_of(with_names(_filtered(wanted)).order_by("-pk")[:EXPORTED])


def _filtered(wanted: DeploymentFilter) -> QuerySet[Deployment]:
    rows = Deployment.objects.all()
    if wanted.state in STATES:
        rows = rows.filter(state=wanted.state)
    elif wanted.state == "live":
        rows = rows.filter(state__in=LIVE_DEPLOYMENTS)
    if wanted.purpose in PURPOSES:
        rows = rows.filter(purpose=wanted.purpose)
    environment = ids.parse_ref(wanted.environment)
    # What the canary tries is shown only to who asks for the canary.
    if environment is not None and environment[0] == "E":
        rows = rows.filter(environment_id=environment[1])
    else:
        rows = rows.exclude(environment__stage=Stage.CANARY)
    return _searched(rows, wanted.query.strip())


def _searched(rows: QuerySet[Deployment], query: str) -> QuerySet[Deployment]:
    if not query:
        return rows
    reference = ids.parse_ref(query.upper())
    if reference is not None:
        column = {"D": "pk", "R": "release_id", "C": "candidate_id", "B": "build_id"}
        name = {**column, "E": "environment_id"}.get(reference[0])
        return rows.filter(**{name: reference[1]}) if name else rows.none()
    return rows.filter(
        Q(environment__name__icontains=query)
        | Q(release__title__icontains=query)
        | Q(candidate__tag__icontains=query)
        | Q(candidate__team__name__icontains=query)
        | Q(build__repository__team__name__icontains=query)
        | Q(build__sha__startswith=query.lower())
        | Q(artefact__digest__startswith=f"sha256:{query.lower()}")
        | Q(requester__full_name__icontains=query)
    )


def has_snapshot(deployment: Deployment) -> bool:
    """Whether its snapshot step succeeded; reads the prefetched steps."""
    return any(
        step.kind == StepKind.SNAPSHOT and step.state == StepState.SUCCEEDED
        for step in deployment.steps.all()
    )


def find(pk: int) -> Deployment | None:
    """The deployment with what its title names."""
    return with_names(Deployment.objects.filter(pk=pk)).first()
