"""Merge element trees: any number of sides over one base.

What only one side changed is taken from it. What several changed is looked into: repeated elements
are told apart by the keys of their type (``metadata.keys``), lists keep an order that all sides can
stand behind, single elements are merged inside. A key that is missing or there twice makes the
repeated elements one thing, so that nothing is ever overwritten by a map. Where sides changed the
same thing in different ways, a conflict names it; a decision settles it, and without one the result
holds the first side there.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from metadata import keys, xml
from metadata.merge import sequences
from metadata.merge.conflicts import (
    BASE,
    WHOLE_LIST,
    Decide,
    ElementConflict,
    Kind,
    Said,
    undecided,
)
from metadata.merge.items import (
    Identity,
    Item,
    Key,
    content,
    items_of,
    meant,
    mixed,
    ranked,
    told_apart,
    unranked,
)
from metadata.xml import Element

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Side:
    """A tree and who brings it."""

    labels: Labels
    element: Element


@dataclass
class _Wanted:
    """What some sides want at one key; ``item`` is None where they removed it."""

    labels: Labels
    item: Item | None


class Merging:
    """One merge of sides over their base.

    ``partial`` says that a side may leave out what it has nothing to say about, as profiles do: an
    element that is missing there is no removal.
    """

    def __init__(self, decide: Decide = undecided, *, partial: bool = False) -> None:
        self.conflicts: list[ElementConflict] = []
        self.given_up: set[Key] = set()
        self._decide = decide
        self._partial = partial

    def merge(self, base: Element, sides: Sequence[Side], rule: keys.Rule, path: str) -> Element:
        """The merged element; differences that exclude each other go into ``conflicts``."""
        found = _apart(base, sides, content)
        trees = [base, *(side.element for side in found)]
        is_one = _textual(*trees) or _attributed(*trees)
        if not found or (len(found) == 1 and (is_one or not self._partial)):
            return copy.deepcopy((found[0] if found else sides[0]).element)
        if is_one:
            found = _meaning(base, found)
            if len(found) == 1:
                return copy.deepcopy(found[0].element)
            picked = self._settle(
                path, _text(base), [(side.labels, _text(side.element)) for side in found]
            )
            return copy.deepcopy(base if picked == BASE else found[max(picked, 0)].element)
        return self._children(base, found, rule, path)

    def _children(
        self, base: Element, sides: Sequence[Side], rule: keys.Rule, path: str
    ) -> Element:
        labels = [side.labels for side in sides]
        held = [items_of(tree) for tree in (base, *(side.element for side in sides))]
        merged: dict[str, list[Item]] = {}
        for name in _names(held):
            runs = [[item for item in side if xml.local(item.element) == name] for side in held]
            merged[name] = self._run(name, runs, labels, rule, path)
        first = sides[0].element
        own: Any = dict(first.attrib)
        prefixes: Any = first.nsmap
        result = etree.Element(first.tag, attrib=own, nsmap=prefixes)
        result.text, result.tail = first.text, first.tail
        order: list[str] = []
        for side in held[1:]:
            order = sequences.placed(order, _names([side]), set(_names(held)))
        if self._partial:
            order = sequences.placed(order, _names(held[:1]), set(_names(held)))
        for name in order:
            for item in merged[name]:
                result.extend([copy.deepcopy(comment) for comment in item.comments])
                result.append(copy.deepcopy(item.element))
        return result

    def _run(
        self,
        name: str,
        runs: Sequence[list[Item]],
        labels: Sequence[Labels],
        rule: keys.Rule,
        path: str,
    ) -> list[Item]:
        """Merge all elements of one name; the first run is the base's."""
        rank = keys.RANKED.get(name, "")
        bare = unranked(runs, rank) if rank else None
        if bare is not None:
            return ranked(self._run_of(name, bare, labels, rule, path), rank)
        return self._run_of(name, runs, labels, rule, path)

    def _run_of(
        self,
        name: str,
        runs: Sequence[list[Item]],
        labels: Sequence[Labels],
        rule: keys.Rule,
        path: str,
    ) -> list[Item]:
        found = rule.keys.get(name)
        if found is not None:
            known = told_apart(runs, found, once=name in rule.sets)
            if all(side is not None for side in known):
                sides = [side or {} for side in known]
                sides = _spoken(sides) if name in rule.rising else sides
                return self._by_key(name, sides, labels, rule, path)
        elif name not in rule.repeated and all(len(run) <= 1 for run in runs):
            single: list[dict[Key, Item]] = [{(): run[0]} if run else {} for run in runs]
            return self._by_key(name, single, labels, rule, path)
        said = [[item.identity for item in run] for run in runs]
        order: list[Identity] | None = said[1]
        for other in said[2:]:
            order = None if order is None else sequences.merge(said[0], order, other)
        if order is None:
            return self._whole_run(f"{path}/{name}", name, runs, labels)
        held = {item.identity: item for run in (runs[0], *runs[:0:-1]) for item in run}
        return [held[identity] for identity in order]

    def _by_key(
        self,
        name: str,
        sides: Sequence[dict[Key, Item]],
        labels: Sequence[Labels],
        rule: keys.Rule,
        path: str,
    ) -> list[Item]:
        base, *others = sides
        kept: dict[Key, Item] = {}
        for key in dict.fromkeys([key for side in (*others, base) for key in side]):
            where = f"{path}/{name}" + (f"[{' '.join(key)}]" if key else "")
            wanted = [_Wanted(who, side.get(key)) for who, side in zip(labels, others, strict=True)]
            inner = None if name in keys.WHOLE else rule.inner(name)
            item = _highest(base.get(key), wanted, rule.rising.get(name))
            item = item or _made(wanted, rule.made.get(name))
            item = item or (_drawn(base.get(key), wanted) if name in rule.drawn else None)
            item = item or self._entry(base.get(key), wanted, inner, where)
            if item is not None:
                kept[key] = item
            elif key not in base or any(want.item is not None for want in wanted):
                self.given_up.add((name, *key))
        return [kept[key] for key in self._order(name, sides, labels, kept, rule, path)]

    def _order(
        self,
        name: str,
        sides: Sequence[dict[Key, Item]],
        labels: Sequence[Labels],
        kept: dict[Key, Item],
        rule: keys.Rule,
        path: str,
    ) -> list[Key]:
        """The order of what is kept: of a list one that every side can stand behind."""
        present = [[key for key in side if key in kept] for side in sides]
        chosen = 0
        if name not in rule.sets:
            order: list[Key] | None = present[1]
            for other in present[2:]:
                order = None if order is None else sequences.merge(present[0], order, other)
            if order is not None and set(order) == set(kept):
                return order
            if order is None and _reordered(*present):
                told = [(who, _told(side)) for who, side in zip(labels, present[1:], strict=True)]
                place = f"{path}/{name} (order)"
                chosen = self._settle(place, _told(present[0]), told, Kind.ORDER)
        first = present[0] if chosen == BASE else present[1 + max(chosen, 0)]
        result = list(first)
        for other in [*present[1:], *([present[0]] if self._partial else [])]:
            result = sequences.placed(result, other, set(kept))
        return result

    def _entry(
        self, base: Item | None, sides: Sequence[_Wanted], rule: keys.Rule | None, path: str
    ) -> Item | None:
        if self._partial and base is not None:
            sides = [_Wanted(side.labels, side.item or base) for side in sides]
        held = base.identity if base else None
        changed: dict[Identity | None, _Wanted] = {}
        for side in sides:
            said = side.item.identity if side.item else None
            if said != held:
                before = changed.get(said)
                labels = (before.labels if before else ()) + side.labels
                changed[said] = _Wanted(labels, before.item if before else side.item)
        found = list(changed.values())
        if not found:
            return _commented(base, sides)
        if len(found) == 1:
            return _commented(found[0].item, sides)
        items = [want.item for want in found]
        if base is None and len({meant(item.element) for item in items if item}) == 1:
            return _commented(items[0], sides)
        merged: Item | None = None
        if base is not None and rule is not None and all(item is not None for item in items):
            trees = [Side(want.labels, want.item.element) for want in found if want.item]
            merged = self._inside(base, trees, rule, path)
        if merged is None:
            told = [(want.labels, _item_text(want.item)) for want in found]
            picked = self._settle(path, _item_text(base), told)
            return base if picked == BASE else found[max(picked, 0)].item
        return _commented(merged, sides)

    def _inside(self, base: Item, sides: Sequence[Side], rule: keys.Rule, path: str) -> Item | None:
        """An entry merged part by part; None where the parts only mean something together."""
        open_before = len(self.conflicts)
        merged = self.merge(base.element, sides, rule, path)
        if not keys.stands(merged) and all(keys.stands(side.element) for side in sides):
            del self.conflicts[open_before:]
            return None
        return Item(merged)

    def _whole_run(
        self, path: str, name: str, runs: Sequence[list[Item]], labels: Sequence[Labels]
    ) -> list[Item]:
        told = ["".join(_text(item.element) for item in run) for run in runs]
        picked = self._settle(path, told[0], list(zip(labels, told[1:], strict=True)), Kind.LIST)
        if picked == WHOLE_LIST:
            return _after_each_other(runs)
        self.given_up.add((name,))
        return runs[0] if picked == BASE else runs[1 + max(picked, 0)]

    def _settle(
        self,
        path: str,
        base: str,
        told: Sequence[tuple[Labels, str]],
        kind: Kind = Kind.ELEMENT,
    ) -> int:
        """The index of what was decided, ``BASE`` or ``WHOLE_LIST``; else 0, and a conflict."""
        grouped: dict[str, Labels] = {}
        for who, text in told:
            if text != base:
                grouped[text] = grouped.get(text, ()) + who
        sides = tuple(Said(who, text) for text, who in grouped.items())
        conflict = ElementConflict(path, base, sides, kind)
        picked = conflict.picked(self._decide(conflict))
        if picked is None:
            self.conflicts.append(conflict)
            return 0
        if picked < 0:
            return picked
        return next(i for i, (_who, text) in enumerate(told) if text == sides[picked].content)


