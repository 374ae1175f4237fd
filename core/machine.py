"""State machines as one table of allowed moves."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Generic, TypeVar

from core.errors import NotNow

S = TypeVar("S", bound=StrEnum)


class Machine(Generic[S]):
    """The states of one kind of thing and the moves between them.

    Every state must be a key of the table; a state without moves is terminal.
    """

    def __init__(self, name: str, moves: Mapping[S, AbstractSet[S]]) -> None:
        unknown = {target for targets in moves.values() for target in targets} - set(moves)
        if unknown:
            raise ValueError(f"machine {name}: states without a row: {sorted(unknown)}")
        self.name = name
        self.moves: dict[S, frozenset[S]] = {old: frozenset(new) for old, new in moves.items()}
        self.terminal: frozenset[S] = frozenset(s for s, new in self.moves.items() if not new)

    def allows(self, old: S, new: S) -> bool:
        """Tell whether a thing in state ``old`` may move to ``new``."""
        return new in self.moves[old]

    def check(self, old: S, new: S) -> None:
        """Raise NotNow ``<name>.refused`` unless the move is in the table."""
        if not self.allows(old, new):
            raise NotNow(
                f"{self.name}.refused",
                f"This {self.name.replace('_', ' ')} is {words(old)} and cannot become "
                f"{words(new)}. Reload the page to see its present state.",
                old=str(old),
                new=str(new),
            )


def words(state: StrEnum) -> str:
    """Write a state the way a sentence needs it: ``rolled_back`` becomes ``rolled back``."""
    return str(state).replace("_", " ")
