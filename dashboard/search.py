"""Search over everything that has a page: one bounded query per kind, the shape of the words
decides which kinds are asked.

A public id such as ``R-42`` is an address, not a question: ``address_of`` answers it directly.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.apps import apps
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery

from core import ids, refs
from core.models import Entity
from environments.models import Environment
from governance.models import Team, User
from releases.models import Build, Candidate, Change, Commit, Deployment, GitRef, Release
from releases.selectors import words
from releases.states import Purpose

M = TypeVar("M", bound=Model)

SHOWN = 8
LONGEST = 200
HEX = re.compile(r"[0-9a-f]{4,64}")
REMOTE_ID = re.compile(r"0Af[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?")


@dataclass(frozen=True, slots=True)
class Hit:
    """One find: its id, its name and what tells it from its neighbours."""

    url: str
    title: str
    ref: str = ""
    facts: tuple[str, ...] = ()
    data_state: str = ""
    word: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The finds of one kind, and whether there are more than shown."""

    title: str
    icon: str
    hits: tuple[Hit, ...]
    has_more: bool


def address_of(text: str) -> str | None:
    """Return the page of a public id that exists; ``r-42`` means ``R-42``."""
    parsed = ids.parse_ref(text.strip().upper())
    if parsed is None:
        return None
    prefix, number = parsed
    for model in apps.get_models():
        if issubclass(model, Entity) and prefix == model.PREFIX:
            exists = model._default_manager.filter(pk=number).exists()
            return refs.url_of(ids.format_ref(prefix, number)) if exists else None
    return None


def find(text: str) -> list[Group]:
    """Find everything that matches, kind by kind; kinds without a find are left out."""
    wanted = text.strip()[:LONGEST]
    if len(wanted) < 2:
        return []
    groups = (
        _group("Releases", "release", _releases(wanted), _release_hit),
        _group("Deployments", "running", _deployments(wanted), _deployment_hit),
        _group("Environments", "environment", _environments(wanted), _environment_hit),
        _group("Teams", "team", _teams(wanted), _team_hit),
        _group("People", "team", _people(wanted), _person_hit),
        _group("Candidates", "package", _candidates(wanted), _candidate_hit),
        _group("Branches and tags", "release", _git_refs(wanted), _git_ref_hit),
        _group("Commits", "history", _commits(wanted), _commit_hit),
        _group("Work items", "history", _changes(wanted), _change_hit),
    )
    return [group for group in groups if group.hits]


def _group(title: str, icon: str, rows: QuerySet[M], as_hit: Callable[[M], Hit]) -> Group:
    found = list(rows[: SHOWN + 1])
    return Group(title, icon, tuple(map(as_hit, found[:SHOWN])), len(found) > SHOWN)


def _releases(wanted: str) -> QuerySet[Release]:
    matches = Q(title__icontains=wanted) | Q(version__istartswith=wanted.removeprefix("v"))
    if digest := _digest(wanted):
        matches |= Q(artefact__digest__startswith=digest)
    return Release.objects.filter(matches).order_by("-pk")


def _release_hit(row: Release) -> Hit:
    word = words.release(row)
    return Hit(
        row.get_absolute_url(), row.title, row.public_id, (row.version,), word.state, word.text
    )


def _deployments(wanted: str) -> QuerySet[Deployment]:
    rows = Deployment.objects.select_related("environment", "release", "candidate__team", "build")
    if REMOTE_ID.fullmatch(wanted):
        # Salesforce writes the same id with 15 or with 18 characters.
        return rows.filter(steps__remote_id__startswith=wanted[:15]).distinct().order_by("-pk")
    if digest := _digest(wanted):
        return rows.filter(artefact__digest__startswith=digest).order_by("-pk")
    return rows.filter(
        Q(environment__name__icontains=wanted)
        | Q(release__title__icontains=wanted)
        | Q(candidate__tag__istartswith=wanted)
    ).order_by("-pk")