def _apart(base: Element, sides: Sequence[Side], told: Callable[[Element], Identity]) -> list[Side]:
    """The sides that say another thing than the base, those that say the same as one."""
    before = told(base)
    apart: dict[Identity, Side] = {}
    for side in sides:
        said = told(side.element)
        if said != before:
            known = apart.get(said)
            labels = (known.labels if known else ()) + side.labels
            apart[said] = Side(labels, known.element if known else side.element)
    return list(apart.values())


def _meaning(base: Element, sides: list[Side]) -> list[Side]:
    """The sides that mean different things, or the first where all mean the same.

    A comment stands instead of a text that is still open; another comment there says nothing new.
    """
    return _apart(base, sides, meant) or sides[:1]


def _commented(item: Item | None, sides: Sequence[_Wanted]) -> Item | None:
    """An item with the comments of the first side that has any."""
    if item is None:
        return None
    comments = next((s.item.comments for s in sides if s.item and s.item.comments), item.comments)
    return Item(item.element, comments)


def _spoken(sides: list[dict[Key, Item]]) -> list[dict[Key, Item]]:
    """Sides of which those without any version say nothing, once another one changed versions."""
    base, *others = sides
    said = {key: item.identity for key, item in base.items()}
    changed = any(side and {k: v.identity for k, v in side.items()} != said for side in others)
    return [base, *(side or base for side in others)] if changed else sides


