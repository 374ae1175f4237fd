"""SOAP answers: entities, DTDs and the network are off; names are matched without namespaces."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from core.errors import ExternalFault


def parse(body: bytes) -> etree._Element:
    """Return the root element. Raises ExternalFault ``org.answer_malformed``."""
    # huge_tree: one text node holds a whole base64 zip; the wire bounds the size of the answer.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise _malformed(f"XML: {str(error)[:80]}") from None
    if b"<!DOCTYPE" in body[:1024]:
        raise _malformed("XML with a document type")
    return root


def _malformed(what: str) -> ExternalFault:
    return ExternalFault(
        "org.answer_malformed",
        f"The org gave an answer that Gatehouse does not understand ({what}).",
        retryable=False,
    )


def local(element: etree._Element) -> str:
    """Return the element's name without its namespace; comments have none."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def find(root: etree._Element, name: str) -> etree._Element | None:
    """Return the first element of that local name, the root included."""
    return next((item for item in root.iter() if local(item) == name), None)


def children(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the direct children of that local name."""
    return (item for item in parent if local(item) == name)


def text(parent: etree._Element, name: str) -> str:
    """Return the text of the first such child; empty when absent or nil."""
    child = next(children(parent, name), None)
    return "" if child is None else (child.text or "").strip()
