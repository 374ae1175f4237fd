"""Metadata XML: parsed without entities, document types or network; written in canonical form.

The canonical form is what two files with the same meaning have in common:
- UTF-8, LF, the declaration, four blanks of indentation, no blanks between elements;
- text as it is, every blank and line break of it;
- elements of one parent ordered by name, ``fullName`` first, because the platform reads repeated
  elements only when they stand together, ignores the order of different ones, and writes them in
  an order of its own;
- repeated elements in their order, except where the platform keeps a set and sorts it by a key
  (``metadata.keys`` lists these);
- comments and processing instructions between elements are left out, because the platform does
  not keep them; a comment that is the whole content of an element stays, because the platform
  itself writes that for a translation that is still open.
An element that mixes text and elements is left untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from core.errors import InvalidInput
from metadata import keys, types

NAMESPACE = types.NAMESPACE
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
INDENT = "    "
Element = etree._Element

SCHEMA = {
    "xsd": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_XSI_TYPE = f"{{{SCHEMA['xsi']}}}type"
_PREFIX = f"{{{NAMESPACE}}}"
_FULL_NAME = f"{_PREFIX}fullName"
_BLANK = " \t\r\n"


_PARSER = etree.XMLParser(  # without huge_tree it refuses more than 256 elements in each other
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
)


def parse(content: bytes, path: str) -> Element:
    """Parse a metadata file and return its root.

    Raises InvalidInput ``metadata.malformed_xml`` naming file and line, or ``metadata.doctype``.
    """
    try:
        root = etree.fromstring(content, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as fault:
        line = getattr(fault, "lineno", None) or 1
        problem = str(getattr(fault, "msg", None) or fault).split(", line ")[0]
        raise InvalidInput(
            "metadata.malformed_xml",
            f"{path} line {line} is not well-formed XML: {problem}.",
            path=path,
            line=line,
        ) from None
    about: Any = root.getroottree().docinfo
    if about.doctype:
        raise InvalidInput(
            "metadata.doctype",
            f"{path} declares a document type, which metadata never does.",
            path=path,
        )
    return root


class _Nothing:
    """What a parser that only checks builds."""

    def close(self) -> None:
        """Needed by the parser."""


_NOTHING: Any = _Nothing()
_LONG = 10_000_000
"""A single text of more bytes is refused where a tree is built."""


def check(content: bytes, path: str) -> None:
    """Raise what ``parse`` raises; quicker, since of the usual file no tree is built.

    Whatever is not usual is left to ``parse``.
    """
    usual = content.startswith(DECLARATION[:-1]) and len(content) < _LONG
    usual = usual and b"<!DOCTYPE" not in content
    if usual:
        parser = etree.XMLParser(
            target=_NOTHING, resolve_entities=False, no_network=True, load_dtd=False
        )
        try:
            etree.fromstring(content, parser)
            usual = not parser.error_log  # where namespaces that are not declared are named
        except (etree.XMLSyntaxError, ValueError):
            usual = False
    if not usual:
        parse(content, path)


def local(element: Element) -> str:
    """The element's name without namespace; empty for a comment."""
    tag: Any = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def qualified(beside: Element, name: str) -> str:
    """A name in the namespace of another element."""
    tag: Any = beside.tag
    space, brace, _own = tag.rpartition("}")
    return f"{space}{brace}{name}"


def elements(parent: Element) -> list[Element]:
    """The child elements, without comments."""
    return [child for child in parent if isinstance(child.tag, str)]


def text_of(parent: Element, name: str) -> str:
    """Text of the first child of a name, stripped; empty when absent."""
    for child in parent:
        if local(child) == name:
            return (child.text or "").strip()
    return ""


def canonical(root: Element) -> bytes:
    """The canonical bytes of a whole file; the tree is changed on the way."""
    root = _qualified(root)
    _arrange(root, keys.of_root(local(root)), 1)
    root.tail = None
    if not len(root) and not (root.text or "").strip(_BLANK):
        root.text = None
    written = etree.tostring(root, encoding="utf-8")
    if b"xmlns:" in written:
        written = etree.tostring(_declared(root), encoding="utf-8")
    return DECLARATION + written + b"\n"


def _declared(root: Element) -> Element:
    """The same root with exactly the prefixes that are used, also inside ``xsi:type``."""
    types = [str(node.get(_XSI_TYPE, "")).partition(":") for node in root.iter(etree.Element)]
    kept = sorted({prefix for prefix, colon, _name in types if colon})
    outer: Any = {None: NAMESPACE, **SCHEMA}
    fresh = etree.Element(root.tag, attrib=_attributes(root), nsmap=_namespaces(root) | SCHEMA)
    fresh.text = root.text
    fresh.extend(list(root))
    etree.cleanup_namespaces(fresh, top_nsmap=outer, keep_ns_prefixes=kept)
    return fresh