def _highest(
    base: Item | None, sides: Sequence[_Wanted], parts: tuple[str, ...] | None
) -> Item | None:
    """The highest of a number that sides raised and none lowered, with its item."""
    if parts is None:
        return None
    least = keys.number(base.element, parts) if base else ()
    held = [(keys.number(side.item.element, parts), side) for side in sides if side.item]
    if least is None or any(one is None or one < least for one, _side in held):
        return None
    if base is not None and len(held) < len(sides):
        return None
    most = max(held, key=lambda one: one[0] or (), default=None)
    return _commented(most[1].item, sides) if most and most[0] != least else None


def _made(sides: Sequence[_Wanted], pattern: str | None) -> Item | None:
    """The first of what orgs wrote by themselves on every side."""
    if pattern is None or not all(
        side.item and re.fullmatch(pattern, keys.value(side.item.element, ".")) for side in sides
    ):
        return None
    return sides[0].item


def _drawn(base: Item | None, sides: Sequence[_Wanted]) -> Item | None:
    """Where the first side that moved it draws an element of a flow; None where one took it out."""
    if not all(side.item for side in sides):
        return None
    said = base.identity if base else None
    return next((side.item for side in sides if side.item and side.item.identity != said), None)


def _after_each_other(runs: Sequence[list[Item]]) -> list[Item]:
    """The first side's run, then what the others added to the base."""
    base = {item.identity for item in runs[0]}
    result = list(runs[1])
    held = {item.identity for item in result}
    for run in runs[2:]:
        fresh = [item for item in run if item.identity not in held and item.identity not in base]
        result += fresh
        held |= {item.identity for item in fresh}
    return result


def _textual(*sides: Element) -> bool:
    """Whether there is text to decide about; an empty element is one without children yet."""
    return any(mixed(side) for side in sides) or not any(xml.elements(side) for side in sides)


def _attributed(*sides: Element) -> bool:
    return len({tuple(sorted(map(str, side.attrib.items()))) for side in sides}) > 1


def _names(sides: Sequence[list[Item]]) -> list[str]:
    return list(dict.fromkeys(xml.local(item.element) for side in sides for item in side))


def _reordered(base: list[Key], *sides: list[Key]) -> bool:
    """Whether two sides moved elements that the base has, in different ways."""
    common = [key for key in base if all(key in side for side in sides)]
    orders = {tuple(key for key in side if key in common) for side in sides}
    return len(orders - {tuple(common)}) > 1


def _told(side: list[Key]) -> str:
    return ", ".join(" ".join(key) for key in side)


def _item_text(item: Item | None) -> str:
    return "" if item is None else _text(item.element)


def _text(element: Element) -> str:
    written: str = etree.tostring(element, encoding="unicode", with_tail=False)
    return written
