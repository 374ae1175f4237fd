"""Write XML the way the official converter writes files that it puts together.

Four blanks of indentation, ``<a></a>`` for an empty element, quotes escaped in text, repeated
elements together where the first one stands. Text is kept untrimmed: the official converter cuts
blanks and line breaks at both ends of a label, which changes what users see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from metadata import xml
from metadata.xml import Element

_TEXT = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#xD;"}
)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def document(root: str, own: Sequence[Element], children: Iterable[str]) -> bytes:
    """A whole file: the frame's own elements, then the written children in the order given."""
    out = [HEAD, f'<{root} xmlns="{xml.NAMESPACE}">\n']
    out += [fragment(node, None) for node in together(own)]
    out += children
    out.append(f"</{root}>\n")
    return "".join(out).encode("utf-8")


def fragment(node: Element, name: str | None) -> str:
    """One element below the root; it declares the prefixes that its own file had at the root."""
    out: list[str] = []
    prefixes = {uri: prefix for prefix, uri in node.nsmap.items() if prefix}
    declared = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in prefixes.items())
    _write(out, node, "    ", name, declared)
    return "".join(out)


def _write(out: list[str], node: Element, pad: str, name: str | None, declared: str) -> None:
    tag: Any = name or node.tag
    if not isinstance(tag, str):
        out.append(f"{pad}<!--{node.text or ''}-->\n")
        return
    if tag[0] == "{":
        tag = _name(node)
    start = (
        f"{pad}<{tag}{declared}{_attributes(node)}>" if declared or node.keys() else f"{pad}<{tag}>"
    )
    if not len(node):
        text = node.text
        out.append(f"{start}{text.translate(_TEXT) if text else ''}</{tag}>\n")
        return
    children = list(node)
    if _mixed(node, children):
        out.append(f"{start}{_inline(node, children)}</{tag}>\n")
    else:
        out.append(f"{start}\n")
        inner = pad + "    "
        for child in together(children):
            _write(out, child, inner, None, "")
        out.append(f"{pad}</{tag}>\n")


def _name(node: Element) -> str:
    uri, _, local = str(node.tag)[1:].partition("}")
    return local if uri == xml.NAMESPACE or not node.prefix else f"{node.prefix}:{local}"


def _attributes(node: Element) -> str:
    """Attributes, with prefixes that the element itself declares below a fragment's root."""
    parts = []
    outer = node.getparent()
    if outer is not None and node.nsmap != outer.nsmap:
        known = outer.nsmap
        parts = [f' xmlns:{p}="{u}"' for p, u in node.nsmap.items() if p and known.get(p) != u]
    prefixes = {uri: prefix for prefix, uri in node.nsmap.items() if prefix}
    for key, value in node.attrib.items():
        parts.append(f' {_attribute_name(str(key), prefixes)}="{str(value).translate(_TEXT)}"')
    return "".join(parts)


def _attribute_name(key: str, prefixes: dict[str, Any]) -> str:
    if not key.startswith("{"):
        return key
    uri, _, local = key[1:].partition("}")
    return f"{prefixes.get(uri, 'xml')}:{local}"


def _mixed(node: Element, children: Sequence[Element]) -> bool:
    """Whether blanks may not be added: text beside elements, or nothing but comments."""
    text = node.text
    if text and not text.isspace():
        return True
    only_comments = True
    for child in children:
        tail = child.tail
        if tail and not tail.isspace():
            return True
        only_comments = only_comments and not isinstance(child.tag, str)
    return only_comments


def _inline(node: Element, children: Sequence[Element]) -> str:
    parts = [(node.text or "").translate(_TEXT)]
    for child in children:
        inner: list[str] = []
        _write(inner, child, "", None, "")
        parts.append("".join(inner).removesuffix("\n"))
        parts.append((child.tail or "").translate(_TEXT))
    return "".join(parts)


def together(children: Sequence[Element]) -> Sequence[Element]:
    """Repeated elements together, at the place of the first one."""
    seen: set[Any] = set()
    last: Any = None
    for child in children:
        tag = child.tag
        if tag != last and tag in seen:
            break
        seen.add(tag)
        last = tag
    else:
        return children
    runs: dict[Any, list[Element]] = {}
    for child in children:
        runs.setdefault(child.tag, []).append(child)
    return [child for run in runs.values() for child in run]


_SIGNS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_WEIGHTS = str.maketrans({sign: chr(index + 1) for index, sign in enumerate(_SIGNS)})


def collation(text: str) -> tuple[str, str]:
    """Sort key like ``localeCompare``: signs, digits, letters; case only between equals."""
    return text.lower().translate(_WEIGHTS), text.swapcase()
