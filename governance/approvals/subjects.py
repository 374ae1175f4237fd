"""What apps tell governance about the things they ask approval for.

Governance knows a subject as (kind, id, digest). An app registers, by kind, how to describe it in
the inbox and what to do when the request's state changes; governance never imports the app.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubjectCard:
    """How the inbox shows a subject: a title, its page, and short facts in order."""

    title: str
    url: str
    facts: tuple[str, ...] = ()


Outcome = Callable[[int], None]
"""Takes the request's id; called in the transaction that changed the request's state."""

Describe = Callable[[int], SubjectCard]
"""Takes the subject's id."""


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


def call_outcome(kind: str, request_id: int) -> None:
    """Tell the app that owns the subject that its request changed state."""
    _kinds[kind].outcome(request_id)


def card_of(kind: str, subject_id: int) -> SubjectCard | None:
    """Describe a subject; None for a kind that no installed app knows any more."""
    entry = _kinds.get(kind)
    return entry.describe(subject_id) if entry else None
