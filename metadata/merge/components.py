"""Merge one component: its files, XML by elements and text by lines."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from metadata import keys, xml
from metadata.components import ComponentKey
from metadata.merge import sequences
from metadata.merge.conflicts import BASE, WHOLE_LIST, Decide, ElementConflict, Kind, Said
from metadata.merge.files import Merged, merge_canonical, merge_sides
from metadata.merge.tree import Labels
from metadata.normal import Files

Version = tuple[Labels, Files]
"""A component's files with who brings them."""

MAX_LINES = 20_000
"""Text with more lines is not merged line by line."""

MAX_PLACES = 50
"""Text that sides changed in different ways in more places is decided as a whole."""

_XML = b"<?xml"
_BOM = b"\xef\xbb\xbf"


def merge(
    key: ComponentKey, base: Files, versions: Sequence[Version], decide: Decide
) -> tuple[Files, tuple[ElementConflict, ...]]:
    """The versions merged over their base, file by file, and what nobody has decided yet."""
    result: Files = {}
    conflicts: list[ElementConflict] = []
    partial = key.type in keys.PARTIAL
    for path in sorted({*base, *(path for _who, files in versions for path in files)}):
        before = base.get(path)
        changed: dict[bytes | None, Labels] = {}
        for who, files in versions:
            if files.get(path) != before:
                changed[files.get(path)] = changed.get(files.get(path), ()) + who
        sides = [(who, content) for content, who in changed.items()]
        if len(sides) < 2:
            content = sides[0][1] if sides else before
        else:
            content, more = _file(path, before, sides, decide, partial=partial)
            conflicts += more
        if content is not None:
            result[path] = content
    return result, tuple(conflicts)


def _file(
    path: str,
    before: bytes | None,
    sides: Sequence[tuple[Labels, bytes | None]],
    decide: Decide,
    *,
    partial: bool,
) -> tuple[bytes | None, tuple[ElementConflict, ...]]:
    held = [(who, content) for who, content in sides if content is not None]
    if len(held) == len(sides):
        if all(content[:5] == _XML for _who, content in held) and (before or _XML)[:5] == _XML:
            merged = _xml(path, before, held, decide, partial=partial)
            return merged.content, merged.conflicts
        lines = _lines(path, before or b"", held, decide)
        if lines is not None:
            return lines
    told = tuple(Said(who, text_of(content)) for who, content in sides)
    conflict = ElementConflict(path, text_of(before), told, Kind.FILE)
    picked = conflict.picked(decide(conflict))
    if picked is None:
        return sides[0][1], (conflict,)
    return (before if picked == BASE else sides[picked][1]), ()


def _xml(
    path: str,
    before: bytes | None,
    sides: Sequence[tuple[Labels, bytes]],
    decide: Decide,
    *,
    partial: bool,
) -> Merged:
    if before:
        return merge_canonical(before, sides, path, decide, partial=partial)
    found = merge_sides(before, sides, path, decide, partial=partial)
    return found if found.conflicts else Merged(xml.canonical_file(found.content, path), ())


def _lines(
    path: str, before: bytes, sides: Sequence[tuple[Labels, bytes]], decide: Decide
) -> tuple[bytes, tuple[ElementConflict, ...]] | None:
    """Text merged line by line as Git does it; None for what has no lines to merge.

    Where sides say different things at one place, that place is the conflict: what they changed
    elsewhere in the file is kept, whatever is decided.
    """
    contents = [before, *(content for _who, content in sides)]
    if not before or any(b"\0" in content for content in contents):
        return None
    base, *others = ([*content.splitlines(keepends=True)] for content in _alike(contents))
    if max(len(base), *map(len, others)) > MAX_LINES:
        return None
    clean: list[bytes] | None = others[0]
    for other in others[1:]:
        clean = None if clean is None else sequences.merge(base, clean, other)
    if clean is not None:
        return b"".join(clean), ()
    result: list[bytes] = []
    conflicts: list[ElementConflict] = []
    places = 0
    for at, held, parts in sequences.hunks(base, others):
        own = [b"".join(held), *(b"".join(part) for part in parts)]
        if len({*own[1:]} - {own[0]}) < 2:
            result.append(next((part for part in own[1:] if part != own[0]), own[0]))
            continue
        places += 1
        conflict = _place(path, at, len(held), own, [who for who, _content in sides])
        picked = conflict.picked(decide(conflict))
        if picked is None:
            conflicts.append(conflict)
        said = {text_of(part): part for part in own}
        if picked == WHOLE_LIST:
            result += [_ended(said[side.content]) for side in conflict.sides]
        else:
            wanted = conflict.base if picked == BASE else conflict.sides[picked or 0].content
            result.append(said[wanted])
    return (b"".join(result), tuple(conflicts)) if places <= MAX_PLACES else None


def _alike(contents: Sequence[bytes]) -> Sequence[bytes]:
    """Contents with one kind of line ends, and all with the mark of byte order or none."""
    if len({content.startswith(_BOM) for content in contents}) > 1:
        contents = [content.removeprefix(_BOM) for content in contents]
    if len({b"\r\n" in content for content in contents}) > 1:
        contents = [content.replace(b"\r\n", b"\n") for content in contents]
    return contents


def _ended(part: bytes) -> bytes:
    return part if not part or part.endswith(b"\n") else part + b"\n"


def _place(
    path: str, at: int, count: int, own: Sequence[bytes], labels: Sequence[Labels]
) -> ElementConflict:
    """One place of a text where sides differ, known by the lines of the base that it replaces."""
    grouped: dict[str, Labels] = {}
    for who, part in zip(labels, own[1:], strict=True):
        if part != own[0]:
            text = text_of(part)
            grouped[text] = grouped.get(text, ()) + who
    where = f"{path}:{at + 1}-{at + count}" if count else f"{path}:{at}"
    told = tuple(Said(who, text) for text, who in grouped.items())
    return ElementConflict(where, text_of(own[0]), told, Kind.LINES)


def text_of(content: bytes | None) -> str:
    """A file's content for people: its text, or what it is when it has none."""
    if content is None:
        return ""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return f"{len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"
    return text
