"""What changed inside one XML file, element by element, by the keys of its type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from lxml import etree

from metadata import keys, wording, xml
from metadata.xml import Element

SHOWN = 4
MAX_TEXT = 40


def sentence(old: bytes, new: bytes) -> str:
    """The differences of two files: ``label “A” → “B”, field permission Account.X__c added``."""
    before, after = xml.parse(old, "the old file"), xml.parse(new, "the new file")
    rule = keys.of_root(xml.local(after))
    told: list[str] = []
    for name in sorted({*_names(before), *_names(after)}):
        told += _element(name, _all(before, name), _all(after, name), rule.keys.get(name))
    if not told:
        return "order or formatting changed"
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return ", ".join(told[:SHOWN]) + more


def changed(old: bytes, new: bytes) -> frozenset[str]:
    """Names of the elements that differ: ``fieldPermissions Account.X__c``, ``label``.

    Raises InvalidInput ``metadata.malformed_xml``.
    """
    before, after = xml.parse(old, "the old file"), xml.parse(new, "the new file")
    rule = keys.of_root(xml.local(after))
    found: set[str] = set()
    for name in {*_names(before), *_names(after)}:
        old_ones, new_ones, key = _all(before, name), _all(after, name), rule.keys.get(name)
        if key is None and len(old_ones) <= 1 and len(new_ones) <= 1:
            if [_content(node) for node in old_ones] != [_content(node) for node in new_ones]:
                found.add(name)
            continue
        one, two = _keyed(old_ones, key), _keyed(new_ones, key)
        differing = {shown for shown in one.keys() | two.keys() if one.get(shown) != two.get(shown)}
        found |= {f"{name} {shown}".strip() for shown in differing}
    return frozenset(found)


def _names(root: Element) -> list[str]:
    return [xml.local(child) for child in xml.elements(root)]


def _all(root: Element, name: str) -> list[Element]:
    return [child for child in xml.elements(root) if xml.local(child) == name]


def _element(
    name: str, old: Sequence[Element], new: Sequence[Element], key: tuple[str, ...] | None
) -> list[str]:
    words = wording.element(name)
    if len(old) <= 1 and len(new) <= 1 and key is None:
        return _single(words, old, new)
    before, after = _keyed(old, key), _keyed(new, key)
    told = [f"{words} {shown} added" for shown in after if shown not in before]
    told += [f"{words} {shown} removed" for shown in before if shown not in after]
    told += [
        f"{words} {shown} changed"
        for shown, content in after.items()
        if shown in before and before[shown] != content
    ]
    if not told and list(before) != list(after):
        told.append(f"{words} in another order")
    return told


def _single(words: str, old: Sequence[Element], new: Sequence[Element]) -> list[str]:
    if not old:
        return [f"{words}{_said(new[0])} added"]
    if not new:
        return [f"{words}{_said(old[0])} removed"]
    if _content(old[0]) == _content(new[0]):
        return []
    one, two = _short(old[0]), _short(new[0])
    return [
        f"{words} “{one}” → “{two}”" if one is not None and two is not None else f"{words} changed"
    ]


def _said(node: Element) -> str:
    text = _short(node)
    return f" “{text}”" if text else ""


def _short(node: Element) -> str | None:
    """The text of an element that fits into a sentence, or None."""
    text = (node.text or "").strip()
    if len(node) or len(text) > MAX_TEXT or "\n" in text:
        return None
    return text


def _keyed(nodes: Sequence[Element], key: tuple[str, ...] | None) -> Mapping[str, bytes]:
    """Elements by what people call them; equal names are counted."""
    found: dict[str, bytes] = {}
    seen: Counter[str] = Counter()
    for node in nodes:
        shown = _called(node, key)
        seen[shown] += 1
        found[shown if seen[shown] == 1 else f"{shown} ({seen[shown]})"] = _content(node)
    return found


def _called(node: Element, key: tuple[str, ...] | None) -> str:
    names = key or ("fullName", "name", "label", "field", ".")
    parts = [keys.value(node, name) for name in names]
    kept = [part for part in parts if part]
    if key is None:
        kept = kept[:1]
    return " ".join(kept)[:80]


def _content(node: Element) -> bytes:
    return etree.tostring(node, method="c14n", with_tail=False)
