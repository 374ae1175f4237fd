"""What the page of one release shows, in a fixed number of queries.

The next action, the approval and the gate's answer come from their own modules; this one reads
contents, checks, rehearsal and deployments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from environments.models import Environment
from releases.models import Candidate, ComponentConflict, Deployment, Release, ReleaseItem, Step
from releases.rules.testing import Selection
from releases.selectors import (
    changes,
    checks,
    collisions,
    deployments,
    durations,
    environments,
    words,
)
from releases.selectors.changes import ChangesTable
from releases.selectors.deployments import DeploymentRow
from releases.states import (
    LIVE_DEPLOYMENTS,
    CandidateState,
    DeploymentState,
    Purpose,
    ReleaseState,
    StepKind,
)

DEPLOYMENTS_SHOWN = 50
DECIDED_ON = (ReleaseState.SUBMITTED, ReleaseState.APPROVED, ReleaseState.SCHEDULED)


@dataclass(frozen=True, slots=True)
class ContentRow:
    """A candidate in the release."""

    item: ReleaseItem
    candidate: Candidate
    word: words.Word


@dataclass(frozen=True, slots=True)
class Contents:
    """What the release holds and what stands in the way."""

    rows: tuple[ContentRow, ...]
    conflicts: tuple[ComponentConflict, ...]

    @property
    def open_conflicts(self) -> tuple[ComponentConflict, ...]:
        """Conflicts that stop the composition now."""
        return tuple(row for row in self.conflicts if row.settled_at is None)


@dataclass(frozen=True, slots=True)
class RehearsalLine:
    """One step of the rehearsal with the time it took."""

    step: Step
    word: words.Word
    name: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The newest rehearsal of what the release holds now."""

    row: deployments.DeploymentRow
    steps: tuple[RehearsalLine, ...]


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """A release with its sections."""

    release: Release
    word: words.Word
    target: Environment | None
    contents: Contents
    changes: ChangesTable
    checks: tuple[checks.Check, ...]
    rehearsal: Rehearsal | None
    deployments: tuple[deployments.DeploymentRow, ...]
    collisions: tuple[collisions.CollisionRow, ...]

    @property
    def uncovered(self) -> list[DeploymentRow]:
        """Deployments whose approval was lost after they were sent."""
        return [row for row in self.deployments if row.deployment.uncovered]

    @property
    def asked_tests(self) -> Selection | None:
        """The tests of the deployment that people are asked about, or were."""
        asked = (row.deployment for row in self.deployments if row.deployment.subject_digest)
        return next((row.tests for row in asked if row.state != DeploymentState.SUPERSEDED), None)

    @property
    def checks_done(self) -> int:
        """How many checks are settled and good."""
        return sum(1 for check in self.checks if check.word.state == "done")

    @property
    def checks_counted(self) -> int:
        """How many checks can settle; what Gatehouse does not compute cannot."""
        return sum(1 for check in self.checks if check.word.state != "none")

    @property
    def poll_seconds(self) -> int:
        """How often the page asks again: often while a worker moves it, seldom while people do."""
        moving = {DeploymentState.QUEUED, DeploymentState.RUNNING}
        if self.word.state == "running" or self.release.state == ReleaseState.APPROVED:
            return 2
        if any(row.deployment.state in moving for row in self.deployments):
            return 2
        return 10 if self.is_decided_on else 0

    @property
    def is_draft(self) -> bool:
        """Whether its contents change without voiding anything."""
        return self.release.state == ReleaseState.DRAFT

    @property
    def is_decided_on(self) -> bool:
        """Whether the board has been asked, so that a change of contents voids something."""
        return self.release.state in DECIDED_ON

    @property
    def is_over(self) -> bool:
        """Whether nothing will be added to it any more."""
        return self.release.state in (ReleaseState.DEPLOYED, ReleaseState.CLOSED)


@dataclass(frozen=True, slots=True)
class ChangesWanted:
    """How the changes table is asked for in the URL."""

    grouping: str = ""
    query: str = ""
    show_all: bool = False


def find(pk: int) -> Release | None:
    """The release with what its header names."""
    rows = Release.objects.select_related("artefact", "composed_by", "base_snapshot")
    return rows.filter(pk=pk).first()


def load(release: Release, now: datetime, wanted: ChangesWanted) -> ReleasePage:
    """Read every section of a release's page."""
    rows = _deployments(release, now)
    contents = contents_of(release)
    return ReleasePage(
        release=release,
        word=words.release(release),
        target=environments.production(),
        contents=contents,
        changes=changes.table(
            release, grouping=wanted.grouping, query=wanted.query, show_all=wanted.show_all
        ),
        checks=checks.of(
            release,
            [row.candidate for row in contents.rows],
            contents.conflicts,
            [row.deployment for row in rows],
        ),
        rehearsal=_rehearsal(release, rows, now),
        deployments=tuple(rows),
        collisions=collisions.of_candidates([row.candidate for row in contents.rows]),
    )


def contents_of(release: Release) -> Contents:
    """Candidates in the release by team, and the conflicts."""
    items = (
        release.items.filter(removed_at__isnull=True)
        .select_related(
            "candidate__team",
            "candidate__artefact",
            "candidate__tested_by",
            "candidate__offered_by",
        )
        .order_by("candidate__team__name")
    )
    rows = tuple(
        ContentRow(item, item.candidate, words.candidate(item.candidate)) for item in items
    )
    conflicts = release.conflicts.order_by("settled_at", "type", "name", "-pk")[:100]
    return Contents(
        rows=rows,
        conflicts=tuple(conflicts),
    )


def addable_to(release: Release) -> list[Candidate]:
    """What may still be added to a release."""
    over = release.state in (ReleaseState.DEPLOYED, ReleaseState.CLOSED)
    return [] if over else addable()


def addable() -> list[Candidate]:
    """Offered candidates that are in no release, newest first."""
    taken = ReleaseItem.objects.filter(removed_at__isnull=True).values("candidate_id")
    rows = Candidate.objects.filter(state=CandidateState.OFFERED).exclude(pk__in=taken)
    return list(rows.select_related("team", "artefact").order_by("-offered_at", "-pk")[:100])


def _deployments(release: Release, now: datetime) -> list[deployments.DeploymentRow]:
    steps = Prefetch("steps", queryset=Step.objects.order_by("position"))
    rows = deployments.with_names(Deployment.objects.filter(release=release))
    newest = rows.prefetch_related(steps).order_by("-pk")[:DEPLOYMENTS_SHOWN]
    return deployments.rows_of(newest, now)


def _rehearsal(
    release: Release, rows: list[deployments.DeploymentRow], now: datetime
) -> Rehearsal | None:
    for row in rows:
        deployment = row.deployment
        mine = deployment.artefact_id == release.artefact_id
        if deployment.purpose == Purpose.REHEARSE and mine:
            is_over = deployment.state not in LIVE_DEPLOYMENTS
            steps = tuple(
                RehearsalLine(
                    step,
                    words.step(step, is_over=is_over),
                    words.STEP_KIND[StepKind(step.kind)],
                    durations.elapsed(step, now),
                )
                for step in deployment.steps.all()
            )
            return Rehearsal(row, steps)
    return None
