"""Merge one component: its files, XML by elements and text by lines."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from metadata import keys, xml
from metadata.components import ComponentKey
from metadata.merge import lines
from metadata.merge.conflicts import BASE, Decide, ElementConflict, Kind, Said
from metadata.merge.files import Merged, merge_canonical, merge_sides
from metadata.merge.tree import Labels
from metadata.normal import Files

Version = tuple[Labels, Files]
"""A component's files with who brings them."""

_XML = b"<?xml"


def merge(
    key: ComponentKey, base: Files, versions: Sequence[Version], decide: Decide
) -> tuple[Files, tuple[ElementConflict, ...]]:
    """The versions merged over their base, file by file, and what nobody has decided yet."""
    spelled = _spelled(base, versions)
    if spelled:
        return _alike(key, base, versions, decide, spelled)
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


def _spelled(base: Files, versions: Sequence[Version]) -> dict[str, str]:
    """Names for paths that differ only by upper and lower case; none where a side has both."""
    forms = [base, *(files for _who, files in versions)]
    names = {path.casefold(): path for path in sorted(set().union(*forms[1:]), reverse=True)}
    names |= {path.casefold(): path for path in base}
    known = {path: names[path.casefold()] for form in forms for path in form}
    twice = any(len({known[path] for path in form}) < len(form) for form in forms)
    return {} if twice or all(path == name for path, name in known.items()) else known


def _alike(
    key: ComponentKey,
    base: Files,
    versions: Sequence[Version],
    decide: Decide,
    known: dict[str, str],
) -> tuple[Files, tuple[ElementConflict, ...]]:
    """The merge of files under the same paths; a path gets the name that a side gave it anew."""
    called = [(who, {known[path]: held[path] for path in held}) for who, held in versions]
    before = {known[path]: content for path, content in base.items()}
    result, open_ones = merge(key, before, called, decide)
    conflicts = list(open_ones)
    for name in sorted({name for path, name in known.items() if path != name and name in result}):
        wishes: dict[str, Labels] = {}
        for who, held in versions:
            for path in held:
                if known[path] == name and path not in base:
                    wishes[path] = wishes.get(path, ()) + who
        told = tuple(Said(wishes[path], path) for path in sorted(wishes))
        conflict = ElementConflict(name, name if name in base else "", told, Kind.NAME)
        picked = conflict.picked(decide(conflict)) if len(told) > 1 else 0
        if picked is None:
            conflicts.append(conflict)
        if picked != BASE:
            result[told[picked or 0].content] = result.pop(name)
    return dict(sorted(result.items())), tuple(conflicts)


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
        merged_text = lines.merge(path, before or b"", held, decide)
        if merged_text is not None:
            return merged_text
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
