"""Candidates of a team, and the page of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from releases.models import Candidate, Commit, Deployment, Release, ReleaseItem, Repository
from releases.selectors import collisions, deployments, paging, sources, words
from releases.states import CandidateState

COMMITS_SHOWN = 50
STATES = tuple((state.value, words.CANDIDATE[state].text) for state in CandidateState)
_KNOWN_STATES = frozenset(CandidateState)


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One candidate in a list, with the release that holds it."""

    candidate: Candidate
    word: words.Word
    release: Release | None


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """One candidate with its commits, its way through TEST and its release."""

    row: CandidateRow
    commits: tuple[sources.CommitRow, ...]
    deployments: tuple[deployments.DeploymentRow, ...]
    tag_moved: bool
    collisions: tuple[collisions.CollisionRow, ...]

    @property
    def is_moving(self) -> bool:
        """Whether a worker has something to do with it."""
        return self.row.candidate.state in (CandidateState.BUILDING, CandidateState.TESTING)


def find(pk: int) -> Candidate | None:
    """The candidate with everything its page names."""
    rows = Candidate.objects.select_related(
        "team", "repository__team", "artefact", "created_by", "tested_by", "offered_by"
    )
    return rows.filter(pk=pk).first()


def load(candidate: Candidate, now: datetime) -> CandidatePage:
    """Everything on a candidate's page, in a fixed number of queries."""
    mine = deployments.with_names(Deployment.objects.filter(candidate=candidate))
    ref = candidate.repository.refs.filter(kind="tag", name=candidate.tag).first()
    return CandidatePage(
        row=rows_of([candidate])[0],
        commits=tuple(sources.commit_rows(candidate.repository, commits_of(candidate))),
        deployments=tuple(deployments.rows_of(mine.order_by("-pk")[:20], now)),
        tag_moved=ref is None or ref.gone_at is not None or ref.sha != candidate.sha,
        collisions=collisions.of_candidates([candidate]),
    )


def commits_of(candidate: Candidate, limit: int = COMMITS_SHOWN) -> list[Commit]:
    """The newest commits that the candidate brings, by their order in the repository."""
    every = candidate.repository.commits
    head = every.filter(sha=candidate.sha).values("position")[:1]
    count = min(max(candidate.commit_count, 1), limit)
    return list(every.filter(position__lte=head).order_by("-position")[:count])


def rows_of(candidates: list[Candidate]) -> list[CandidateRow]:
    """Rows for a list; one query finds the releases."""
    held = {
        row.candidate_id: row.release
        for row in ReleaseItem.objects.filter(
            candidate__in=candidates, removed_at__isnull=True
        ).select_related("release")
    }
    return [CandidateRow(row, words.candidate(row), held.get(row.pk)) for row in candidates]


def listing(
    repository: Repository, place: paging.Place, *, query: str = "", state: str = ""
) -> tuple[paging.Page[Candidate], list[CandidateRow]]:
    """One page of a team's candidates, newest first."""
    rows = repository.candidates.select_related("team", "artefact", "created_by")
    if state in _KNOWN_STATES:
        rows = rows.filter(state=state)
    wanted = query.strip()
    if wanted:
        rows = rows.filter(tag__icontains=wanted) | rows.filter(sha__startswith=wanted.lower())
    page = paging.page(rows, place)
    return page, rows_of(page.rows)