def _deployment_hit(row: Deployment) -> Hit:
    word = words.deployment(row)
    subject = row.release or row.candidate or row.build
    return Hit(
        row.get_absolute_url(),
        f"{subject} → {row.environment}" if subject else f"to {row.environment}",
        row.public_id,
        (words.PURPOSE[Purpose(row.purpose)],),
        word.state,
        word.text,
    )


def _environments(wanted: str) -> QuerySet[Environment]:
    return (
        Environment.objects.filter(
            Q(name__icontains=wanted)
            | Q(login_host__icontains=wanted)
            | Q(organization_id__startswith=wanted)
            | Q(organization_name__icontains=wanted)
            | Q(holds_label__iexact=wanted)
        )
        .select_related("track__team")
        .order_by("name")
    )


def _environment_hit(row: Environment) -> Hit:
    facts = (str(row.track), row.stage, row.licence)
    retired = ("retired",) if row.retired_at else ()
    return Hit(row.get_absolute_url(), row.name, row.public_id, facts + retired)


def _teams(wanted: str) -> QuerySet[Team]:
    return Team.objects.filter(Q(name__icontains=wanted) | Q(slug__istartswith=wanted))


def _team_hit(row: Team) -> Hit:
    facts = ("owns production",) if row.owns_production else ()
    return Hit(row.get_absolute_url(), row.name, facts=facts)


def _people(wanted: str) -> QuerySet[User]:
    matches = Q(full_name__icontains=wanted) | Q(email__icontains=wanted)
    return User.objects.filter(matches).order_by("full_name", "pk")


def _person_hit(row: User) -> Hit:
    closed = () if row.is_active else ("account closed",)
    return Hit(row.get_absolute_url(), row.full_name, facts=(row.email, *closed))


def _candidates(wanted: str) -> QuerySet[Candidate]:
    matches = Q(tag__istartswith=wanted)
    if HEX.fullmatch(wanted.lower()):
        matches |= Q(sha__startswith=wanted.lower())
    return Candidate.objects.filter(matches).select_related("team").order_by("-pk")


def _candidate_hit(row: Candidate) -> Hit:
    word = words.candidate(row)
    return Hit(
        row.get_absolute_url(), str(row), row.public_id, (row.sha[:7],), word.state, word.text
    )


def _git_refs(wanted: str) -> QuerySet[GitRef]:
    rows = GitRef.objects.filter(name__istartswith=wanted, gone_at=None)
    return rows.select_related("repository__team").order_by("-seen_at", "-pk")


def _git_ref_hit(row: GitRef) -> Hit:
    facts = (row.kind, row.repository.team.name, row.sha[:7])
    return Hit(row.repository.get_absolute_url(), row.name, facts=facts)


def _commits(wanted: str) -> QuerySet[Commit]:
    if not HEX.fullmatch(wanted.lower()):
        return Commit.objects.none()
    return (
        Commit.objects.filter(sha__startswith=wanted.lower())
        .select_related("repository__team")
        .annotate(
            build=Subquery(
                Build.objects.filter(repository=OuterRef("repository"), sha=OuterRef("sha")).values(
                    "pk"
                )[:1]
            )
        )
        .order_by("-committed_at")
    )


def _commit_hit(row: Commit) -> Hit:
    build: int | None = row.build  # type: ignore[attr-defined]
    url = refs.url_of(ids.format_ref("B", build)) if build else None
    facts = (row.repository.team.name, row.author_name)
    return Hit(url or row.repository.get_absolute_url(), row.title, facts=facts, code=row.sha[:7])


def _changes(wanted: str) -> QuerySet[Change]:
    rows = Change.objects.filter(Q(key__istartswith=wanted) | Q(title__icontains=wanted))
    return rows.select_related("team__repository").order_by("-first_seen_at")


def _change_hit(row: Change) -> Hit:
    url = row.team.repository.get_absolute_url()
    return Hit(url, row.title or row.key, facts=(row.team.name,), code=row.key)


def _digest(wanted: str) -> str:
    """Read what people copy of a digest: the whole, ``A·9f3c2e1`` or a beginning of its hex."""
    hex_part = wanted.lower().removeprefix("a·").removeprefix("sha256:")
    return f"sha256:{hex_part}" if HEX.fullmatch(hex_part) else ""
