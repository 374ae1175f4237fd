"""What changes between two normal forms, as people say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lxml import etree

from metadata import xml
from metadata.components import ComponentKey
from metadata.normal import CHILD, Files, NormalForm


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """One component that differs; ``summary`` says what changed inside, or is empty."""

    key: ComponentKey
    kind: Literal["added", "changed", "removed"]
    summary: str


def diff(old: NormalForm, new: NormalForm, *, removed: bool = False) -> list[ComponentChange]:
    """Components of ``new`` that are absent or other in ``old``; with ``removed`` also the gone."""
    before = old.component_digests()
    changes: list[ComponentChange] = []
    for key, digest in new.component_digests().items():
        if key not in before:
            changes.append(ComponentChange(key, "added", ""))
        elif before[key] != digest:
            changes.append(ComponentChange(key, "changed", _inside(old[key], new[key])))
    if removed:
        changes += [ComponentChange(key, "removed", "") for key in old if key not in new]
    return sorted(changes, key=lambda change: change.key)


def _inside(old: Files, new: Files) -> str:
    paths = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
    return "; ".join(_file(path, old.get(path), new.get(path)) for path in paths[:4])


def _file(path: str, old: bytes | None, new: bytes | None) -> str:
    name = path.rsplit("/", 1)[-1]
    if old is None:
        return f"{name} is new"
    if new is None:
        return f"{name} is gone"
    if path == CHILD or new.lstrip()[:5] == b"<?xml":
        return _elements(old, new, path)
    before, after = old.splitlines(), new.splitlines()
    more = len(set(after) - set(before))
    less = len(set(before) - set(after))
    return f"{name}: +{more} −{less} lines"


def _elements(old: bytes, new: bytes, path: str) -> str:
    """Names of the top-level elements that differ, with how many."""
    before, after = _texts(xml.parse(old, path)), _texts(xml.parse(new, path))
    names = sorted(
        {name for name, _ in before ^ after},
        key=lambda name: (-sum(1 for item, _ in before ^ after if item == name), name),
    )
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _texts(root: etree._Element) -> set[tuple[str, bytes]]:
    return {(xml.local(node), etree.tostring(node)) for node in root if xml.local(node)}
