"""What changes between two normal forms, as people say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

from core.errors import InvalidInput
from metadata import children, inside, wording
from metadata.components import ComponentKey, respelled
from metadata.normal import CHILD, Files, NormalForm

SHOWN = 4
MAX_LINES = 4_000
"""Longer texts are counted by their sets of lines, which takes linear time."""

Kind = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """One component that differs; ``summary`` says what changed inside a changed one.

    ``was`` is its name before where it only has another spelling now.
    """

    key: ComponentKey
    kind: Kind
    summary: str
    was: ComponentKey | None = None

    @property
    def before(self) -> ComponentKey:
        """What the older side calls it."""
        return self.was or self.key


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that belong together: ``Account`` with ``2 fields, 1 validation rule``."""

    title: str
    text: str
    changes: tuple[ComponentChange, ...]


def diff(old: NormalForm, new: NormalForm, *, removed: bool = False) -> list[ComponentChange]:
    """Components of ``new`` that are absent or other in ``old``, by key.

    With ``removed`` also those that only ``old`` has: a form that holds part of an org says nothing
    about the rest, so this is asked for only when both are whole.
    """
    found = compared(old.component_digests(), new.component_digests())
    return [
        replace(change, summary=told(change, old[change.before], new[change.key]))
        if change.kind == "changed"
        else change
        for change in found
        if removed or change.kind != "removed"
    ]


def compared(
    old: Mapping[ComponentKey, str], new: Mapping[ComponentKey, str]
) -> list[ComponentChange]:
    """What differs by the digests of two sides, by key; one that is only respelled is changed."""
    gone = old.keys() - new.keys()
    was = respelled(gone, new.keys() - old.keys())
    found = [ComponentChange(key, "removed", "") for key in gone.difference(was.values())]
    for key, digest in new.items():
        if key in was:
            found.append(ComponentChange(key, "changed", "", was[key]))
        elif key not in old:
            found.append(ComponentChange(key, "added", ""))
        elif old[key] != digest:
            found.append(ComponentChange(key, "changed", ""))
    return sorted(found, key=lambda change: change.key)


def grouped(changes: Iterable[ComponentChange]) -> list[Group]:
    """Changes by what people look for: children under their parent, the rest by type."""
    found: dict[str, list[ComponentChange]] = {}
    for change in changes:
        found.setdefault(_title(change.key), []).append(change)
    return [Group(title, _text(own), tuple(own)) for title, own in sorted(found.items())]


def _title(key: ComponentKey) -> str:
    parent = children.parent_of(key)
    if parent is not None and parent[0].name == "CustomObject":
        return parent[1]
    if key.type == "CustomObject":
        return key.name
    text = wording.plural(key.type)
    return text[:1].upper() + text[1:]


def _text(changes: Sequence[ComponentChange]) -> str:
    counts: dict[tuple[str, Kind], int] = {}
    for change in changes:
        pair = (change.key.type, change.kind)
        counts[pair] = counts.get(pair, 0) + 1
    words = {"added": "new", "changed": "changed", "removed": "removed"}
    return ", ".join(
        f"{wording.counted(count, type_name)} {words[kind]}"
        for (type_name, kind), count in counts.items()
    )


def told(change: ComponentChange, old: Files, new: Files) -> str:
    """What changed inside a changed component, and that it has another name."""
    if change.was is None:
        return summary(old, new)
    inner = summary(alike(old, new), new)
    return "; ".join(filter(None, [f"was called {change.was.name}", inner]))


def alike(old: Files, new: Files) -> Files:
    """The older files under the newer ones' paths where only the spelling is another."""
    names = {path.casefold(): path for path in new}
    return {names.get(path.casefold(), path): content for path, content in old.items()}


def summary(old: Files, new: Files) -> str:
    """What differs between two contents of one component."""
    paths = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
    said = [_file(path, old.get(path), new.get(path)) for path in paths[:SHOWN]]
    more = f"; and {len(paths) - SHOWN} more files" if len(paths) > SHOWN else ""
    return "; ".join(said) + more


def _file(path: str, old: bytes | None, new: bytes | None) -> str:
    name = path.rpartition("/")[2]
    if old is None:
        return f"{name} is new"
    if new is None:
        return f"{name} is gone"
    if path == CHILD or new[:5] == b"<?xml":
        try:
            return inside.sentence(old, new)
        except InvalidInput:
            return f"{name} changed"
    if b"\0" in old[:8000] or b"\0" in new[:8000]:
        return f"{name}: {len(old):,} → {len(new):,} bytes"
    more, less = _lines(old, new)
    return f"{name}: +{more} −{less} lines"


def _lines(old: bytes, new: bytes) -> tuple[int, int]:
    """Added and removed lines."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > MAX_LINES:
        return len(set(after) - set(before)), len(set(before) - set(after))
    kept = sum(
        block.size
        for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    )
    return len(after) - kept, len(before) - kept
