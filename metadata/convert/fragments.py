"""A child's file as the element that it becomes in its parent's, without reading it as XML.

Most children are flat: one element a line, each with a text or a comment. Where every line of a
file is of that form, in the way the official converter would write it too, moving it four blanks to
the right is all there is to do; the form itself guarantees that it is well-formed. Every other file
is parsed and written anew, with the same result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from metadata import xml
from metadata.convert.writing import fragment
from metadata.xml import Element

_SIGNS = r"[^<>&\"'\x00-\x1f\x7f-\x9f\ufffe\uffff]*"
_TEXT = rf"{_SIGNS}(?:&(?:amp|lt|gt|quot|apos);{_SIGNS})*"
_COMMENT = r"<!--(?:[^-\x00-\x1f\ufffe\uffff]|-[^-\x00-\x1f\ufffe\uffff])*-->"
_FLAT = re.compile(
    r'<\?xml version="1\.0" encoding="UTF-8"\?>\n'
    rf'<([A-Za-z]\w*) xmlns="{re.escape(xml.NAMESPACE)}">'
    rf"((?:\n    <([A-Za-z]\w*)>(?:{_TEXT}|{_COMMENT})</\3>)+)\n</\1>\n?",
    re.ASCII,
)
_NAMES = re.compile(r"\n    <(\w+)>", re.ASCII)


@dataclass(frozen=True, slots=True)
class Child:
    """One child: its own name ("" when it has none) and how to write it."""

    name: str
    content: bytes
    path: str
    lines: str = ""
    root: Element | None = None

    def written(self, element: str) -> str:
        """The child as an element of its parent's file."""
        if self.root is not None:
            return fragment(self.root, element)
        inner = self.lines.replace("\n    <", "\n        <")
        return f"    <{element}>{inner}\n    </{element}>\n"

    def same(self, other: Child) -> bool:
        """Whether two files say the same."""
        return self.content == other.content or xml.same(
            xml.parse(self.content, self.path), xml.parse(other.content, other.path)
        )


def read(content: bytes, path: str, unique: str) -> Child:
    """Read a child's file; raises what ``xml.parse`` raises."""
    lines = _flat_lines(content)
    if lines:
        for element in (unique, "fullName", "name"):
            found = re.search(rf"\n    <{element}>([^<&]*)</", lines) if element else None
            if found and found[1].strip():
                return Child(found[1].strip(), content, path, lines)
            if element and f"\n    <{element}>" in lines:
                break  # written with entities or a comment: too rare to read here
        else:
            return Child("", content, path, lines)
    root = xml.parse(content, path)
    names = (xml.text_of(root, name) for name in (unique, "fullName", "name") if name)
    return Child(next(filter(None, names), ""), content, path, root=root)


def _flat_lines(content: bytes) -> str:
    """The lines between the root's ends; "" when the file has another form."""
    try:
        found = _FLAT.fullmatch(content.decode("utf-8"))
    except UnicodeDecodeError:
        return ""
    if found is None:
        return ""
    names = _NAMES.findall(found[2])
    return found[2] if len(set(names)) == len(names) else ""
