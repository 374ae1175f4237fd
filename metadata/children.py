"""Which children of a type are entries of their own, and where their parents' files lie.

Split are the types whose children the platform takes one by one and the registry names by an
element: what cannot be named in a manifest stays with its parent.
"""

from __future__ import annotations

from metadata.components import ComponentKey
from metadata.types import ChildType, MetadataType, standard

LABELS = "CustomLabels"
NAMED_BY_FULL_NAME = frozenset({"CustomObject", "Bot"})
"""Their children have no ``uniqueIdElement`` in the registry; the platform names them so."""


def splits(kind: MetadataType) -> bool:
    """Whether components of this type are kept as a parent and its children."""
    return any(separate(kind, child) for child in kind.children.values())


def separate(kind: MetadataType, child: ChildType) -> bool:
    """Whether a child is an entry of its own: addressable, and named by an element."""
    named = bool(child.unique) or kind.name in NAMED_BY_FULL_NAME
    return named and child.addressable and kind.adapter != "digitalExperience"


def parent_path(kind: MetadataType, name: str) -> str:
    """Path of a parent's file in metadata format."""
    return f"{kind.directory}/{name}.{kind.suffix}"


def parent_of(key: ComponentKey) -> tuple[MetadataType, str] | None:
    """Type and name of the parent file of a child entry; None for a whole component."""
    known = standard().children.get(key.type)
    if known is None or not separate(*known):
        return None
    parent, child = known
    return parent, LABELS if child.ignores_parent else key.name.partition(".")[0]
