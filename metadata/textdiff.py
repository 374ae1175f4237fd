"""Two texts side by side, line by line, in bounded time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

CONTEXT = 3
MAX_LINES = 2_000
"""Of longer texts only so many lines after the first difference are compared."""

MAX_WIDTH = 400
"""Longer lines are cut."""

MAX_ROWS = 1_500

Kind = Literal["same", "added", "removed", "changed", "gap"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the older text beside one of the newer; 0 numbers a side that has none."""

    kind: Kind
    old_number: int = 0
    old: str = ""
    new_number: int = 0
    new: str = ""


@dataclass(frozen=True, slots=True)
class TextDiff:
    """What differs between two texts; ``cut`` when not all of it is here."""

    rows: tuple[Row, ...]
    added: int
    removed: int
    cut: bool


def is_text(content: bytes) -> bool:
    """Whether people can read it as lines."""
    if b"\0" in content[:8000]:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def compare(old: bytes, new: bytes) -> TextDiff:
    """The differing lines with a little of what stands around them."""
    before, after = _lines(old), _lines(new)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    one, two = before[start : len(before) - end], after[start : len(after) - end]
    cut = max(len(one), len(two)) > MAX_LINES
    rows: list[Row] = []
    tail = (
        []
        if cut
        else list(zip(before[len(before) - end :], after[len(after) - end :], strict=True))
    )
    lead = max(0, start - CONTEXT)
    if lead:
        rows.append(Row("gap"))
    rows += [Row("same", n + 1, before[n], n + 1, after[n]) for n in range(lead, start)]
    for row in _rows(one[:MAX_LINES], two[:MAX_LINES], start):
        if len(rows) >= MAX_ROWS:
            cut = True
            break
        rows.append(row)
    if not cut:
        rows += [
            Row("same", len(before) - end + n + 1, a, len(after) - end + n + 1, b)
            for n, (a, b) in enumerate(tail[:CONTEXT])
        ]
    if cut or len(tail) > CONTEXT:
        rows.append(Row("gap"))
    added = sum(1 for row in rows if row.kind in ("added", "changed"))
    removed = sum(1 for row in rows if row.kind in ("removed", "changed"))
    return TextDiff(tuple(rows), added, removed, cut)


def _rows(one: Sequence[str], two: Sequence[str], start: int) -> Iterator[Row]:
    matcher = SequenceMatcher(None, one, two)
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if tag == "equal":
            yield from _equal(one, two, start, (a1, a2, b1))
            continue
        paired = min(a2 - a1, b2 - b1)
        for n in range(paired):
            yield Row("changed", start + a1 + n + 1, one[a1 + n], start + b1 + n + 1, two[b1 + n])
        for n in range(a1 + paired, a2):
            yield Row("removed", old_number=start + n + 1, old=one[n])
        for n in range(b1 + paired, b2):
            yield Row("added", new_number=start + n + 1, new=two[n])


def _equal(
    one: Sequence[str], two: Sequence[str], start: int, span: tuple[int, int, int]
) -> Iterator[Row]:
    """Equal lines between two differences; a long run shows its two ends."""
    a1, a2, b1 = span
    size = a2 - a1
    for n in range(size):
        if size > 2 * CONTEXT and CONTEXT <= n < size - CONTEXT:
            if n == CONTEXT:
                yield Row("gap")
            continue
        yield Row("same", start + a1 + n + 1, one[a1 + n], start + b1 + n + 1, two[b1 + n])


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    count = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        count += 1
    return count


def _lines(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    return [
        line if len(line) <= MAX_WIDTH else f"{line[:MAX_WIDTH]}…" for line in text.splitlines()
    ]
