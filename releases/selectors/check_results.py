"""What other systems said about commits, the newest of each name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from releases.models import CheckResult
from releases.selectors.words import Word

WORDS = {
    "passed": Word("done", "Passed"),
    "failed": Word("failed", "Failed"),
    "running": Word("running", "Running"),
}


@dataclass(frozen=True, slots=True)
class Reported:
    """The newest result of one check about one commit."""

    row: CheckResult
    word: Word


Place = tuple[int, str]
"""A team's id and a commit: a result counts in the team that it was reported for."""


def newest(places: Iterable[Place]) -> dict[Place, list[Reported]]:
    """Results by team and commit, each name once, in order of name; one query."""
    wanted = set(places)
    rows = CheckResult.objects.filter(sha__in={sha for _team, sha in wanted})
    last: dict[tuple[Place, str], CheckResult] = {}
    for row in rows.order_by("pk").select_related("reported_by", "repository"):
        for team_id, sha in wanted:
            if sha == row.sha and counts_in(row, team_id):
                last[(team_id, sha), row.name] = row
    found: dict[Place, list[Reported]] = {}
    for (place, _name), row in sorted(last.items()):
        found.setdefault(place, []).append(Reported(row, WORDS[row.result]))
    return found


def counts_in(row: CheckResult, team_id: int) -> bool:
    """Whether a result is about this team's work; one without a repository is about all."""
    return row.repository is None or row.repository.team_id == team_id
