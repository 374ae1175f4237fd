"""What the commits of candidates are about, in their authors' words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db.models import Q

from releases.models import Candidate, ChangeCommit, Commit

READ_AT_MOST = 200
WORDS = 10
_NOISE = re.compile(r"^(?:\[?[A-Z][A-Z0-9]{1,9}-\d{1,7}\]?[:\s-]*|\w+(?:\([^)]*\))?!?:\s+)+")


def subjects(candidates: Sequence[Candidate]) -> dict[int, list[str]]:
    """What each candidate's commits are about, by candidate, newest first; at most three queries.

    One title per work item where commits name any, else one per commit; merges say nothing.
    """
    ranges = _ranges(candidates)
    if not ranges:
        return {}
    items = _work_items(ranges)
    missing = {pk: span for pk, span in ranges.items() if pk not in items}
    return {**items, **(_titles(missing) if missing else {})}


def sentence(titles: Sequence[str], limit: int = WORDS) -> str:
    """As many whole titles as fit into ``limit`` words, and how many more there are."""
    kept: list[str] = []
    left = limit
    for title in titles:
        length = len(title.split())
        if length > left:
            break
        kept.append(title)
        left -= length
    if not kept and titles:
        kept = [" ".join(titles[0].split()[:limit]) + "…"]
    rest = len(titles) - len(kept)
    return "; ".join(kept) + (f" and {rest:,} more" if rest > 0 else "")


Span = tuple[int, int, int]


def _ranges(candidates: Sequence[Candidate]) -> dict[int, Span]:
    """(repository, first position, last position) of each candidate's commits; one query."""
    heads = Commit.objects.filter(
        repository__in={row.repository_id for row in candidates},
        sha__in={row.sha for row in candidates},
    ).values_list("repository_id", "sha", "position")
    positions = {(repository, sha): position for repository, sha, position in heads}
    spans = {}
    for row in candidates:
        last = positions.get((row.repository_id, row.sha))
        if last is not None:
            count = min(max(row.commit_count, 1), READ_AT_MOST)
            spans[row.pk] = (row.repository_id, last - count + 1, last)
    return spans


def _within(spans: dict[int, Span], prefix: str = "") -> Q:
    wanted = Q()
    for repository, first, last in spans.values():
        wanted |= Q(
            **{f"{prefix}repository_id": repository, f"{prefix}position__range": (first, last)}
        )
    return wanted


def _work_items(spans: dict[int, Span]) -> dict[int, list[str]]:
    """Each work item by the newest commit that says more than that it merges, else by its key."""
    links = (
        ChangeCommit.objects.filter(_within(spans, "commit__"))
        .order_by("-commit__position")
        .values_list("commit__repository_id", "commit__position", "commit__message", "change__key")
    )
    found: dict[int, dict[str, str]] = {}
    for repository, position, message, key in links:
        for pk in _owners(spans, repository, position):
            items = found.setdefault(pk, {})
            items[key] = items.get(key) or _title(message)
    return {
        pk: list(dict.fromkeys(title or key for key, title in items.items()))
        for pk, items in found.items()
    }


def _titles(spans: dict[int, Span]) -> dict[int, list[str]]:
    rows = (
        Commit.objects.filter(_within(spans))
        .order_by("-position")
        .values_list("repository_id", "position", "message")
    )
    found: dict[int, dict[str, None]] = {}
    for repository, position, message in rows:
        title = _title(message)
        for pk in _owners(spans, repository, position) if title else ():
            found.setdefault(pk, {})[title] = None
    return {pk: list(titles) for pk, titles in found.items()}


def _owners(spans: dict[int, Span], repository: int, position: int) -> list[int]:
    return [
        pk
        for pk, (of, first, last) in spans.items()
        if of == repository and first <= position <= last
    ]


def _title(message: str) -> str:
    """What a commit is about, from its first line; empty for a merge."""
    first = message.split("\n", 1)[0].strip()
    return "" if first.startswith("Merge ") else _clean(first) or first


def _clean(title: str) -> str:
    """A title without work item key and type in front; the first letter is kept large."""
    bare = _NOISE.sub("", title).strip()
    return bare[:1].upper() + bare[1:]
