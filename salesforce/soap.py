"""The two SOAP calls of the Metadata API that have no REST form: retrieve and its status.

simple-salesforce's own retrieve loses warnings and fails without a zip, so the envelopes are
written here, by the Metadata WSDL (element order as in the WSDL, which is alphabetical).
"""

from __future__ import annotations

import base64
import binascii

from lxml import etree

from core.errors import InvalidInput
from salesforce import faults, xml
from salesforce.parse import moment
from salesforce.types import FileProperty, Manifest, Retrieve

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


def retrieve(session_id: str, manifest: Manifest, api_version: str) -> bytes:
    """Write the envelope of a retrieve of unpackaged metadata."""
    if not any(manifest.values()):
        raise InvalidInput("retrieve.empty", "There is nothing to retrieve: name components first.")
    envelope, body = _envelope(session_id)
    call = _sub(body, "retrieve")
    request = _sub(call, "retrieveRequest")
    _sub(request, "apiVersion", api_version)
    _sub(request, "singlePackage", "true")
    package = _sub(request, "unpackaged")
    for kind in sorted(manifest):
        if manifest[kind]:
            types = _sub(package, "types")
            for member in sorted(manifest[kind]):
                _sub(types, "members", member)
            _sub(types, "name", kind)
    _sub(package, "version", api_version)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def check_retrieve_status(session_id: str, remote_id: str) -> bytes:
    """Write the envelope that asks how far a retrieve is, the zip included."""
    envelope, body = _envelope(session_id)
    call = _sub(body, "checkRetrieveStatus")
    _sub(call, "asyncProcessId", remote_id)
    _sub(call, "includeZip", "true")
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _envelope(session_id: str) -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(
        f"{{{_ENVELOPE}}}Envelope", nsmap={"soapenv": _ENVELOPE, "met": NAMESPACE}
    )
    header = etree.SubElement(envelope, f"{{{_ENVELOPE}}}Header")
    _sub(_sub(header, "SessionHeader"), "sessionId", session_id)
    return envelope, etree.SubElement(envelope, f"{{{_ENVELOPE}}}Body")


def _sub(parent: etree._Element, name: str, content: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if content is not None:
        try:
            child.text = content
        except ValueError:  # control characters have no place in XML
            raise InvalidInput(
                "retrieve.bad_name", f"“{content[:80]!r}” cannot be the name of a component."
            ) from None
    return child


def result(host: str, body: bytes) -> etree._Element:
    """Return the ``result`` element of an answer. Raises ExternalFault."""
    found = xml.find(xml.parse(body), "result")
    if found is None:
        raise faults.malformed(host, "a SOAP answer without a result")
    return found


def parse_retrieve(host: str, element: etree._Element) -> Retrieve:
    """Read a RetrieveResult. Raises ExternalFault when the zip is not base64 or is missing."""
    done = xml.text(element, "done").lower() == "true"
    success = xml.text(element, "success").lower() == "true"
    encoded = xml.text(element, "zipFile")
    content = _decode(host, encoded) if encoded else None
    if done and success and content is None:
        raise faults.malformed(host, "a finished retrieve without a zip")
    return Retrieve(
        id=xml.text(element, "id"),
        done=done,
        success=success,
        status=xml.text(element, "status"),
        zip_bytes=content if done and success else None,
        messages=tuple(_retrieve_message(item) for item in xml.children(element, "messages")),
        file_properties=tuple(
            _file_property(item) for item in xml.children(element, "fileProperties")
        ),
        error_message=xml.text(element, "errorMessage"),
    )


def _decode(host: str, encoded: str) -> bytes:
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except binascii.Error:
        raise faults.malformed(host, "a zip that is not base64") from None


def _retrieve_message(item: etree._Element) -> str:
    name, problem = xml.text(item, "fileName"), xml.text(item, "problem")
    return f"{name}: {problem}" if name else problem


def _file_property(item: etree._Element) -> FileProperty:
    return FileProperty(
        type=xml.text(item, "type"),
        full_name=xml.text(item, "fullName"),
        file_name=xml.text(item, "fileName"),
        last_modified_by=xml.text(item, "lastModifiedByName"),
        last_modified_at=moment({"at": xml.text(item, "lastModifiedDate")}, "at"),
    )
