"""Check elements against the schema that Salesforce publishes, as the platform's parser does.

The schema is the Metadata WSDL inside the installed package simple-salesforce; it is read at the
first use and only its names are kept. What is newer than that file is noted, never refused.
"""

import difflib
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from simulator import xmltree
from simulator.deploys.problems import Problem
from simulator.xmltree import XSI, Element

#: The version of the bundled file; packages of later versions may bring what it does not know.
VERSION = 63.0
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_TYPE = f"{XSI}|type"
_NUMBERS = {"xsd:int": int, "xsd:long": int, "xsd:double": float}
#: Content that the platform's parser of these elements takes as it is.
_OPEN = frozenset({"xsd:anyType", "xsd:base64Binary"})
#: Elements that older versions had.
_RETIRED = frozenset(
    {
        ("CustomApplication", "tab"),
        ("CustomField", "displayLocationInDecimal"),
        ("CustomTab", "mobileReady"),
    }
)
#: Needed by the schema, but the platform fills them in (seen in published projects that deploy).
_OPTIONAL = frozenset(
    {
        ("ApexClass", "apiVersion"),
        ("ApexClass", "status"),
        ("ApexTrigger", "apiVersion"),
        ("ApexTrigger", "status"),
        ("CustomPermission", "isLicensed"),
    }
)
ALIKE = 0.8
#: Types whose files are not read by that schema: they have a schema of their own.
_FOREIGN = frozenset({"LightningComponentBundle", "AuraDefinitionBundle"})


@dataclass(frozen=True, slots=True)
class Slot:
    """One element that a type may contain."""

    type: str
    many: bool
    needed: bool


@dataclass(slots=True)
class Schema:
    """Types with their elements, and enumerations with their values."""

    types: dict[str, dict[str, Slot]] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    values: dict[str, frozenset[str]] = field(default_factory=dict)

    def slots(self, name: str) -> dict[str, Slot]:
        """Return the elements of a type, inherited ones too."""
        found: dict[str, Slot] = {}
        while name in self.types:
            found = {**self.types[name], **found}
            name = self.bases.get(name, "")
        return found


@cache
def load() -> Schema:
    """Read the schema; an empty one when the package is not installed."""
    spec = importlib.util.find_spec("simple_salesforce")
    file = Path(spec.origin).with_name("metadata.wsdl") if spec and spec.origin else None
    schema = Schema()
    if file is None or not file.exists():
        return schema
    for _, node in ElementTree.iterparse(file):  # noqa: S314 - a file of an installed package
        if node.tag == f"{_XSD}complexType" and node.get("name"):
            _read_complex(schema, node)
        elif node.tag == f"{_XSD}simpleType" and node.get("name"):
            listed = {entry.get("value", "") for entry in node.iter(f"{_XSD}enumeration")}
            schema.values[node.get("name", "")] = frozenset(listed)
        if node.tag in (f"{_XSD}complexType", f"{_XSD}simpleType"):
            node.clear()
    return schema


def _read_complex(schema: Schema, node: ElementTree.Element) -> None:
    name = node.get("name", "")
    schema.types[name] = {
        entry.get("name", ""): Slot(
            entry.get("type", "").removeprefix("tns:"),
            entry.get("maxOccurs", "1") != "1",
            entry.get("minOccurs", "1") != "0",
        )
        for entry in node.iter(f"{_XSD}element")
    }
    extension = next(node.iter(f"{_XSD}extension"), None)
    if extension is not None:
        schema.bases[name] = extension.get("base", "").removeprefix("tns:")


def is_known(kind: str) -> bool:
    """Say whether the schema has the type."""
    return kind in load().types and kind not in _FOREIGN


def check(kind: str, element: Element, version: float = VERSION) -> list[Problem]:
    """Return what is wrong with the content of one component's element.

    In packages of a later version than the schema's an unknown name is a mistake when it nearly is
    a known one; otherwise it may be new on the platform, and the problem is marked as a guess.
    """
    if not is_known(kind):
        return []
    return list(_Checker(load(), version).walk(kind, element))


class _Checker:
    def __init__(self, schema: Schema, version: float) -> None:
        self.schema = schema
        self.newer = version > VERSION

    def walk(self, kind: str, element: Element) -> Iterator[Problem]:
        slots = self.schema.slots(kind)
        previous, seen = "", set[str]()
        for child in element.children:
            slot = slots.get(child.name)
            if slot is None:
                if (kind, child.name) not in _RETIRED:
                    yield self._misplaced(kind, child, slots)
                continue
            if child.name in seen and (not slot.many or child.name != previous):
                text = f"Element {child.name} is duplicated at this location in type {kind}"
                yield _parsing(text, child)
            seen.add(child.name)
            previous = child.name
            yield from self._content(slot, child)
        for name, slot in slots.items():
            if slot.needed and name not in seen and not _is_optional(kind, name):
                text = f"Required field is missing: {name}"
                yield Problem(text, element.line, element.column, missing=True)

    def _misplaced(self, kind: str, child: Element, known: Iterable[str] = ()) -> Problem:
        name = f"{{{xmltree.METADATA_NAMESPACE}}}{child.name}"
        problem = _parsing(f"Element {name} invalid at this location in type {kind}", child)
        return replace(problem, guess=self._may_be_new(child.name, known))

    def _may_be_new(self, name: str, known: Iterable[str]) -> bool:
        return self.newer and not difflib.get_close_matches(name, known, 1, ALIKE)

    def _content(self, slot: Slot, child: Element) -> Iterator[Problem]:
        given = child.attributes.get(_TYPE, "").rpartition(":")[2]
        inner = given if given in self.schema.types else slot.type
        if inner in self.schema.types:
            yield from self.walk(inner, child)
            return
        text = child.text.strip()
        values = self.schema.values.get(inner)
        if child.children:
            if inner not in _OPEN:
                yield self._misplaced(inner, child.children[0])
        elif values and text and text not in values:
            problem = _parsing(f"'{text}' is not a valid value for the enum '{inner}'", child)
            yield replace(problem, guess=self._may_be_new(text, values))
        elif not _fits(inner, text):
            yield _parsing(f"'{text}' is not a valid value for the type {inner}", child)


def _is_optional(kind: str, name: str) -> bool:
    return (kind, name) in _OPTIONAL or kind.endswith("Translation")


def _parsing(text: str, element: Element) -> Problem:
    return Problem(f"Error parsing file: {text}", element.line, element.column)


def _fits(kind: str, text: str) -> bool:
    if kind == "xsd:boolean":
        return text.lower() in ("", "true", "false", "1", "0")
    if kind in _NUMBERS and text:
        try:
            _NUMBERS[kind](text)
        except ValueError:
            return False
    return True
