"""What a deployment carries and what people do by hand around it, read once for all who ask."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

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


def of_release(release: Release) -> Cargo:
    """What a release carries, in two queries."""
    carrying = release.restores_id or release.pk
    inside = ReleaseItem.objects.filter(release=carrying, removed_at__isnull=True)
    candidates = Candidate.objects.filter(pk__in=inside.values("candidate_id"))
    steps = RunbookItem.objects.filter(release=release, removed_at__isnull=True).order_by("pk")
    loads, decided = _loads(candidates, carrying)
    return Cargo(loads, tuple(steps), decided)


def of_deployment(deployment: Deployment) -> Cargo:
    """What a deployment carries; nothing when it builds a commit."""
    if deployment.release is not None:
        return of_release(deployment.release)
    if deployment.candidate_id is not None:
        loads, decided = _loads(Candidate.objects.filter(pk=deployment.candidate_id), NO_RELEASE)
        return Cargo(loads, (), decided)
    return Cargo()


def _loads(
    candidates: QuerySet[Candidate], carrying: int
) -> tuple[tuple[Load, ...], tuple[dict[str, object], ...]]:
    """The candidates and what was decided between them, in one query."""
    built = Build.objects.filter(repository=OuterRef("repository"), sha=OuterRef("sha"))
    picked = Resolution.objects.filter(release=carrying).order_by("pk").values(row=_PICKED)
    rows = candidates.annotate(
        built=Subquery(built.order_by("-pk").values("state")[:1]), decided=ArraySubquery(picked)
    )
    columns = ("pk", "team_id", "team__name", "tag", "sha", "tested_at", "built", "decided")
    found = list(rows.order_by("pk").values_list(*columns))
    loads = tuple(
        Load(pk, team_id, f"{team} {tag}", sha, tested_at is not None, state or "")
        for pk, team_id, team, tag, sha, tested_at, state, _decided in found
    )
    return loads, tuple(found[0][-1]) if found else ()
