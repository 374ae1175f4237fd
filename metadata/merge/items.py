"""The elements below one parent: what each says, and what tells it from its like."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from metadata import keys, xml
from metadata.keytable import PLACE
from metadata.xml import Element

Key = tuple[str, ...]
Identity = tuple[Hashable, ...]


@dataclass
class Item:
    """An element with the comments before it."""

    element: Element
    comments: list[Element] = field(default_factory=list)

    @cached_property
    def identity(self) -> Identity:
        """What the element says, without formatting."""
        return content(self.element)


def content(element: Element) -> Identity:
    """What an element says: name, attributes, texts and children, without formatting.

    Blanks and comments between elements do not count; beside a text they do. A comment that is the
    whole content of an element counts by its words: editors and orgs set it with other blanks.
    """
    inner = list(element)
    attributes = tuple(sorted(element.attrib.items())) if element.attrib else ()
    if not inner:
        return element.tag, attributes, element.text or ""
    children = [child for child in inner if isinstance(child.tag, str)]
    if children and not mixed(element):
        return element.tag, attributes, tuple(map(content, children))
    if not children and not mixed(element):
        return (
            element.tag,
            attributes,
            "open",
            tuple(" ".join((comment.text or "").split()) for comment in inner),
        )
    parts: list[Hashable] = [element.text or ""]
    for child in inner:
        parts.append(content(child) if isinstance(child.tag, str) else ("!", child.text))
        parts.append(child.tail or "")
    return element.tag, attributes, "mixed", tuple(parts)


def meant(element: Element) -> Identity:
    """What an element says to the platform: a comment instead of a text says that it is open."""
    children = xml.elements(element)
    attributes = tuple(sorted(element.attrib.items())) if element.attrib else ()
    if children and not mixed(element):
        return element.tag, attributes, tuple(map(meant, children))
    is_open = len(element) and not children and not mixed(element)
    return (element.tag, attributes, "") if is_open else content(element)


def _texts(node: Element) -> list[str]:
    return [text for text in (node.text, *(child.tail for child in node)) if text]


def items_of(parent: Element) -> list[Item]:
    """The elements of a parent, each with the comments before it; last comments join the last."""
    found: list[Item] = []
    waiting: list[Element] = []
    for child in parent:
        if xml.local(child):
            found.append(Item(child, waiting))
            waiting = []
        else:
            waiting.append(child)
    if waiting and found:
        found[-1].comments = [*found[-1].comments, *waiting]
    return found


def mixed(node: Element) -> bool:
    """Whether an element holds text, alone or beside elements."""
    return any(not text.isspace() for text in _texts(node))


def told_apart(
    runs: Sequence[Sequence[Item]], names: tuple[str, ...], *, once: bool
) -> list[dict[Key, Item] | None]:
    """Each side's items by their keys; None for a side where a key is missing or there twice."""
    if names == (PLACE,):
        return _placed(runs)
    return [_keyed(run, names, once=once) for run in runs]


def _keyed(run: Sequence[Item], names: tuple[str, ...], *, once: bool) -> dict[Key, Item] | None:
    """Items by key, or None when one has no key or two have the same.

    The very same element twice says one thing where the platform keeps a set (``once``).
    """
    found: dict[Key, Item] = {}
    for item in run:
        key = tuple(keys.value(item.element, name) for name in names)
        if once and key in found and found[key].identity == item.identity:
            continue
        if not any(key) or key in found:
            return None
        found[key] = item
    return found


def _placed(runs: Sequence[Sequence[Item]]) -> list[dict[Key, Item] | None]:
    """Items by their places, which only mean the same while every side has as many."""
    if len({len(run) for run in runs}) > 1:
        return [None]
    return [{(str(place),): item for place, item in enumerate(run, 1)} for run in runs]


def unranked(runs: Sequence[list[Item]], rank: str) -> list[list[Item]] | None:
    """Lists in the order that their elements say, without saying it; None where one says none."""
    found: list[list[Item]] = []
    for run in runs:
        places = {keys.value(item.element, rank): item for item in run}
        if places.keys() != {str(place) for place in range(len(run))}:
            return None
        found.append([_without(places[str(place)], rank) for place in range(len(run))])
    return found


def ranked(run: Sequence[Item], rank: str) -> list[Item]:
    """The same elements, each with its place."""
    for place, item in enumerate(run):
        own = etree.SubElement(item.element, xml.qualified(item.element, rank))
        own.text = str(place)
    return list(run)


def _without(item: Item, name: str) -> Item:
    element = copy.deepcopy(item.element)
    for child in xml.elements(element):
        if xml.local(child) == name:
            element.remove(child)
    return Item(element, item.comments)
