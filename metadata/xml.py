"""XML as components are kept: parsed without entities or network, written one canonical way.

The canonical form keeps the order of elements and every text; white space between elements is
replaced by an indentation of four blanks. Profiles and permission sets are sets of entries that
the platform sorts when it gives them back, so their entries are sorted here too.
"""

from __future__ import annotations

from lxml import etree

from core.errors import InvalidInput

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
SORTED_ROOTS = frozenset({"Profile", "PermissionSet", "PermissionSetGroup", "MutingPermissionSet"})
Element = etree._Element


def parse(content: bytes, path: str) -> Element:
    """Parse a metadata file; raises InvalidInput ``metadata.malformed_xml`` with file and line."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as fault:
        line = fault.lineno or 1
        raise InvalidInput(
            "metadata.malformed_xml", f"{path} line {line} is not well-formed XML: {fault.msg}"
        ) from None
    if root.getroottree().docinfo.doctype:
        raise InvalidInput(
            "metadata.doctype", f"{path} declares a document type, which metadata never does."
        )
    return root


def local(element: Element) -> str:
    """The element's name without its namespace; empty for comments."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def canonical(root: Element) -> bytes:
    """The canonical bytes of a whole file."""
    if local(root) in SORTED_ROOTS:
        _indent(root)
        children = sorted(root, key=lambda item: (local(item), etree.tostring(item)))
        for child in list(root):
            root.remove(child)
        root.extend(children)
    _indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _indent(root: Element) -> None:
    root.tail = None
    etree.indent(root, space="    ")


def canonical_file(content: bytes, path: str) -> bytes:
    """Parse and write canonically."""
    return canonical(parse(content, path))


def text_of(element: Element, name: str) -> str:
    """Text of the first child of a name, stripped; empty when absent."""
    for child in element:
        if local(child) == name:
            return (child.text or "").strip()
    return ""


def element(name: str) -> Element:
    """A new element in the metadata namespace."""
    return etree.Element(f"{{{NAMESPACE}}}{name}", nsmap={None: NAMESPACE})


def renamed(source: Element, name: str) -> Element:
    """A copy of an element under another name, in the metadata namespace."""
    copy = element(name)
    for key, value in source.attrib.items():
        if not str(key).startswith("{"):
            copy.set(key, value)
    copy.text = source.text
    for child in source:
        copy.append(_clone(child))
    return copy


def _clone(node: Element) -> Element:
    from copy import deepcopy

    clone = deepcopy(node)
    clone.tail = None
    return clone
