"""What a change means for people's rights and for records, in sentences. Pure.

Both sentences are never blank: an auditor must be able to tell "nothing" from "nobody looked".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from releases.rules import types
from releases.rules.risk import BY_ITSELF, GRANTING

NAMED = 10
HOLDING = frozenset({"CustomField", "CustomObject", "RecordType", "ValidationRule"})
"""Types that say which records there are and what may stand in them."""


class Touched(Protocol):
    """One component that differs from production."""

    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_new(self) -> bool: ...


def security(components: Iterable[Touched]) -> str:
    """Say whether the change touches who may see or do what."""
    deciding = frozenset().union(*GRANTING.values())
    touching = [f"{row.type} {row.name}" for row in components if row.type in deciding]
    if not touching:
        return "No changed component decides who may see or do what."
    more = f" and {len(touching) - NAMED} more" if len(touching) > NAMED else ""
    decide = "component decides" if len(touching) == 1 else "components decide"
    return (
        f"{len(touching)} changed {decide} who may see or do what: "
        f"{', '.join(touching[:NAMED])}{more}."
    )


def data(components: Iterable[Touched]) -> str:
    """Say whether the change touches what records hold, or what writes them by itself."""
    rows = list(components)
    holding = [row for row in rows if row.type in HOLDING]
    writing = [row for row in rows if row.type in BY_ITSELF]
    said = []
    if altered := [row for row in holding if not row.is_new]:
        said.append(f"Alters what existing records may hold: {_counted(altered)}.")
    if added := [row for row in holding if row.is_new]:
        said.append(f"Adds {_counted(added)}.")
    if writing:
        said.append(f"May write records by itself: {_counted(writing)}.")
    return " ".join(said) or "No changed component holds records or writes them by itself."


def _counted(rows: Sequence[Touched]) -> str:
    by_type = Counter(row.type for row in rows)
    return ", ".join(types.counted(name, number) for name, number in sorted(by_type.items()))
