"""Merge one metadata file: base, ours, theirs."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from core.errors import ExternalFault
from metadata import blocks, keys, xml
from metadata.keys import Rule
from metadata.merge.tree import ElementConflict, Merging, mixed
from metadata.xml import Element


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged file; with conflicts, ``content`` holds our side at each of them."""

    content: bytes
    conflicts: tuple[ElementConflict, ...]

    @property
    def clean(self) -> bool:
        """Whether both sides' changes are in it."""
        return not self.conflicts


def merge(base: bytes | None, ours: bytes, theirs: bytes, path: str = "the file") -> Merged:
    """Merge two sides of a metadata file over their base; without a base, over an empty file.

    Raises InvalidInput ``metadata.malformed_xml`` for a side that is no XML, and ExternalFault
    ``merge.lost`` should an element get lost, which is checked and not trusted.
    """
    mine, other = xml.parse(ours, f"{path} (ours)"), xml.parse(theirs, f"{path} (theirs)")
    before = xml.parse(base, f"{path} (base)") if base else xml.new(xml.local(mine))
    name = xml.local(mine)
    merging = Merging()
    if len({xml.local(root) for root in (before, mine, other)}) > 1:
        told = [xml.local(root) for root in (before, mine, other)]
        return Merged(ours, (ElementConflict(name, *told),))
    result = merging.merge(before, mine, other, keys.of_root(name), name)
    if not merging.conflicts:
        _account(before, mine, other, result, keys.of_root(name))
    return Merged(written(result), tuple(merging.conflicts))


def merge_canonical(base: bytes, ours: bytes, theirs: bytes, path: str) -> Merged:
    """Like ``merge``, for three files in canonical form; a clean result is in it too.

    Entries of the platform's sets that all three hold alike are laid aside and put back: of a
    permission set with thousands of entries only those that differ are merged.
    """
    parts = [blocks.below_root(side) for side in (base, ours, theirs)]
    rule = keys.of_root(xml.local(xml.parse(blocks.rest(parts[1], set(parts[1][1])), path)))
    equal = {
        block
        for block in set(parts[0][1]).intersection(parts[1][1], parts[2][1])
        if block[len(blocks.START) :].partition(b">")[0].decode() in rule.sets
    }
    before, mine, other = (blocks.rest(side, equal) for side in parts)
    found = merge(before, mine, other, path) if equal else None
    if found is not None and found.clean and b"\n</" in found.content:
        head, end, tail = found.content.rpartition(b"\n</")
        kept = b"".join(block for block in parts[1][1] if block in equal)
        root = xml.parse(head + kept + end + tail, path)
        if not _doubled(root, rule):
            return Merged(xml.canonical(root), ())
    found = merge(base, ours, theirs, path)
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


def _account(base: Element, ours: Element, theirs: Element, result: Element, rule: Rule) -> None:
    """Every element that a side added, or that both kept, has to be in the result.

    Elements are told apart by their keys: a side may take one out and put another in, so a count
    would say nothing.
    """
    one, two, three, made = (_held(root, rule) for root in (base, ours, theirs, result))
    wanted = {key for key in two | three if key not in one or (key in two and key in three)}
    lost = sorted(wanted - made)
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
