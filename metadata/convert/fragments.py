"""Files that are put together, taken as text where reading them as XML would change nothing.

Salesforce's tools write one element a line, four blanks deeper than its parent, and that is how the
official converter writes the whole, too. Where every line of a file has that form, moving its lines
to the right is all there is to do; the form itself, with its tags in balance, guarantees that it is
well-formed. Every other file is parsed and written anew, with the same result.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from metadata import xml
from metadata.convert.writing import fragment
from metadata.xml import Element

_SIGNS = r"[^<>&\x00-\x1f\x7f-\x9f\ufffe\uffff]*"
_TEXT = rf"{_SIGNS}(?:&(?:amp|lt|gt|quot|apos);{_SIGNS})*"
_LINES = _TEXT.replace(r"\x00-\x1f", r"\x00-\x08\x0b-\x1f")
"""Texts of several lines, which must not be moved to the right."""

_COMMENT = r"<!--(?:[^-\x00-\x1f\ufffe\uffff]|-[^-\x00-\x1f\ufffe\uffff])*-->"
_START = re.compile(
    r'<\?xml version="1\.0" encoding="UTF-8"\?>\n'
    rf'<([A-Za-z]\w*) xmlns="{re.escape(xml.NAMESPACE)}">',
    re.ASCII,
)
_ELEMENT = r"\n( +)<(/?)([A-Za-z]\w*)>(?:(?:%s|%s)(</)\3>)?(?=\n)"
_LINE = re.compile(_ELEMENT % (_TEXT, _COMMENT), re.ASCII)
_ANY = re.compile(_ELEMENT % (_LINES, _COMMENT), re.ASCII)
_FLAT = re.compile(rf"(?:\n {{4}}<([A-Za-z]\w*)>(?:{_TEXT}|{_COMMENT})</\1>)+", re.ASCII)
_NAME = re.compile(r"\n    <(\w+)", re.ASCII)
_EMPTY = re.compile(r"(\n +<)([A-Za-z]\w*)/>(?=\n)", re.ASCII)


class Child(NamedTuple):
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
        inner = self.lines.replace("\n", "\n    ")
        return f"    <{element}>{inner}\n    </{element}>\n"

    def same(self, other: Child) -> bool:
        """Whether two files say the same."""
        return self.content == other.content or xml.same(
            xml.parse(self.content, self.path), xml.parse(other.content, other.path)
        )


def read(content: bytes, path: str, unique: str) -> Child:
    """Read a child's file; raises what ``xml.parse`` raises."""
    lines = plain(content)
    if lines:
        for element in (unique, "fullName", "name"):
            _, found, rest = lines.partition(f"\n    <{element}>")
            name, _, _ = rest.partition("</")
            if found and name.strip() and "&" not in name and "<" not in name:
                return Child(name.strip(), content, path, lines)
            if found:
                break  # written with entities or a comment: too rare to read here
        else:
            return Child("", content, path, lines)
    root = xml.parse(content, path)
    names = (xml.text_of(root, name) for name in (unique, "fullName", "name") if name)
    return Child(next(filter(None, names), ""), content, path, root=root)


def plain(content: bytes, *, moved: bool = True) -> str:
    """The lines between the root's tags, each behind its line feed; "" for any other form.

    Where the lines are not ``moved`` to the right, texts may have several of them.
    """
    return lines_of(inside(content), moved=moved)


def inside(content: bytes) -> str:
    """What stands between the root's tags; "" for a file with anything else around them."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    start = _START.match(text)
    end = f"\n</{start[1]}>" if start else ""
    if not start or not text.endswith((end, f"{end}\n")):
        return ""
    return text[start.end() : text.rindex(end)]


def lines_of(inner: str, *, moved: bool) -> str:
    """Some elements as ``plain`` has them, each line behind its line feed; "" for another form."""
    if "/>" in inner:
        inner = _EMPTY.sub(r"\1\2></\2>", f"{inner}\n")[:-1]
    if not _flat(inner):
        found = _LINE.findall(f"{inner}\n")
        if len(found) != inner.count("\n"):
            if moved or _ANY.sub("", f"{inner}\n") != "\n":
                return ""
            found = _ANY.findall(f"{inner}\n")
        if not _balanced(found):
            return ""
    if '"' in inner or "'" in inner:  # which the official converter escapes, but not in a comment
        return "" if "<!--" in inner else inner.replace('"', "&quot;").replace("'", "&apos;")
    return inner


def _flat(inner: str) -> bool:
    """Whether every line is an element of its own name, as in most files."""
    names = _NAME.findall(inner) if _FLAT.fullmatch(inner) else []
    return len(set(names)) == len(names) > 0


def _balanced(lines: list[tuple[str, str, str, str]]) -> bool:
    """Whether tags close in order, at their depth, with repeated elements together."""
    open_tags: list[str] = []
    last, seen = "", set[str]()
    above: list[tuple[str, set[str]]] = []
    for blanks, closing, name, whole in lines:
        if closing:
            if whole or not last or not open_tags or open_tags.pop() != name:
                return False
            last, seen = above.pop()
            if len(blanks) != 4 * len(open_tags) + 4:
                return False
            continue
        if len(blanks) != 4 * len(open_tags) + 4:
            return False
        if name != last:
            if name in seen:
                return False
            seen.add(name)
            last = name
        if not whole:
            open_tags.append(name)
            above.append((last, seen))
            last, seen = "", set()
    return not open_tags and bool(lines)
