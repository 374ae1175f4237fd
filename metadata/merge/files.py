"""Merge one metadata file: base, ours, theirs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lxml import etree

from core.errors import ExternalFault
from metadata import keys, xml
from metadata.merge.tree import ElementConflict, Merging
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
        _account(before, mine, other, result)
    return Merged(written(result), tuple(merging.conflicts))


def written(root: Element) -> bytes:
    """The file with four blanks of indentation, in the order it has."""
    etree.indent(root, space=xml.INDENT)
    root.tail = None
    return xml.DECLARATION + etree.tostring(root, encoding="utf-8") + b"\n"


def _account(base: Element, ours: Element, theirs: Element, result: Element) -> None:
    """Every element that a side added or kept, and no side removed, has to be in the result."""
    one, two, three, made = (_held(root) for root in (base, ours, theirs, result))
    for name in {*two, *three}:
        if two[name] >= one[name] and three[name] >= one[name]:
            least = max(two[name], three[name])
            if made[name] < least:
                raise ExternalFault(
                    "merge.lost",
                    f"Merging lost {least - made[name]} of {least} “{name}”; nothing was written.",
                    retryable=False,
                )


def _held(root: Element) -> Counter[str]:
    return Counter(xml.local(child) for child in xml.elements(root))
