"""What a deployment deletes of what is gone from a repository; the rest stays in the org."""

from __future__ import annotations

from collections.abc import Iterable

from metadata import children
from metadata.components import ComponentKey, folded
from metadata.delta import owner_of, stays
from metadata.types import standard


def named(
    gone: Iterable[ComponentKey], kept: Iterable[ComponentKey] = ()
) -> tuple[ComponentKey, ...]:
    """What a destructive manifest names, of what is gone from a repository.

    A child goes with its parent, a file that only carries children is nothing to delete, a name
    that only changed its case is the component that is deployed, and some things no deployment
    deletes.
    """
    there = {folded(key) for key in kept}
    going = {
        key for key in gone if folded(key) not in there and not _carrier(key) and not stays(key)
    }
    return tuple(sorted(k for k in going if owner_of(k) == k or owner_of(k) not in going))


def _carrier(key: ComponentKey) -> bool:
    kind = standard().by_name.get(key.type)
    return kind is not None and key.type not in ("CustomObject", "Bot") and children.splits(kind)
