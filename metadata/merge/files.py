"""Merge one metadata file: two sides, or any number of them, over their base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from core.errors import ExternalFault
from metadata import blocks, keys, xml
from metadata.keys import Rule
from metadata.merge.conflicts import Decide, ElementConflict, Kind, Said, undecided
from metadata.merge.items import Key, mixed
from metadata.merge.tree import Labels, Merging, Side
from metadata.xml import Element

OURS, THEIRS = ("ours",), ("theirs",)
Brought = tuple[Labels, bytes]
"""One side's content with who brings it."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged file; with conflicts, ``content`` holds the first side at each of them."""

    content: bytes
    conflicts: tuple[ElementConflict, ...]

    @property
    def clean(self) -> bool:
        """Whether every side's changes are in it."""
        return not self.conflicts


def merge(base: bytes | None, ours: bytes, theirs: bytes, path: str = "the file") -> Merged:
    """Merge two sides of a metadata file over their base; without a base, over an empty file.

    Raises InvalidInput ``metadata.malformed_xml`` for a side that is no XML, and ExternalFault
    ``merge.lost`` should an element get lost, which is checked and not trusted.
    """
    return merge_sides(base, [(OURS, ours), (THEIRS, theirs)], path)


def merge_sides(
    base: bytes | None,
    sides: Sequence[Brought],
    path: str,
    decide: Decide = undecided,
    *,
    partial: bool = False,
) -> Merged:
    """Like ``merge``, for any number of sides and with decisions already taken."""
    trees = [Side(who, xml.parse(content, f"{path} ({who[0]})")) for who, content in sides]
    name = xml.local(trees[0].element)
    before = xml.parse(base, f"{path} (base)") if base else xml.new(name)
    if len({xml.local(root) for root in (before, *(side.element for side in trees))}) > 1:
        told = tuple(Said(side.labels, xml.local(side.element)) for side in trees)
        conflict = ElementConflict(name, xml.local(before), told, Kind.FILE)
        return Merged(sides[0][1], (conflict,))
    merging = Merging(decide, partial=partial)
    result = merging.merge(before, trees, keys.of_root(name), name)
    if not merging.conflicts:
        roots = [side.element for side in trees]
        _account(before, roots, result, keys.of_root(name), merging.given_up)
    return Merged(written(result), tuple(merging.conflicts))


def merge_canonical(
    base: bytes,
    sides: Sequence[Brought],
    path: str,
    decide: Decide = undecided,
    *,
    partial: bool = False,
) -> Merged:
    """Like ``merge_sides``, for files in canonical form; a clean result is in it too.

    Entries of the platform's sets that all hold alike are laid aside and put back: of a permission
    set with thousands of entries only those that differ are merged.
    """
    parts = [blocks.below_root(side) for side in (base, *(content for _who, content in sides))]
    rule = keys.of_root(xml.local(xml.parse(blocks.rest(parts[1], set(parts[1][1])), path)))
    equal = {
        block
        for block in set(parts[0][1]).intersection(*(part[1] for part in parts[1:]))
        if block[len(blocks.START) :].partition(b">")[0].decode() in rule.sets
    }
    if equal:
        before, *others = (blocks.rest(part, equal) for part in parts)
        short = [(who, rest) for (who, _content), rest in zip(sides, others, strict=True)]
        found = merge_sides(before, short, path, decide, partial=partial)
        if found.clean and b"\n</" in found.content:
            head, end, tail = found.content.rpartition(b"\n</")
            kept = b"".join(block for block in parts[1][1] if block in equal)
            root = xml.parse(head + kept + end + tail, path)
            if not _doubled(root, rule):
                return Merged(xml.canonical(root), ())
    found = merge_sides(base, sides, path, decide, partial=partial)
    if found.conflicts:
        return found
    return Merged(xml.canonical_file(found.content, path), ())


def _doubled(root: Element, rule: Rule) -> bool:
    """Whether two entries of a set have the same key."""
    seen: set[tuple[str, ...]] = set()
    for node in xml.elements(root):
        name = xml.local(node)
        if name in rule.sets:
            key = (name, *(keys.value(node, part) for part in rule.sets[name]))
            if key in seen:
                return True
            seen.add(key)
    return False


def written(root: Element) -> bytes:
    """The file with four blanks of indentation, in the order it has."""
    _indent(root, 1)
    root.tail = None
    return xml.DECLARATION + etree.tostring(root, encoding="utf-8") + b"\n"


def _indent(parent: Element, depth: int) -> None:
    """Blanks between elements only: a comment that is an element's content stays alone in it."""
    if not xml.elements(parent) or mixed(parent):
        return
    inner = "\n" + xml.INDENT * depth
    parent.text = inner
    for child in parent:
        child.tail = inner
        if xml.local(child):
            _indent(child, depth + 1)
    parent[-1].tail = inner[: -len(xml.INDENT)]


def _account(
    base: Element, sides: Sequence[Element], result: Element, rule: Rule, given_up: set[Key]
) -> None:
    """Every element that a side added, or that all kept, has to be in the result.

    Elements are told apart by their keys: a side may take one out and put another in, so a count
    would say nothing. What a decision gave up is named by key, or by name for a whole list.
    """
    one, made = _held(base, rule), _held(result, rule)
    others = [_held(root, rule) for root in sides]
    wanted = {
        key
        for key in set().union(*others)
        if key not in one or all(key in other for other in others)
    }
    lost = sorted(key for key in wanted - made if key not in given_up and key[:1] not in given_up)
    if lost:
        named = " ".join(part for part in lost[0] if part)
        raise ExternalFault(
            "merge.lost",
            f"Merging lost {len(lost)} elements, among them “{named}”; nothing was written.",
            retryable=False,
        )


def _held(root: Element, rule: Rule) -> set[tuple[str, ...]]:
    """Name and key of every element; one without a key counts by its name."""
    return {
        (xml.local(node), *(keys.value(node, part) for part in rule.keys.get(xml.local(node), ())))
        for node in xml.elements(root)
    }
