"""What a deployment carries and what people do by hand around it, read once for all who ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from core.composed import Composed, Given, Question
from releases.models import (
    Build,
    Candidate,
    Deployment,
    Release,
    ReleaseItem,
    Resolution,
    RunbookItem,
)

NO_RELEASE = 0
_PICKED = JSONObject(
    number="pk",
    release="release_id",
    type="type",
    name="name",
    path="path",
    conflict="conflict_digest",
    pick="pick",
    by="made_by_id",
)


@dataclass(frozen=True, slots=True)
class Load:
    """One candidate on board, with the state of its commit's build."""

    candidate_id: int
    team_id: int
    label: str
    sha: str
    tested: bool
    build_state: str


@dataclass(frozen=True, slots=True)
class Cargo:
    """The candidates in a fixed order, and the steps of the runbook that were not taken out.

    ``decided`` is what people picked between the candidates, oldest first.
    """

    loads: tuple[Load, ...] = ()
    steps: tuple[RunbookItem, ...] = ()
    decided: tuple[dict[str, object], ...] = ()


def carried(release: Release) -> Release:
    """The release whose work this one deploys: for a rollback the one that it goes back to."""
    return release.restores or release


def foreseen(deployment: Deployment) -> list[Question]:
    """What ``of_deployment`` will ask about a release that goes back to no other."""
    if deployment.release_id is None:
        return []
    key = deployment.release_id
    return [_OF_RELEASE.asked(release=key), _STEPS.asked(release=key)]


def of_release(release: Release) -> Cargo:
    """What a release carries, in two queries."""
    carrying = release.restores_id or release.pk
    loads, decided = _loads(_OF_RELEASE(release=carrying))
    return Cargo(loads, tuple(_STEPS(release=release.pk)), decided)


def of_deployment(deployment: Deployment) -> Cargo:
    """What a deployment carries; nothing when it builds a commit."""
    if deployment.release is not None:
        return of_release(deployment.release)
    if deployment.candidate_id is not None:
        loads, decided = _loads(
            _OF_CANDIDATE(candidate=deployment.candidate_id, release=NO_RELEASE)
        )
        return Cargo(loads, (), decided)
    return Cargo()


def _loads(rows: list[Any]) -> tuple[tuple[Load, ...], tuple[dict[str, object], ...]]:
    """The candidates and what was decided between them."""
    loads = tuple(
        Load(pk, team_id, f"{team} {tag}", sha, tested_at is not None, state or "")
        for pk, team_id, team, tag, sha, tested_at, state, _decided in rows
    )
    return loads, tuple(rows[0][-1]) if rows else ()


def _rows(candidates: QuerySet[Candidate]) -> QuerySet[Candidate, Any]:
    built = Build.objects.filter(repository=OuterRef("repository"), sha=OuterRef("sha"))
    picked = Resolution.objects.filter(release=Given("release", "bigint")).order_by("pk")
    rows = candidates.annotate(
        built=Subquery(built.order_by("-pk").values("state")[:1]),
        decided=ArraySubquery(picked.values(row=_PICKED)),
    )
    columns = ("pk", "team_id", "team__name", "tag", "sha", "tested_at", "built", "decided")
    return rows.order_by("pk").values_list(*columns)


def _of_release() -> QuerySet[Candidate, Any]:
    inside = ReleaseItem.objects.filter(release=Given("release", "bigint"), removed_at__isnull=True)
    return _rows(Candidate.objects.filter(pk__in=inside.values("candidate_id")))


_OF_RELEASE = Composed(_of_release)
_OF_CANDIDATE = Composed(lambda: _rows(Candidate.objects.filter(pk=Given("candidate", "bigint"))))
_STEPS = Composed(
    lambda: RunbookItem.objects.filter(
        release=Given("release", "bigint"), removed_at__isnull=True
    ).order_by("pk")
)
