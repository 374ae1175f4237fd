"""Merge text line by line, as Git does; where sides contradict, only that place is a conflict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metadata.merge import sequences
from metadata.merge.conflicts import BASE, WHOLE_LIST, Decide, ElementConflict, Kind, Said, together

Labels = tuple[str, ...]
Merged = tuple[bytes, tuple[ElementConflict, ...]]

MAX_LINES = 20_000
"""Text with more lines is not merged line by line."""

MAX_PLACES = 50
"""Text that sides changed in different ways in more places is decided as a whole."""

_BOM = b"\xef\xbb\xbf"


def merge(
    path: str, before: bytes, sides: Sequence[tuple[Labels, bytes]], decide: Decide
) -> Merged | None:
    """The merged text and what is left to people; None for what has no lines to merge.

    What sides changed elsewhere in the file is kept, whatever is decided at one place.
    """
    contents = [before, *(content for _who, content in sides)]
    if not before or any(b"\0" in content for content in contents):
        return None
    try:
        texts = [content.decode("utf-8") for content in _alike(contents)]
    except UnicodeDecodeError:
        return None
    base, *others = (text.splitlines(keepends=True) for text in texts)
    if max(len(base), *map(len, others)) > MAX_LINES:
        return None
    clean: list[str] | None = others[0]
    for other in others[1:]:
        clean = None if clean is None else sequences.merge(base, clean, other)
    if clean is not None:
        return "".join(clean).encode(), ()
    return _by_place(path, base, others, [who for who, _content in sides], decide)


def _by_place(
    path: str,
    base: Sequence[str],
    others: Sequence[Sequence[str]],
    labels: Sequence[Labels],
    decide: Decide,
) -> Merged | None:
    result: list[str] = []
    conflicts: list[ElementConflict] = []
    places = 0
    for at, held, parts in _places(base, others):
        own = ["".join(part) for part in (held, *parts)]
        said = [part for part in own[1:] if part != own[0]]
        if len(set(said)) < 2:
            result.append(said[0] if said else own[0])
            continue
        places += 1
        if places > MAX_PLACES:
            return None
        conflict = _conflict(path, at, len(held), own, labels)
        picked = conflict.picked(decide(conflict))
        if picked is None:
            conflicts.append(conflict)
        if picked == WHOLE_LIST:
            result.append(together(conflict.base, [side.content for side in conflict.sides]) or "")
        else:
            result.append(own[0] if picked == BASE else conflict.sides[picked or 0].content)
    return "".join(result).encode(), tuple(conflicts)


def _places(
    base: Sequence[str], others: Sequence[Sequence[str]]
) -> Iterator[tuple[int, Sequence[str], Sequence[Sequence[str]]]]:
    """The places of a text; where sides contradict in single lines, each line is one.

    A line that one side alone changed is not lost with the choice for its neighbour.
    """
    for at, held, parts in sequences.hunks(base, others):
        lines = list(zip(held, *parts, strict=False))
        if {len(held), *map(len, parts)} == {len(held)} and any(
            len({*said} - {was}) > 1 for was, *said in lines
        ):
            for offset, (was, *said) in enumerate(lines):
                yield at + offset, [was], [[line] for line in said]
        else:
            yield at, held, parts


def _alike(contents: Sequence[bytes]) -> Sequence[bytes]:
    """Contents with one kind of line ends, and all with the mark of byte order or none."""
    if len({content.startswith(_BOM) for content in contents}) > 1:
        contents = [content.removeprefix(_BOM) for content in contents]
    if len({b"\r\n" in content for content in contents}) > 1:
        contents = [content.replace(b"\r\n", b"\n") for content in contents]
    return contents


def _conflict(
    path: str, at: int, count: int, own: Sequence[str], labels: Sequence[Labels]
) -> ElementConflict:
    """One place where sides differ, known by the lines of the base that it replaces."""
    grouped: dict[str, Labels] = {}
    for who, part in zip(labels, own[1:], strict=True):
        if part != own[0]:
            grouped[part] = grouped.get(part, ()) + who
    where = f"{path}:{at + 1}-{at + count}" if count else f"{path}:{at}"
    told = tuple(Said(who, text) for text, who in grouped.items())
    return ElementConflict(where, own[0], told, Kind.LINES)
