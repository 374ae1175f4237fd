"""A team's repository: its health, refs, newest commits and what was built from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.models import Team
from releases.models import Build, Candidate, Commit, GitRef, Repository
from releases.selectors import paging, words
from releases.states import BuildState

COMMITS_SHOWN = 20
REFS_SHOWN = 50
TAGS_OFFERED = 200

HEALTH = {
    Repository.Health.NEW: words.Word("waiting", "Not fetched yet"),
    Repository.Health.OK: words.Word("done", "Fetched"),
    Repository.Health.FAILED: words.Word("failed", "Fetch failed"),
}


@dataclass(frozen=True, slots=True)
class CommitRow:
    """A commit with its work items and its build, when there is one."""

    commit: Commit
    keys: tuple[str, ...]
    build: Build | None
    word: words.Word | None


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag, and the candidate made from it."""

    ref: GitRef
    candidate: Candidate | None
    word: words.Word | None


@dataclass(frozen=True, slots=True)
class BuildRow:
    """One build in a list."""

    build: Build
    word: words.Word
    title: str


@dataclass(frozen=True, slots=True)
class RepositoryPage:
    """The page of a connected repository."""

    repository: Repository
    health: words.Word
    head: Commit | None
    commits: tuple[CommitRow, ...]
    branches: tuple[GitRef, ...]
    tags: tuple[TagRow, ...]
    builds: tuple[BuildRow, ...]


def team(slug: str) -> Team | None:
    """The team of a URL."""
    return Team.objects.filter(slug=slug).first()


def repository_of(slug: str) -> Repository | None:
    """The repository of a team, when it is connected."""
    return Repository.objects.select_related("team").filter(team__slug=slug).first()


def load(repository: Repository) -> RepositoryPage:
    """Everything on a repository's page, in a fixed number of queries."""
    newest = repository.commits.order_by("-position")[:COMMITS_SHOWN]
    commits = commit_rows(repository, newest)
    refs = repository.refs.filter(gone_at__isnull=True)
    branches = refs.filter(kind=GitRef.Kind.BRANCH).order_by("-seen_at", "name")[:REFS_SHOWN]
    head = Commit.objects.filter(repository=repository, sha=repository.main_sha).first()
    builds = repository.builds.select_related("artefact").order_by("-pk")[:10]
    return RepositoryPage(
        repository=repository,
        health=HEALTH[Repository.Health(repository.health)],
        head=head,
        commits=tuple(commits),
        branches=tuple(branches),
        tags=tuple(tag_rows(repository)),
        builds=tuple(build_rows(repository, builds)),
    )


def commit_rows(repository: Repository, commits: Iterable[Commit]) -> list[CommitRow]:
    """Commits with work items and builds; three queries."""
    found = list(commits)
    builds = {
        row.sha: row
        for row in Build.objects.filter(
            repository=repository, sha__in=[commit.sha for commit in found]
        )
    }
    keys = _keys(found)
    return [
        CommitRow(
            commit,
            tuple(keys.get(commit.pk, ())),
            builds.get(commit.sha),
            words.build(builds[commit.sha]) if commit.sha in builds else None,
        )
        for commit in found
    ]


def _keys(commits: list[Commit]) -> dict[int, list[str]]:
    links = Commit.objects.filter(
        pk__in=[commit.pk for commit in commits], change_links__isnull=False
    ).values_list("pk", "change_links__change__key")
    keys: dict[int, list[str]] = {}
    for pk, key in links.order_by("change_links__change__key"):
        keys.setdefault(pk, []).append(key)
    return keys


def tag_rows(repository: Repository) -> list[TagRow]:
    """Live tags, newest first, each with the candidate of its present commit; two queries."""
    refs = repository.refs.filter(kind=GitRef.Kind.TAG, gone_at__isnull=True)
    found = list(refs.order_by("-seen_at", "-pk")[:REFS_SHOWN])
    candidates = {
        (row.tag, row.sha): row
        for row in repository.candidates.filter(tag__in=[ref.name for ref in found]).select_related(
            "team"
        )
    }
    rows = []
    for ref in found:
        candidate = candidates.get((ref.name, ref.sha))
        rows.append(TagRow(ref, candidate, words.candidate(candidate) if candidate else None))
    return rows


def free_tags(repository: Repository) -> list[str]:
    """Names of live tags whose present commit is no candidate yet, newest first."""
    refs = repository.refs.filter(kind=GitRef.Kind.TAG, gone_at__isnull=True)
    taken = set(repository.candidates.values_list("tag", "sha"))
    newest = refs.order_by("-seen_at", "-pk").values_list("name", "sha")[: TAGS_OFFERED * 2]
    return [name for name, sha in newest if (name, sha) not in taken][:TAGS_OFFERED]


def build_rows(repository: Repository, builds: Iterable[Build]) -> list[BuildRow]:
    """Builds with the first line of their commit's message; one query."""
    found = list(builds)
    titles = {
        sha: message.split("\n", 1)[0]
        for sha, message in Commit.objects.filter(
            repository=repository, sha__in=[build.sha for build in found]
        ).values_list("sha", "message")
    }
    return [BuildRow(row, words.build(row), titles.get(row.sha, "")) for row in found]


BUILD_STATES = tuple((state.value, words.BUILD[state].text) for state in BuildState)
_KNOWN_STATES = frozenset(BuildState)


def builds(
    repository: Repository, place: paging.Place, *, query: str = "", state: str = ""
) -> tuple[paging.Page[Build], list[BuildRow]]:
    """One page of a repository's builds, newest first."""
    rows = repository.builds.select_related("artefact")
    if state in _KNOWN_STATES:
        rows = rows.filter(state=state)
    wanted = query.strip()
    if wanted:
        named = Commit.objects.filter(repository=repository, message__icontains=wanted)
        by_message = rows.filter(sha__in=named.values("sha"))
        rows = by_message | rows.filter(sha__startswith=wanted.lower())
    page = paging.page(rows, place)
    return page, build_rows(repository, page.rows)
