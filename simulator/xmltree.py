"""XML with positions: a light tree over expat that knows where each start tag ended.

Salesforce reports the column behind the start tag of the element that it complains about
(seen in published deploy logs), so that place is kept. Document types are refused: they bring
entities.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from simulator.sure import sure

METADATA_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SEPARATOR = "|"
_RETURN = {"\r": "&#13;"}
"""A reader takes a bare one for the end of a line."""
_MESSAGES = {
    "no element found": "Premature end of file.",
    "syntax error": "Content is not allowed in prolog.",
    "junk after document element": (
        "The markup in the document following the root element must be well-formed."
    ),
    "not well-formed (invalid token)": (
        "The content of elements must consist of well-formed character data or markup."
    ),
    "undefined entity": "The entity was referenced, but not declared.",
    "duplicate attribute": "An attribute was already specified for the element.",
}


class NotWellFormed(Exception):
    """The text is no XML; carries what a person needs to find the place."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(slots=True)
class Element:
    """One element: local name, text, children, and the position behind its start tag."""

    name: str
    namespace: str = ""
    text: str = ""
    line: int = 1
    column: int = 1
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)

    def child(self, name: str) -> "Element | None":
        """Return the first child of that name."""
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> "list[Element]":
        """Return all children of that name."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str, default: str = "") -> str:
        """Return the stripped text of the first child of that name."""
        found = self.child(name)
        return default if found is None else found.text.strip()

    def walk(self) -> "Iterator[tuple[Element, Element]]":
        """Yield every descendant with its parent, in document order."""
        for child in self.children:
            yield child, self
            yield from child.walk()


class _Builder:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.root: Element | None = None
        self.open: list[Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition(_SEPARATOR)
        written = len(name) + sum(len(k) + len(v) + 4 for k, v in attributes.items()) + 3
        element = Element(
            name,
            namespace,
            line=self.parser.CurrentLineNumber,
            column=self.parser.CurrentColumnNumber + written,
            attributes=dict(attributes),
        )
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, tag: str) -> None:
        self.open.pop()

    def characters(self, text: str) -> None:
        if self.open:
            self.open[-1].text += text

    def doctype(self, *declaration: object) -> None:
        raise NotWellFormed(
            'DOCTYPE is disallowed when the feature "disallow-doctype-decl" set to true.',
            self.parser.CurrentLineNumber,
            self.parser.CurrentColumnNumber + 1,
        )


def parse(content: bytes) -> Element:
    """Parse XML and return its root; NotWellFormed says what is wrong and where."""
    builder = _Builder()
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        text = expat.ErrorString(error.code)
        message = _MESSAGES.get(text, text)
        if text == "mismatched tag" and builder.open:
            tag = builder.open[-1].name
            message = (
                f'The element type "{tag}" must be terminated by the matching end-tag "</{tag}>".'
            )
        raise NotWellFormed(message, error.lineno, error.offset + 1) from error
    return sure(builder.root, "expat refuses a document without an element")


def render(element: Element, indent: int = 0) -> str:
    """Write an element as the platform does: four blanks per level, text on one line."""
    pad = "    " * indent
    attributes = "".join(
        f" {_attribute(name)}={quoteattr(value)}" for name, value in element.attributes.items()
    )
    if not element.children:
        if not element.text:
            return f"{pad}<{element.name}{attributes}/>\n"
        text = escape(element.text, _RETURN)
        return f"{pad}<{element.name}{attributes}>{text}</{element.name}>\n"
    inner = "".join(render(child, indent + 1) for child in element.children)
    return f"{pad}<{element.name}{attributes}>\n{inner}{pad}</{element.name}>\n"


def document(name: str, children: list[Element]) -> bytes:
    """Write a whole metadata file with the given children below its root."""
    inner = "".join(render(child, 1) for child in children)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<{name} xmlns="{METADATA_NAMESPACE}">\n{inner}</{name}>\n'.encode()


def fragment(element: Element) -> bytes:
    """Write one child element so that it can be kept by itself and parsed again."""
    return render(element).encode()


def _attribute(name: str) -> str:
    namespace, _, local = name.rpartition(_SEPARATOR)
    return f"xsi:{local}" if namespace == XSI else local
