"""What the radar looks at, and what it found, as the worker that rebuilds it reads both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from metadata.components import ComponentKey, one_name
from releases.models import Candidate, Collision, Repository, TeamWork, TouchedComponent
from releases.selectors.released import last_released
from releases.states import CandidateState

CANDIDATES = 3
"""So many of a team's newest open candidates are compared, besides its main branch."""

OPEN = (
    CandidateState.BUILDING,
    CandidateState.TESTING,
    CandidateState.DEPLOYED,
    CandidateState.ACCEPTED,
    CandidateState.OFFERED,
)

Commits = Mapping[tuple[int, ComponentKey], list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit that a team works at, and what it last brought to production ("" for nothing)."""

    candidate_id: int | None
    sha: str
    base_sha: str


@dataclass(slots=True)
class Work:
    """A kept work with the digests, changed elements and named components of what it touches.

    Components are called alike in all works; ``spelled`` says what this one calls them otherwise.
    """

    pk: int
    team_id: int
    candidate_id: int | None
    sha: str
    versions: dict[ComponentKey, str] = field(default_factory=dict)
    elements: dict[ComponentKey, list[str]] = field(default_factory=dict)
    names: dict[ComponentKey, list[ComponentKey]] = field(default_factory=dict)
    spelled: dict[ComponentKey, ComponentKey] = field(default_factory=dict)


def tips_of(repository: Repository) -> list[Tip]:
    """The head of main and the newest open candidates; at most two queries."""
    base = last_released(repository)
    base_sha = base.sha if base is not None and base.repository_id == repository.pk else ""
    rows = Candidate.objects.filter(repository=repository, state__in=OPEN)
    if base is not None:
        rows = rows.filter(pk__gt=base.pk)
    found = [
        Tip(pk, sha, base_sha)
        for pk, sha in rows.order_by("-pk").values_list("pk", "sha")[:CANDIDATES]
    ]
    head = [Tip(None, repository.main_sha, base_sha)] if repository.main_sha else []
    return head + found


def unseen(repository: Repository, tips: list[Tip]) -> list[Tip]:
    """Those of the tips that no worker has looked at yet."""
    rows = TeamWork.objects.filter(repository=repository)
    known = {Tip(*row) for row in rows.values_list("candidate_id", "sha", "base_sha")}
    return [tip for tip in tips if tip not in known]


def is_stale(repository: Repository) -> bool:
    """Whether the kept works are others than the repository's tips."""
    tips = tips_of(repository)
    count = TeamWork.objects.filter(repository=repository).count()
    return bool(unseen(repository, tips)) or count != len(tips)


def works() -> list[Work]:
    """Every kept work, main branches first, candidates after them by age; two queries."""
    found = {
        pk: Work(pk, team_id, candidate_id, sha)
        for pk, team_id, candidate_id, sha in TeamWork.objects.order_by(
            "repository_id", "candidate_id"
        ).values_list("pk", "repository__team_id", "candidate_id", "sha")
    }
    rows = TouchedComponent.objects.values_list(
        "work_id", "type", "name", "digest", "elements", "names"
    )
    for work_id, type_name, name, digest, elements, names in rows.iterator():
        work, key = found[work_id], ComponentKey(type_name, name)
        work.versions[key] = digest
        if elements:
            work.elements[key] = elements
        if names:
            work.names[key] = [ComponentKey(*each) for each in names]
    _call_alike(found.values())
    return sorted(found.values(), key=lambda work: work.candidate_id or 0)


def _call_alike(works: Collection[Work]) -> None:
    """Give what differs by upper and lower case alone one name in all works."""
    named = {key for work in works for own in work.names.values() for key in own}
    known = one_name(named.union(*(work.versions for work in works)))
    if not known:
        return
    for work in works:
        work.spelled = {known[key]: key for key in work.versions.keys() & known.keys()}
        work.versions = {known.get(key, key): own for key, own in work.versions.items()}
        work.elements = {known.get(key, key): own for key, own in work.elements.items()}
        work.names = {
            known.get(key, key): [known.get(each, each) for each in own]
            for key, own in work.names.items()
        }


def keys_of_others(repository: Repository) -> set[ComponentKey]:
    """Components that other teams touch, so that a reference to one of them is found."""
    rows = TouchedComponent.objects.exclude(work__repository=repository)
    return {ComponentKey(*key) for key in rows.values_list("type", "name").distinct()}


def both_of(row: Collision) -> tuple[ComponentKey, ComponentKey]:
    """The component of a collision, and the one that names it (an empty one for none)."""
    namer = ComponentKey(row.named_by_type, row.named_by_name)
    return ComponentKey(row.type, row.name), namer


def keys_of(row: Collision) -> set[ComponentKey]:
    """The component of a collision, and the one that names it."""
    key, namer = both_of(row)
    return {key, namer} if namer.type else {key}


def commits_of(keys: Collection[ComponentKey]) -> Commits:
    """The commits of works at some components; one query."""
    rows = TouchedComponent.objects.filter(
        type__in={key.type for key in keys}, name__in={key.name for key in keys}
    ).values_list("work_id", "type", "name", "commits")
    return {(work, ComponentKey(type_name, name)): own for work, type_name, name, own in rows}
