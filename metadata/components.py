"""Names of metadata components."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple


class ComponentKey(NamedTuple):
    """A component by metadata type and full name, ordered by both."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type}:{self.name}"


def folded(key: ComponentKey) -> tuple[str, str]:
    """A key as the platform tells it from others: upper and lower case are one."""
    return key.type, key.name.casefold()


def one_name(keys: Iterable[ComponentKey]) -> dict[ComponentKey, ComponentKey]:
    """What to call the components that ``keys`` spell in several ways: the first name in order.

    Keys that are called so already, and those that nobody spells otherwise, are left out.
    """
    every = set(keys)
    names = {key.name for key in every}
    if len({name.casefold() for name in names}) == len(names):
        return {}
    first: dict[tuple[str, str], ComponentKey] = {}
    for key in sorted(every):
        first.setdefault(folded(key), key)
    return {key: first[folded(key)] for key in every if first[folded(key)] != key}


def respelled(
    gone: Collection[ComponentKey], come: Iterable[ComponentKey]
) -> Mapping[ComponentKey, ComponentKey]:
    """The names before of the components that only have another spelling now."""
    if not gone:
        return {}
    before = {folded(key): key for key in gone}
    return {key: before[folded(key)] for key in come if folded(key) in before}
