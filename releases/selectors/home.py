"""What the home page shows of this app: what runs, the next window, what needs attention.

Each function asks a fixed number of queries, whatever the number of teams.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q
from django.urls import reverse

from core import clock, db
from governance.models import User
from releases import gate
from releases.models import (
    Build,
    Candidate,
    ComponentConflict,
    Deployment,
    OrgDeployment,
    Release,
    Repository,
    Step,
)
from releases.rules import types
from releases.selectors import canary, collisions, deployments, durations, emergencies, words
from releases.selectors.reasons import LinkedReason, linked
from releases.states import (
    UNDER_WAY,
    BuildState,
    CandidateState,
    DeploymentState,
    Effect,
    Purpose,
    ReleaseState,
    Standing,
    StepKind,
    StepState,
)

ROWS = 12
PLANNED = (
    ReleaseState.REHEARSED,
    ReleaseState.SUBMITTED,
    ReleaseState.APPROVED,
    ReleaseState.SCHEDULED,
)
_MOVING = frozenset({StepState.INTENDED, StepState.STARTED, StepState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class RunningRow:
    """Something that moves now; ``done`` of ``total`` of ``what``, where the org counts."""

    ref: str
    url: str
    title: str
    data_state: str
    word: str
    what: str
    done: int
    total: int
    elapsed_seconds: float | None
    expected_seconds: float | None


@dataclass(frozen=True, slots=True)
class NextWindow:
    """The next time production may change, and what that still needs."""

    ref: str
    url: str
    title: str
    opens_at: datetime | None
    closes_at: datetime | None
    reasons: tuple[LinkedReason, ...]


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """Something that went wrong and that somebody should look at."""

    data_state: str
    icon: str
    title: str
    text: str
    at: datetime | None
    url: str
    link_label: str


def running(user: User) -> list[RunningRow]:
    """Deployments under way, then what build workers do, newest first."""
    now = clock.now()
    steps = Prefetch("steps", queryset=Step.objects.order_by("position"))
    live = deployments.with_names(Deployment.objects.filter(state__in=UNDER_WAY))
    rows = list(live.prefetch_related(steps).order_by("-started_at")[:ROWS])
    usual = durations.usual(rows)
    found = [_deployment(row, now, usual.get((row.environment_id, row.purpose))) for row in rows]
    return [*found, *_building(now)][:ROWS]


def _deployment(row: Deployment, now: datetime, usual: float | None) -> RunningRow:
    step = next((step for step in row.steps.all() if step.state in _MOVING), None)
    word = words.deployment(row)
    doing = words.STEP_KIND[StepKind(step.kind)].lower() if step else word.text.lower()
    check = "" if step is None or step.effect == Effect.WRITE else ", nothing changes"
    what, done, total = _counted(step)
    return RunningRow(
        ref=row.public_id,
        url=row.get_absolute_url(),
        title=f"{deployments.carries(row)} → {row.environment.name}",
        data_state=word.state,
        word=f"{doing}{check}" if word.state == "running" else word.text,
        what=what,
        done=done,
        total=total,
        elapsed_seconds=durations.elapsed(row, now),
        expected_seconds=usual,
    )


def _counted(step: Step | None) -> tuple[str, int, int]:
    if step is None:
        return "", 0, 0
    if step.tests_total and step.components_done >= step.components_total:
        return "Tests", step.tests_done, step.tests_total
    return "Components", step.components_done, step.components_total


def _building(now: datetime) -> list[RunningRow]:
    """What build workers do: package commits and tags, compose releases."""
    builds = Build.objects.filter(state=BuildState.BUILDING).select_related("repository__team")
    candidates = Candidate.objects.filter(state=CandidateState.BUILDING).select_related("team")
    releases = Release.objects.filter(state=ReleaseState.COMPOSING)
    found: list[tuple[Build | Candidate | Release, str, words.Word]] = [
        (row, f"{row.repository.team.name} {row.sha[:7]}", words.build(row))
        for row in builds.order_by("-pk")[:ROWS]
    ]
    found += [(row, str(row), words.candidate(row)) for row in candidates.order_by("-pk")[:ROWS]]
    found += [(row, row.title, words.release(row)) for row in releases.order_by("-pk")[:ROWS]]
    return [
        RunningRow(
            ref=row.public_id,
            url=row.get_absolute_url(),
            title=title,
            data_state=word.state,
            word=word.text,
            what="",
            done=0,
            total=0,
            elapsed_seconds=None,
            expected_seconds=None,
        )
        for row, title, word in found
    ]


def next_window(user: User) -> NextWindow | None:
    """The release that comes to production next, with the gate's reasons.

    Earliest window first; a release that goes as soon as it is approved comes before all of them.
    """
    planned = (
        Release.objects.filter(state__in=PLANNED)
        .filter(Q(not_after__isnull=True) | Q(not_after__gt=db.Now()))
        .select_related("artefact")
    )
    row = _first(planned)
    if row is None:
        return None
    return NextWindow(
        ref=row.public_id,
        url=row.get_absolute_url(),
        title=f"{row.public_id} {row.title}",
        opens_at=row.not_before,
        closes_at=row.not_after,
        reasons=tuple(_needs(row)),
    )


def _first(planned: Iterable[Release]) -> Release | None:
    """Prefer a release with a window, the earliest; else the furthest on its way."""
    order = {state: number for number, state in enumerate(PLANNED)}
    rows = list(planned)
    timed = [row for row in rows if row.not_before is not None]
    if timed:
        return min(timed, key=lambda row: (row.not_before, row.pk))
    asked = [row for row in rows if row.state != ReleaseState.REHEARSED]
    return max(asked, key=lambda row: (order[ReleaseState(row.state)], -row.pk), default=None)


def _needs(release: Release) -> list[LinkedReason]:
    rows = Deployment.objects.filter(
        release=release,
        purpose=Purpose.RELEASE,
        state__in=[DeploymentState.HELD, DeploymentState.QUEUED],
    ).select_related(
        "environment__policy",
        "artefact",
        "approval__policy_version",
        "preparation",
        "requester",
        "release__artefact",
    )
    deployment = rows.annotate(now=db.Now()).order_by("-pk").first()
    if deployment is None:
        text = f"{release.public_id} is not submitted to the release board yet"
        return [LinkedReason(text, "waiting", release.get_absolute_url())]
    return linked(gate.evaluate(deployment, deployment.now), release, deployment)


def attention(user: User) -> list[AttentionRow]:
    """What went wrong and is still so, the gravest first."""
    found = [
        *_unexplained(),
        *_canary(),
        *_overdue_reviews(),
        *_unknown(),
        *_failed_releases(),
        *_conflicts(),
        *(AttentionRow(*row) for row in collisions.attention()),
        *_failed_builds(),
        *_failed_candidates(),
        *_failed_fetches(),
    ]
    return found[:ROWS]


def _canary() -> list[AttentionRow]:
    """The gate did not refuse what nobody approved."""
    return [
        AttentionRow(
            "failed", "failed", "The canary was let pass:", row.gate, row.at, row.url, row.ref
        )
        for row in canary.newest(1)
        if row.word.state == "failed"
    ]


def _overdue_reviews() -> list[AttentionRow]:
    """Emergencies that nobody reviewed in time."""
    return [
        AttentionRow(
            "failed",
            "warning",
            f"The review of the emergency {row.incident} is overdue:",
            "nobody can break the glass again before it is written.",
            row.review_due_at,
            row.get_absolute_url(),
            row.public_id,
        )
        for row in emergencies.overdue()
    ]


def _unknown() -> list[AttentionRow]:
    rows = deployments.with_names(Deployment.objects.filter(state=DeploymentState.UNKNOWN))
    return [
        AttentionRow(
            "unknown",
            "unknown",
            f"Nobody knows how {row.public_id} ended:",
            f"{deployments.title(row)}. Ask the org again or settle it.",
            row.started_at,
            row.get_absolute_url(),
            row.public_id,
        )
        for row in rows.order_by("-pk")[:ROWS]
    ]


def _unexplained() -> list[AttentionRow]:
    """Changes in protected orgs that Gatehouse did not send and nobody has explained (I-27)."""
    rows = OrgDeployment.objects.filter(
        standing=Standing.UNEXPLAINED.value, explained_at__isnull=True
    )
    return [
        AttentionRow(
            "failed",
            "warning",
            f"{row.environment.name} has an unexplained change:",
            f"{words.plural(row.components_total, 'component')} deployed past Gatehouse by "
            f"{row.created_by_name or row.created_by_id}",
            row.created_at,
            f"{reverse('releases:reported')}?show=open",
            "Explain",
        )
        for row in rows.select_related("environment")[:ROWS]
    ]


def _failed_releases() -> list[AttentionRow]:
    rows = Release.objects.filter(
        Q(state__in=[ReleaseState.FAILED, ReleaseState.ROLLED_BACK])
        | Q(state__in=[ReleaseState.DRAFT, ReleaseState.COMPOSED]) & ~Q(state_note="")
    ).exclude(conflicts__settled_at__isnull=True, conflicts__isnull=False)
    return [
        AttentionRow(
            "failed" if row.state == ReleaseState.FAILED else "none",
            "failed" if row.state == ReleaseState.FAILED else "warning",
            f"{row.public_id} {row.title}:",
            _line(row.state_note) or words.release(row).text,
            None,
            row.get_absolute_url(),
            row.public_id,
        )
        for row in rows.order_by("-pk")[:ROWS]
    ]


def _conflicts() -> list[AttentionRow]:
    rows = ComponentConflict.objects.filter(settled_at__isnull=True).select_related("release")
    return [
        AttentionRow(
            "none",
            "warning",
            f"{' and '.join(row.teams)} collide in {row.release.public_id}:",
            f"{types.spoken(row.type)} {row.name} with different content",
            row.found_at,
            reverse("releases:release_conflicts", kwargs={"pk": row.release_id}),
            "Compare",
        )
        for row in rows.exclude(release__state=ReleaseState.CLOSED).order_by("-pk")[:ROWS]
    ]


def _failed_builds() -> list[AttentionRow]:
    """Teams whose newest finished build failed."""
    ended = Build.objects.filter(state__in=[BuildState.PASSED, BuildState.FAILED])
    newest = ended.order_by("repository_id", "-pk").distinct("repository_id").values("pk")
    rows = Build.objects.filter(pk__in=newest, state=BuildState.FAILED)
    return [
        AttentionRow(
            "failed",
            "failed",
            f"{row.repository.team.name} CI failed on {row.sha[:7]}:",
            _line(row.message),
            row.finished_at,
            row.get_absolute_url(),
            row.public_id,
        )
        for row in rows.select_related("repository__team").order_by("-pk")[:ROWS]
    ]


def _failed_candidates() -> list[AttentionRow]:
    """Tags that did not get into TEST, unless their team has picked a newer one."""
    newest = Candidate.objects.order_by("repository_id", "-pk").distinct("repository_id")
    rows = Candidate.objects.filter(pk__in=newest.values("pk"), state=CandidateState.FAILED)
    return [
        AttentionRow(
            "failed",
            "failed",
            f"{row} failed in TEST:",
            _line(row.message),
            row.created_at,
            row.get_absolute_url(),
            row.public_id,
        )
        for row in rows.select_related("team").order_by("-pk")[:ROWS]
    ]


def _failed_fetches() -> list[AttentionRow]:
    rows = Repository.objects.filter(health=Repository.Health.FAILED).select_related("team")
    return [
        AttentionRow(
            "failed",
            "failed",
            f"{row.team.name}'s repository cannot be fetched:",
            _line(row.message),
            row.fetched_at,
            reverse("releases:repository", kwargs={"slug": row.team.slug}),
            "Open",
        )
        for row in rows.order_by("-pk")[:ROWS]
    ]


def _line(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 160 else f"{first[:159]}…"
