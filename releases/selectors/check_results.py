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


def newest(shas: Iterable[str]) -> dict[str, list[Reported]]:
    """Results by commit, each name once, in order of name; one query."""
    rows = (
        CheckResult.objects.filter(sha__in=set(shas)).order_by("pk").select_related("reported_by")
    )
    last = {(row.sha, row.name): row for row in rows}
    found: dict[str, list[Reported]] = {}
    for (sha, _name), row in sorted(last.items()):
        found.setdefault(sha, []).append(Reported(row, WORDS[row.result]))
    return found
