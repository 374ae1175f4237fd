"""What a deployment can delete: the rest of what is gone from a repository stays in the org."""

from __future__ import annotations

from collections.abc import Iterable

from metadata import children
from metadata.components import ComponentKey
from metadata.delta import UNDELETABLE
from metadata.types import standard
from metadata.units import whole

_OWN = ("__c", "__mdt", "__e", "__b", "__x", "__kav")
"""Endings of names that a company made; standard objects and fields cannot be deleted."""


def sorted_out(
    keys: Iterable[ComponentKey],
) -> tuple[tuple[ComponentKey, ...], tuple[ComponentKey, ...]]:
    """What a destructive manifest names, and what only a person can delete by hand.

    A child goes with its parent; a file that only carries children is nothing to delete.
    """
    gone = set(keys)
    named = {key for key in gone if whole(key) == key or whole(key) not in gone}
    named = {key for key in named if not _carrier(key)}
    stuck = {key for key in named if not _deletable(key)}
    return tuple(sorted(named - stuck)), tuple(sorted(stuck))


def _carrier(key: ComponentKey) -> bool:
    kind = standard().by_name.get(key.type)
    return kind is not None and key.type not in ("CustomObject", "Bot") and children.splits(kind)


def _deletable(key: ComponentKey) -> bool:
    if key.type in UNDELETABLE or key.type.endswith("Settings"):
        return False
    if key.type in ("CustomObject", "CustomField"):
        return key.name.rpartition(".")[2].endswith(_OWN)
    return True