def canonical_file(content: bytes, path: str) -> bytes:
    """Parse a file and write it in canonical form."""
    return canonical(parse(content, path))


def _qualified(root: Element) -> Element:
    """Put elements without any namespace into the platform's: it reads them as its own."""
    if not isinstance(root.tag, str) or root.tag.startswith("{"):
        return root
    written = etree.tostring(root, encoding="utf-8", with_tail=False)
    start = b"<" + root.tag.encode("utf-8")
    return etree.fromstring(
        written.replace(start, start + f' xmlns="{NAMESPACE}"'.encode(), 1), _PARSER
    )


def _arrange(parent: Element, rule: keys.Rule, depth: int) -> None:
    """Order and indent the children of one element, and theirs."""
    children = list(parent)
    if not children:
        return
    kept = _without_comments(parent, children)
    if kept is None:
        return
    ordered = _ordered(kept, rule)
    if ordered != children:
        parent[:] = ordered
    inner = "\n" + INDENT * depth
    parent.text = inner
    for child in ordered:
        child.tail = inner
        if len(child):
            _arrange(child, rule.inner(local(child)), depth + 1)
    ordered[-1].tail = inner[: -len(INDENT)]


def _without_comments(parent: Element, children: list[Element]) -> list[Element] | None:
    """The elements to arrange, or None where the content has to stay as it is."""
    if parent.text and parent.text.strip(_BLANK):
        return None
    kept = []
    for child in children:
        if child.tail and child.tail.strip(_BLANK):
            return None
        if isinstance(child.tag, str):
            kept.append(child)
    return kept or None


def _ordered(children: list[Element], rule: keys.Rule) -> list[Element]:
    if len(children) < 2:
        return children
    tags = [child.tag for child in children]
    names = [("" if tag == _FULL_NAME else tag) for tag in tags]
    ordered = children
    if any(names[i] > names[i + 1] for i in range(len(names) - 1)):
        order = sorted(range(len(children)), key=names.__getitem__)
        ordered = [children[i] for i in order]
    if rule.sets:
        ordered = _sorted_sets(ordered, rule)
    return ordered


def _sorted_sets(children: list[Element], rule: keys.Rule) -> list[Element]:
    """Sort each run of repeated elements that the platform keeps as a set."""
    result: list[Element] = []
    start = 0
    while start < len(children):
        end = start + 1
        tag = children[start].tag
        while end < len(children) and children[end].tag == tag:
            end += 1
        run = children[start:end]
        found = rule.sets.get(local(run[0])) if len(run) > 1 else None
        result += sorted(run, key=_keyed(found)) if found else run
        start = end
    return result


def _keyed(names: tuple[str, ...]) -> Callable[[Element], tuple[str, ...]]:
    def key(child: Element) -> tuple[str, ...]:
        values = tuple(
            (child.text or "").strip() if name == "." else text_of(child, name) for name in names
        )
        # Equal keys are told apart by content, so that the order never depends on the input's.
        return (*values, etree.tostring(child, method="c14n", with_tail=False).decode())

    return key


def new(name: str) -> Element:
    """A new root in the metadata namespace."""
    own: Any = {None: NAMESPACE}
    return etree.Element(f"{_PREFIX}{name}", nsmap=own)


def renamed(source: Element, name: str) -> Element:
    """The element under another name as a root of its own; its children move along."""
    root = etree.Element(f"{_PREFIX}{name}", attrib=_attributes(source), nsmap=_namespaces(source))
    root.text = source.text
    root.extend(list(source))
    return root


def _attributes(source: Element) -> dict[Any, Any]:
    return dict(source.attrib.items())


def _namespaces(source: Element) -> Any:
    """The default namespace and the other prefixes in scope, none of them for the same one."""
    kept: Any = {None: NAMESPACE}
    kept |= {prefix: uri for prefix, uri in source.nsmap.items() if prefix and uri != NAMESPACE}
    return kept


def same(one: Element, two: Element) -> bool:
    """Whether two elements are the same XML, formatting included."""
    return etree.tostring(one, method="c14n") == etree.tostring(two, method="c14n")


def union(roots: Iterable[Element]) -> list[Element]:
    """All child elements of several roots, in order."""
    return [child for root in roots for child in elements(root)]
