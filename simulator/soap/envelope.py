"""SOAP messages: read leniently, as the platform does, and written strictly by the WSDL."""

from typing import Any
from xml.sax.saxutils import escape

from simulator import xmltree
from simulator.transport.messages import Response
from simulator.xmltree import Element, NotWellFormed

METADATA = xmltree.METADATA_NAMESPACE
PARTNER = "urn:partner.soap.sforce.com"
CONTENT_TYPE = "text/xml;charset=UTF-8"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


class SoapFault(Exception):
    """A refusal in SOAP: HTTP 500 with a fault code in the platform's namespace."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def read(body: bytes) -> tuple[Element, Element | None]:
    """Return the operation's element and the header; by local names, whatever the prefixes."""
    try:
        root = xmltree.parse(body)
    except NotWellFormed as error:
        raise SoapFault("UNKNOWN_EXCEPTION", f"Malformed envelope: {error.message}") from error
    inside = root.child("Body")
    if inside is None or not inside.children:
        raise SoapFault("UNKNOWN_EXCEPTION", "The envelope has no operation")
    return inside.children[0], root.child("Header")


def session_id(header: Element | None) -> str:
    """Return the session id of the header."""
    session = None if header is None else header.child("SessionHeader")
    return "" if session is None else session.value("sessionId")


def write(operation: str, result: Any, *, namespace: str = METADATA, effect: str = "") -> Response:
    """Answer an operation with its result: a dict, a list of results, or text."""
    results = result if isinstance(result, list) else [result]
    inner = "".join(element("result", entry) for entry in results)
    return _respond(
        f'<{operation}Response xmlns="{namespace}">{inner}</{operation}Response>', effect
    )


def write_raw(operation: str, inner: str) -> Response:
    """Answer an operation with XML that is written already."""
    body = f'<{operation}Response xmlns="{METADATA}">{inner}</{operation}Response>'
    return _respond(body, "")


def _respond(inner: str, effect: str) -> Response:
    xsi = f'xmlns:xsi="{xmltree.XSI}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    envelope = (
        f'{_HEAD}<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" {xsi}>'
        f"<soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(200, envelope.encode(), CONTENT_TYPE, effect=effect)


def element(name: str, value: Any) -> str:
    """Write a value; keys in alphabetical order, which is the order of every sequence used."""
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, bool):
        return f"<{name}>{str(value).lower()}</{name}>"
    if isinstance(value, dict):
        return f"<{name}>{''.join(_entries(value))}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def _entries(value: dict[str, Any]) -> list[str]:
    written = []
    for key in sorted(value):
        entry = value[key]
        if isinstance(entry, list):
            written += [element(key, one) for one in entry]
        else:
            written.append(element(key, entry))
    return written


def fault(code: str, message: str, namespace: str = METADATA) -> Response:
    """Answer with a fault."""
    text = escape(f"{code}: {message}")
    detail = ""
    if namespace == PARTNER:
        detail = (
            f'<detail><sf:fault xsi:type="sf:LoginFault">'
            f"<sf:exceptionCode>{code}</sf:exceptionCode>"
            f"<sf:exceptionMessage>{escape(message)}</sf:exceptionMessage></sf:fault></detail>"
        )
    inner = (
        f'<soapenv:Fault xmlns:sf="{namespace}"><faultcode>sf:{code}</faultcode>'
        f"<faultstring>{text}</faultstring>{detail}</soapenv:Fault>"
    )
    response = _respond(inner, "")
    response.status = 500
    return response
