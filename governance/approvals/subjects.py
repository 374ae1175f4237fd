"""What apps tell governance about the things they ask approval for.

Governance knows a subject as (kind, id, digest). An app registers, by kind, how to describe it in
the inbox and what to do when the request's state changes; governance never imports the app.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

Outcome = Callable[[int], None]
"""Takes the request's id; called in the transaction that changed the request's state."""

Facts = tuple[str, ...]
"""Short facts about a subject, in order, for the inbox."""

Describe = Callable[[Collection[int]], Mapping[int, Facts]]
"""Takes the ids of subjects; asks the same few queries however many there are."""


@dataclass(frozen=True, slots=True)
class _Kind:
    outcome: Outcome
    describe: Describe


_kinds: dict[str, _Kind] = {}


def register(kind: str, *, outcome: Outcome, describe: Describe) -> None:
    """Make a kind of subject known; registering it twice differently is refused."""
    entry = _Kind(outcome, describe)
    if _kinds.setdefault(kind, entry) != entry:
        raise ValueError(f"approval subject {kind} is registered twice")


def is_registered(kind: str) -> bool:
    """Tell whether requests about this kind can be opened."""
    return kind in _kinds


def kinds() -> list[str]:
    """Return the kinds that requests can be opened about."""
    return sorted(_kinds)


def call_outcome(kind: str, request_id: int) -> None:
    """Tell the app that owns the subject that its request changed state."""
    _kinds[kind].outcome(request_id)


def facts_of(about: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Facts]:
    """Describe subjects by kind and id; nothing of a kind that no installed app knows any more."""
    wanted: dict[str, list[int]] = {}
    for kind, subject_id in about:
        wanted.setdefault(kind, []).append(subject_id)
    return {
        (kind, subject_id): facts
        for kind, numbers in wanted.items()
        if kind in _kinds
        for subject_id, facts in _kinds[kind].describe(numbers).items()
    }
