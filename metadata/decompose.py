"""Split files with children into entries, and put them together again.

A custom object's fields, a label, a workflow's alert are entries of their own, so that two teams
that add two fields to one object never touch the same entry. Split are the types whose children the
platform takes one by one and the registry names by an element: what cannot be named in a manifest
stays with its parent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.errors import InvalidInput
from metadata import xml
from metadata.children import parent_path, separate
from metadata.components import ComponentKey
from metadata.normal import CHILD, Files
from metadata.types import ChildType, MetadataType


def split(
    kind: MetadataType,
    name: str,
    content: bytes,
    path: str,
    *,
    wanted: Collection[ComponentKey] | None = None,
) -> dict[ComponentKey, Files]:
    """Entries of a parent's file: the parent without children, then each child; or the wanted ones.

    A parent without anything of its own is no entry: its file only carried the children. Raises
    InvalidInput ``metadata.duplicate``, ``metadata.unnamed``, ``metadata.malformed_xml``.
    """
    root = xml.parse(content, path)
    elements = {c.element: c for c in kind.children.values() if separate(kind, c)}
    entries: dict[ComponentKey, Files] = {}
    seen: set[ComponentKey] = set()
    for node in xml.elements(root):
        child = elements.get(xml.local(node))
        if child is None:
            continue
        root.remove(node)
        key = child_key(name, child, node, path)
        if key in seen:
            raise InvalidInput(
                "metadata.duplicate", f"{path} defines {key.type} {key.name} twice.", path=path
            )
        seen.add(key)
        if wanted is None or key in wanted:
            entries[key] = {CHILD: xml.canonical(xml.renamed(node, child.name))}
    own = ComponentKey(kind.name, name)
    if (xml.elements(root) or not seen) and (wanted is None or own in wanted):
        entries[own] = {parent_path(kind, name): xml.canonical(root)}
    return entries


def child_key(parent: str, child: ChildType, node: xml.Element, path: str) -> ComponentKey:
    """The key of a child element; raises InvalidInput ``metadata.unnamed`` when it has no name."""
    name = xml.text_of(node, child.unique or "fullName")
    if not name:
        raise InvalidInput(
            "metadata.unnamed", f"{path} has a {child.name} without a name.", path=path
        )
    return ComponentKey(child.name, name if child.ignores_parent else f"{parent}.{name}")


def join(
    kind: MetadataType, name: str, own: bytes | None, children: Mapping[ComponentKey, bytes]
) -> bytes:
    """One file of a parent and its children."""
    root = xml.parse(own, name) if own else xml.new(kind.name)
    elements = {child.name: child.element for child in kind.children.values()}
    for key in sorted(children, key=lambda item: (elements[item.type], item.name)):
        node = xml.parse(children[key], str(key))
        root.append(xml.renamed(node, elements[key.type]))
    return xml.canonical(root)
