"""What several sides changed in ways that exclude each other, and what a person picked.

A conflict is known by its digest: the path, what the base says and what each side says. A decision
names the content that was picked by its digest, so that it can never mean another content later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from core.digests import digest_json

ALL = "all"
"""The pick that takes what every side says."""

BASE = -1
WHOLE_LIST = -2


class Kind(StrEnum):
    """What is fought about; the words for people depend on it."""

    ELEMENT = "element"
    LIST = "list"
    ORDER = "order"
    FILE = "file"
    LINES = "lines"
    REMOVAL = "removal"
    NAME = "name"


@dataclass(frozen=True)
class Said:
    """One content with the sides that want it; XML or text, "" where the thing is absent."""

    labels: tuple[str, ...]
    content: str

    @property
    def digest(self) -> str:
        """``sha256:…`` of the content."""
        return digest_of(self.content)


@dataclass(frozen=True)
class ElementConflict:
    """One thing that sides changed in different ways; ``sides`` hold only those who changed it."""

    path: str
    base: str
    sides: tuple[Said, ...]
    kind: Kind = Kind.ELEMENT

    @property
    def ours(self) -> str:
        """The first side's content."""
        return self.sides[0].content

    @property
    def theirs(self) -> str:
        """The second side's content."""
        return self.sides[1].content

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` over path, base and contents, in whatever order the sides came."""
        contents = sorted(side.content for side in self.sides)
        return digest_json([self.path, self.base, contents])

    @property
    def takes_all(self) -> bool:
        """Whether the contents may stand together."""
        if self.kind == Kind.LINES:
            return together(self.base, [side.content for side in self.sides]) is not None
        return self.kind == Kind.LIST

    def picked(self, pick: str | None) -> int | None:
        """Index of the side that a pick means, ``BASE``, ``WHOLE_LIST``, or None for none."""
        if pick is None:
            return None
        if pick == ALL:
            return WHOLE_LIST if self.takes_all else None
        for index, side in enumerate(self.sides):
            if side.digest == pick:
                return index
        return BASE if digest_of(self.base) == pick else None


Decide = Callable[[ElementConflict], str | None]
"""The pick for a conflict, or None while nobody has decided."""


def undecided(_conflict: ElementConflict) -> str | None:
    """Nobody has decided anything."""
    return None


def together(base: str, said: Sequence[str]) -> str | None:
    """All that sides wrote at one place of a text; None where they exclude each other.

    What they added to nothing stands one after the other; of lines that each replaced, every one is
    taken from whoever changed it.
    """
    if not base:
        return "".join(text if text.endswith("\n") else f"{text}\n" for text in said)
    held, *sides = (text.splitlines(keepends=True) for text in (base, *said))
    if any(len(side) != len(held) for side in sides):
        return None
    result: list[str] = []
    for was, *lines in zip(held, *sides, strict=True):
        changed = {*lines} - {was}
        if len(changed) > 1:
            return None
        result.append(changed.pop() if changed else was)
    return "".join(result)


def digest_of(content: str) -> str:
    """``sha256:…`` of one content, as picks name it."""
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
