"""How Salesforce keys the elements of its metadata, per type and element path.

Never one global list of key names: ``fields`` is keyed by ``fullName`` in a custom object and by
``name`` in a translation. ``keytable`` says which elements are keyed by what; which elements a type
has, what they hold and which of them may be there several times is Salesforce's own data
(``registry/elements.json``, from the Metadata API's WSDL by ``script/registry``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from metadata.keytable import CODE, ITEMS, MADE, MORE, PLACE, TABLE
from metadata.types import data

_DIGITS = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known below one element: its sets, all its keys, what may be there several times."""

    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()
    types: Mapping[str, str] = field(default_factory=dict)
    rising: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    drawn: frozenset[str] = frozenset()

    def inner(self, name: str) -> Rule:
        """The rule for children of a child of that name."""
        held = self.types.get(name)
        return of_type(held) if held else NONE


NONE = Rule()

WHOLE = frozenset({"fieldPermissions", "packageVersions"})
"""Elements whose parts only mean something together: "editable" without "readable" is refused, and
version 3.9 and 4.1 of a package must not become 4.9."""

NEEDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "objectPermissions": {
        "allowCreate": ("allowRead",),
        "allowEdit": ("allowRead",),
        "allowDelete": ("allowRead", "allowEdit"),
        "viewAllRecords": ("allowRead",),
        "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
    }
}
"""What the platform gives only together: who may delete may edit. Sides that are each right may
make something together that the platform refuses."""

RANKED: Mapping[str, str] = {"platformActionListItems": "sortOrder"}
"""Lists whose elements hold their own places, counted from 0, and the element that says it."""

DRAWN = frozenset({"locationX", "locationY"})
"""Where an element of a flow is drawn for who edits it; to the platform it says nothing. Of sides
that draw one at different places, the first that moved it is taken."""

PARTIAL = frozenset({"Profile"})
"""Roots that an org takes as additions: what a file leaves out stays as the org has it."""

RISING: Mapping[str, tuple[str, ...]] = {
    "apiVersion": (".",),
    "packageVersions": ("majorNumber", "minorNumber"),
}
"""The oldest platform and package version that code asks for, and what makes the number.

Sides that raised it agree on the highest: a managed package keeps its global identifiers for those
who compiled with an older version, and the platform every version of its interface, so that the
highest gives each side what it asked for. The platform writes package versions only in an org that
has the packages: a side without any says nothing about them, once another side has changed them. A
side that lowers a number, or takes one of several out while another raises it, wants something else
than the others: that is a conflict. Other types are not meant: there the number is the form of what
somebody outside receives (an outbound message), or changes how the same content runs (a flow)."""


@cache
def _elements() -> Mapping[str, Mapping[str, str]]:
    """Type → element → type of what it holds, with ``*`` where it may be there several times."""
    found: dict[str, dict[str, str]] = data("elements.json")
    return found | {name: found.get(name, {}) | more for name, more in MORE.items()}


@cache
def flow_elements() -> frozenset[str]:
    """The types of what a flow consists of, each of which is drawn somewhere."""
    return frozenset(said.rstrip("*") for said in _elements()["Flow"].values()) - {""}


@cache
def of_root(name: str) -> Rule:
    """The rule for children of a file's root element, by the root's name."""
    rule = of_type(name)
    return replace(rule, rising=RISING) if name in CODE else rule


@cache
def of_type(name: str) -> Rule:
    """The rule for children of an element of that type."""
    held = _elements().get(name, {})
    known = [(element, *ITEMS[said[:-1]]) for element, said in held.items() if said[:-1] in ITEMS]
    entries = [*known, *TABLE.get(name, ())]
    if not held and not entries:
        return NONE
    return Rule(
        sets={element: found for element, found, is_set in entries if is_set},
        keys={element: found for element, found, _is_set in entries},
        repeated=frozenset(element for element, said in held.items() if said.endswith("*")),
        types={element: said.rstrip("*") for element, said in held.items()},
        made=MADE.get(name, {}),
        drawn=DRAWN if name in flow_elements() else frozenset(),
    )


def stands(element: Any) -> bool:
    """Whether an element gives nothing without what that needs."""
    needs = NEEDS.get(element.tag.rpartition("}")[2], {})
    return all(
        value(element, needed) == "true"
        for given, others in needs.items()
        if value(element, given) == "true"
        for needed in others
    )


def number(element: Any, parts: tuple[str, ...]) -> tuple[int, ...] | None:
    """The number that the parts of an element make (3 and 12 are 3.12), or None for none."""
    digits = ".".join(value(element, part) for part in parts).split(".")
    return tuple(map(int, digits)) if all(map(_DIGITS.fullmatch, digits)) else None


def value(element: Any, path: str) -> str:
    """The text of one part of an element's key; "." is its own, "a/b" is deeper, "@a" an attribute.

    "a-" is the text up to its first hyphen: the object of a layout's name.
    ``PLACE`` is no text of the element: whoever sees all of its like counts it.
    """
    if path == PLACE:
        return ""
    if path[:1] == "@":
        return str(element.get(path[1:], "")).strip()
    if path == ".":
        return (element.text or "").strip()
    if path[-1] == "-":
        return value(element, path[:-1]).partition("-")[0]
    for name in path.split("/"):
        element = next((c for c in element if _named(c, name)), None)
        if element is None:
            return ""
    return (element.text or "").strip()


def _named(element: Any, name: str) -> bool:
    return isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name
