"""Three-way merge of a list: independent edits of both sides are kept, overlapping ones are not
decided here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


def merge(base: Sequence[Item], ours: Sequence[Item], theirs: Sequence[Item]) -> list[Item] | None:
    """The list with both sides' edits, or None where they touch the same place."""
    if list(ours) == list(theirs) or list(base) == list(theirs):
        return list(ours)
    if list(base) == list(ours):
        return list(theirs)
    mine, other = _kept(base, ours), _kept(base, theirs)
    result: list[Item] = []
    at = one = two = 0
    for index in [i for i in range(len(base)) if i in mine and i in other] + [len(base)]:
        end_one = mine.get(index, len(ours)) if index < len(base) else len(ours)
        end_two = other.get(index, len(theirs)) if index < len(base) else len(theirs)
        chunk = _chunk(base[at:index], ours[one:end_one], theirs[two:end_two])
        if chunk is None:
            return None
        result += chunk
        if index < len(base):
            result.append(base[index])
        at, one, two = index + 1, end_one + 1, end_two + 1
    return result


def hunks(
    base: Sequence[Item], sides: Sequence[Sequence[Item]]
) -> Iterator[tuple[int, Sequence[Item], list[Sequence[Item]]]]:
    """A list cut where every side kept the base's: place in the base, base's part, sides' parts."""
    kept = [_kept(base, side) for side in sides]
    at, starts = 0, [0] * len(sides)
    for index in range(len(base) + 1):
        if index < len(base) and not all(index in places for places in kept):
            continue
        ends = [places.get(index, len(side)) for places, side in zip(kept, sides, strict=True)]
        parts = [side[one:end] for side, one, end in zip(sides, starts, ends, strict=True)]
        if index > at or any(parts):
            yield at, base[at:index], parts
        if index < len(base):
            yield index, base[index : index + 1], [base[index : index + 1]] * len(sides)
        at, starts = index + 1, [end + 1 for end in ends]


def _kept(base: Sequence[Item], side: Sequence[Item]) -> dict[int, int]:
    """Positions in the base that a side kept, with where they are there."""
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, base, side, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            found[block.a + offset] = block.b + offset
    return found


def _chunk(base: Sequence[Item], ours: Sequence[Item], theirs: Sequence[Item]) -> list[Item] | None:
    if list(ours) == list(theirs) or list(base) == list(theirs):
        return list(ours)
    if list(base) == list(ours):
        return list(theirs)
    return None


def placed(ours: Sequence[Item], theirs: Sequence[Item], keep: set[Item]) -> list[Item]:
    """An order for a set: ours, what only the other side has behind its neighbour there."""
    result = [item for item in ours if item in keep]
    held = set(result)
    for index, item in enumerate(theirs):
        if item in held or item not in keep:
            continue
        before = next((other for other in reversed(theirs[:index]) if other in held), None)
        result.insert(0 if before is None else result.index(before) + 1, item)
        held.add(item)
    return result
