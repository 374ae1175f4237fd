"""Merge element trees.

What only one side changed is taken from it. What both changed is looked into: repeated elements are
told apart by the keys of their type (``metadata.keys``), lists keep an order that both sides can
stand behind, single elements are merged inside. A key that is missing or there twice makes the
repeated elements one thing, so that nothing is ever overwritten by a map. Where both sides changed
the same thing in different ways, a conflict names it, and the result holds our side there.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lxml import etree

from metadata import keys, xml
from metadata.merge import sequences
from metadata.xml import Element


@dataclass(frozen=True, slots=True)
class ElementConflict:
    """One thing that both sides changed; the contents are XML, "" where it is absent."""

    path: str
    base: str
    ours: str
    theirs: str


@dataclass
class Item:
    """An element with the comments before it."""

    element: Element
    comments: list[Element] = field(default_factory=list)

    @cached_property
    def identity(self) -> Said:
        """What the element says, without formatting."""
        return content(self.element)


Key = tuple[str, ...]
Said = tuple[Hashable, ...]


class Merging:
    """One merge of two sides over their base."""

    def __init__(self) -> None:
        self.conflicts: list[ElementConflict] = []

    def merge(
        self, base: Element, ours: Element, theirs: Element, rule: keys.Rule, path: str
    ) -> Element:
        """The merged element; differences that exclude each other go into ``conflicts``."""
        one, two, three = content(base), content(ours), content(theirs)
        if two == three or one == three:
            return copy.deepcopy(ours)
        if one == two:
            return copy.deepcopy(theirs)
        if _textual(base, ours, theirs) or _attributed(base, ours, theirs):
            return self._clash(path, base, ours, theirs)
        return self._children(base, ours, theirs, rule, path)

    def _children(
        self, base: Element, ours: Element, theirs: Element, rule: keys.Rule, path: str
    ) -> Element:
        sides = [items_of(side) for side in (base, ours, theirs)]
        merged: dict[str, list[Item]] = {}
        for name in _names(sides):
            runs = [[item for item in side if xml.local(item.element) == name] for side in sides]
            merged[name] = self._run(name, runs, rule, path)
        own: Any = dict(ours.attrib)
        prefixes: Any = ours.nsmap
        result = etree.Element(ours.tag, attrib=own, nsmap=prefixes)
        result.text, result.tail = ours.text, ours.tail
        order = sequences.placed(_names(sides[1:2]), _names(sides[2:]), set(_names(sides)))
        for name in order:
            for item in merged[name]:
                result.extend([copy.deepcopy(comment) for comment in item.comments])
                result.append(copy.deepcopy(item.element))
        return result

    def _run(self, name: str, runs: Sequence[list[Item]], rule: keys.Rule, path: str) -> list[Item]:
        """Merge all elements of one name."""
        base, ours, theirs = runs
        found = rule.keys.get(name)
        if found is not None:
            keyed = [_keyed(run, found) for run in runs]
            if all(side is not None for side in keyed):
                return self._by_key(name, [side or {} for side in keyed], rule, path)
        elif all(len(run) <= 1 for run in runs):
            return self._single(name, runs, rule, path)
        order = sequences.merge(*([item.identity for item in run] for run in runs))
        if order is None:
            return self._whole_run(f"{path}/{name}", base, ours, theirs)
        held = {item.identity: item for item in [*base, *theirs, *ours]}
        return [held[identity] for identity in order]

    def _single(
        self, name: str, runs: Sequence[list[Item]], rule: keys.Rule, path: str
    ) -> list[Item]:
        keyed: list[dict[Key, Item]] = [{(): run[0]} if run else {} for run in runs]
        return self._by_key(name, keyed, rule, path)

    def _by_key(
        self, name: str, sides: Sequence[dict[Key, Item]], rule: keys.Rule, path: str
    ) -> list[Item]:
        base, ours, theirs = sides
        kept: dict[Key, Item] = {}
        for key in dict.fromkeys([*ours, *theirs, *base]):
            where = f"{path}/{name}" + (f"[{' '.join(key)}]" if key else "")
            item = self._entry(
                base.get(key), ours.get(key), theirs.get(key), rule.inner(name), where
            )
            if item is not None:
                kept[key] = item
        order = None
        if name not in rule.sets:
            present = [[key for key in side if key in kept] for side in sides]
            order = sequences.merge(*present)
            if order is not None and set(order) != set(kept):
                order = None
            if order is None and _reordered(*present):
                self.conflicts.append(
                    ElementConflict(f"{path}/{name} (order)", *(_said(side) for side in present))
                )
        if order is None:
            order = sequences.placed(list(ours), list(theirs), set(kept))
        return [kept[key] for key in order]

    def _entry(
        self, base: Item | None, ours: Item | None, theirs: Item | None, rule: keys.Rule, path: str
    ) -> Item | None:
        if ours is None and theirs is None:
            return None
        if base is None:
            if ours is not None and theirs is not None and ours.identity != theirs.identity:
                self._conflict(path, None, ours, theirs)
            return ours or theirs
        if ours is None or theirs is None:
            left = ours or theirs
            if left is not None and left.identity != base.identity:
                self._conflict(path, base, ours, theirs)
                return left
            return None
        if ours.identity == theirs.identity or base.identity == theirs.identity:
            return Item(ours.element, ours.comments or theirs.comments)
        if base.identity == ours.identity:
            return Item(theirs.element, ours.comments or theirs.comments)
        element = self.merge(base.element, ours.element, theirs.element, rule, path)
        return Item(element, ours.comments or theirs.comments)

    def _whole_run(
        self, path: str, base: list[Item], ours: list[Item], theirs: list[Item]
    ) -> list[Item]:
        told = ["".join(_text(item.element) for item in run) for run in (base, ours, theirs)]
        self.conflicts.append(ElementConflict(path, *told))
        return ours

    def _clash(self, path: str, base: Element, ours: Element, theirs: Element) -> Element:
        self.conflicts.append(ElementConflict(path, _text(base), _text(ours), _text(theirs)))
        return copy.deepcopy(ours)

    def _conflict(
        self, path: str, base: Item | None, ours: Item | None, theirs: Item | None
    ) -> None:
        told = ["" if item is None else _text(item.element) for item in (base, ours, theirs)]
        self.conflicts.append(ElementConflict(path, *told))


def content(element: Element) -> Said:
    """What an element says: name, attributes, texts and children, without formatting.

    Blanks and comments between elements do not count; beside a text, and as the whole content of an
    element, they do.
    """
    inner = list(element)
    attributes = tuple(sorted(element.attrib.items())) if element.attrib else ()
    if not inner:
        return element.tag, attributes, element.text or ""
    children = [child for child in inner if isinstance(child.tag, str)]
    if children and not mixed(element):
        return element.tag, attributes, tuple(map(content, children))
    parts: list[Hashable] = [element.text or ""]
    for child in inner:
        parts.append(content(child) if isinstance(child.tag, str) else ("!", child.text))
        parts.append(child.tail or "")
    return element.tag, attributes, "mixed", tuple(parts)


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
    texts = [node.text, *(child.tail for child in node)]
    return any(text and not text.isspace() for text in texts)


def _textual(*sides: Element) -> bool:
    """Whether there is text to decide about; an empty element is one without children yet."""
    return any(mixed(side) for side in sides) or not any(xml.elements(side) for side in sides)


def _attributed(*sides: Element) -> bool:
    return len({tuple(sorted(map(str, side.attrib.items()))) for side in sides}) > 1


def _names(sides: Sequence[list[Item]]) -> list[str]:
    return list(dict.fromkeys(xml.local(item.element) for side in sides for item in side))


def _keyed(run: Sequence[Item], names: tuple[str, ...]) -> dict[Key, Item] | None:
    """Items by key, or None when one has no key or two have the same."""
    found: dict[Key, Item] = {}
    for item in run:
        key = tuple(keys.value(item.element, name) for name in names)
        if not any(key) or key in found:
            return None
        found[key] = item
    return found


def _reordered(base: list[Key], ours: list[Key], theirs: list[Key]) -> bool:
    """Whether both sides moved elements that the base has, in different ways."""
    common = [key for key in base if key in ours and key in theirs]
    one = [key for key in ours if key in common]
    two = [key for key in theirs if key in common]
    return one != two and common not in (one, two)


def _said(side: list[Key]) -> str:
    return ", ".join(" ".join(key) for key in side)


def _text(element: Element) -> str:
    written: str = etree.tostring(element, encoding="unicode", with_tail=False)
    return written
