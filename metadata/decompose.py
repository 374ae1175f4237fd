"""Split files with children into entries, and put them together again."""

from __future__ import annotations

from lxml import etree

from core.errors import InvalidInput
from metadata import xml
from metadata.components import ComponentKey
from metadata.normal import CHILD, Files
from metadata.types import ChildType, MetadataType, registry

SPLIT_TYPES = ("CustomObject", "CustomLabels")
LABELS_NAME = "CustomLabels"


def splits(kind: MetadataType) -> bool:
    """Whether components of this type are kept as a parent and its children."""
    return kind.name in SPLIT_TYPES


def split(kind: MetadataType, name: str, content: bytes, path: str) -> dict[ComponentKey, Files]:
    """Entries of a whole parent file: the parent without children, then each child."""
    root = xml.parse(content, path)
    elements = {child.element: child for child in kind.children.values()}
    entries: dict[ComponentKey, Files] = {}
    for node in list(root):
        child = elements.get(xml.local(node))
        if child is None:
            continue
        root.remove(node)
        key = child_key(name, child, node, path)
        if key in entries:
            raise InvalidInput("metadata.duplicate", f"{path} defines {key} twice.")
        entries[key] = {CHILD: xml.canonical(xml.renamed(node, child.name))}
    if any(isinstance(node.tag, str) for node in root):
        entries[ComponentKey(kind.name, name)] = {parent_path(kind, name): xml.canonical(root)}
    return entries


def child_key(parent: str, child: ChildType, node: etree._Element, path: str) -> ComponentKey:
    """The key of a child element; raises ``metadata.unnamed`` when it has no name."""
    name = xml.text_of(node, child.unique)
    if not name:
        raise InvalidInput("metadata.unnamed", f"{path} has a {child.name} without a name.")
    return ComponentKey(child.name, name if child.ignores_parent else f"{parent}.{name}")


def parent_path(kind: MetadataType, name: str) -> str:
    """Path of a parent's file in metadata format."""
    return f"{kind.directory}/{name}.{kind.suffix}"


def join(
    kind: MetadataType, name: str, own: bytes | None, children: dict[ComponentKey, bytes]
) -> bytes:
    """One file of a parent and its children, elements grouped by name, children by full name."""
    root = xml.parse(own, name) if own else xml.element(kind.name)
    elements = {child.name: child.element for child in kind.children.values()}
    for key in sorted(children, key=lambda item: (elements[item.type], item.name)):
        node = xml.parse(children[key], str(key))
        root.append(xml.renamed(node, elements[key.type]))
    return xml.canonical(root)


def parent_of(key: ComponentKey) -> tuple[MetadataType, str] | None:
    """Type and name of the parent file of a child entry; ``None`` for a whole component."""
    known = registry().children.get(key.type)
    if known is None or not splits(known[0]):
        return None
    parent, child = known
    return parent, LABELS_NAME if child.ignores_parent else key.name.split(".", 1)[0]
