"""Check a package's parts against the org, wording faults as Salesforce does.

Parts are checked in an order in which everything comes after what it may name, so a part that
fails makes those fail that need it. What is not understood is noted, never called correct.
"""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.apex.outline import outline
from simulator.catalogue.parts import Part
from simulator.catalogue.registry import META
from simulator.catalogue.standard import has_namespace, is_custom
from simulator.deploys.view import View
from simulator.sure import sure
from simulator.xmltree import Element

_FIRST = ("CustomObject", "GlobalValueSet", "CustomField", "RecordType", "ApexClass", "ApexTrigger")
_LAST = (
    "Layout",
    "CustomTab",
    "CustomApplication",
    "PermissionSet",
    "PermissionSetGroup",
    "Profile",
)
_TYPES_WITH_LABEL = ("__c", "__mdt", "__e", "__b", "__x")


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint about a part: text and place."""

    text: str
    line: int = 0
    column: int = 0
    path: str = ""


Check = Callable[[Part, View], list[Problem]]


def in_order(parts: list[Part]) -> list[Part]:
    """Return the parts in the order in which they are checked and written."""
    rank = {name: place for place, name in enumerate(_FIRST)}
    rank |= {name: 100 + place for place, name in enumerate(_LAST)}
    return sorted(parts, key=lambda part: rank.get(part.type, 50))


def problems_of(part: Part, view: View) -> list[Problem]:
    """Return everything that is wrong with a part."""
    if part.error is not None:
        error = part.error
        return [Problem(f"Error parsing file: {error.message}", error.line, error.column)]
    check = CHECKS.get(part.type)
    if check is None:
        return _root(part)
    return _root(part) or check(part, view)


def _root(part: Part) -> list[Problem]:
    element = part.element
    if element is None or part.parent or element.name == part.type:
        return []
    if part.type.endswith("Folder") or any(path.endswith(META) for path in part.files):
        return []
    text = (
        f"Error parsing file: Unexpected element {{http://soap.sforce.com/2006/04/metadata}}"
        f"{element.name} as the root of a file of type {part.type}"
    )
    return [Problem(text, element.line, element.column)]


def _object(part: Part, view: View) -> list[Problem]:
    if not is_custom(part.name):
        if view.has_object(part.name):
            return []
        return [
            Problem(f"Cannot create a new standard object: {part.name}", part.line, part.column)
        ]
    known = ("CustomObject", part.name.lower()) in view.held
    labelled = part.element is not None and part.element.value("label")
    if part.name.lower().endswith(_TYPES_WITH_LABEL) and not known and not labelled:
        return [Problem("Must specify a non-empty label for the CustomObject")]
    return []


def _child_of_object(part: Part, view: View) -> list[Problem]:
    if view.has_object(part.parent):
        return []
    text = f"Entity Enumeration Or ID: bad value for restricted picklist field: {part.parent}"
    return [Problem(text, part.line, part.column)]


def _field(part: Part, view: View) -> list[Problem]:
    found = _child_of_object(part, view)
    element = part.element
    if found or element is None:
        return found
    name = part.name.split(".", 1)[1]
    kind = element.value("type")
    if is_custom(name) and not kind and ("CustomField", part.name.lower()) not in view.held:
        return [Problem("Must specify a type for the CustomField", part.line, part.column)]
    for target in element.all("referenceTo"):
        if not view.has_object(target.text.strip()):
            name = target.text.strip()
            text = f"referenceTo value of '{name}' does not resolve to a valid sObject type"
            found.append(Problem(text, part.line, part.column))
    if kind in ("Lookup", "MasterDetail") and not element.all("referenceTo"):
        found.append(Problem("Required field is missing: referenceTo", part.line, part.column))
    if kind == "Text" and not element.value("length") and not element.value("formula"):
        found.append(Problem("Must specify a length for a Text field", part.line, part.column))
    return found


def field_problem(view: View, entity: str, name: str, at: Element, slot: str) -> Problem | None:
    """Complain about a custom field that will not be there."""
    if not is_custom(name) or "." in name or has_namespace(name):
        return None
    if view.has("CustomField", f"{entity}.{name}"):
        return None
    text = f"In field: {slot} - no CustomField named {entity}.{name} found"
    return Problem(text, at.line, at.column)


def _layout(part: Part, view: View) -> list[Problem]:
    entity = part.name.split("-", 1)[0]
    if not view.has_object(entity):
        return (
            [Problem("Parent entity failed to deploy")]
            if is_custom(entity)
            else [Problem(f"In field: layout - no CustomObject named {entity} found")]
        )
    found: list[Problem] = []
    for element, parent in sure(part.element, "a layout was parsed before").walk():
        if element.name == "field" and parent.name in ("layoutItems", "summaryLayoutItems"):
            problem = field_problem(view, entity, element.text.strip(), parent, "field")
            found += [problem] if problem else []
    return found


def _apex(part: Part, view: View) -> list[Problem]:
    source = part.files[part.path].decode("utf-8", "replace")
    read = outline(source)
    if read.faults:
        return [Problem(fault.message, fault.line, fault.column) for fault in read.faults]
    wanted = ("trigger",) if part.type == "ApexTrigger" else ("class", "interface", "enum")
    if read.name_token is None or read.kind not in wanted:
        first = source.split(maxsplit=1)[0] if source.strip() else "<EOF>"
        return [Problem(f"Unexpected token '{first}'.", 1, 1)]
    if read.name.lower() != part.name.lower():
        token = read.name_token
        text = f"Invalid name: the file is called {part.name}, the {read.kind} {read.name}"
        return [Problem(text, token.line, token.column)]
    if read.kind == "trigger" and not view.has_object(read.sobject):
        return [Problem(f"SObject type does not exist: {read.sobject}", 1, 1)]
    return []


def _sharing_or_workflow(part: Part, view: View) -> list[Problem]:
    entity = part.name.split(".", 1)[0]
    if view.has_object(entity):
        return []
    return [Problem(f"Entity Enumeration Or ID: bad value for restricted picklist field: {entity}")]


CHECKS: dict[str, Check] = {
    "CustomObject": _object,
    "CustomField": _field,
    "Layout": _layout,
    "ApexClass": _apex,
    "ApexTrigger": _apex,
    "Workflow": _sharing_or_workflow,
    "SharingRules": _sharing_or_workflow,
    **dict.fromkeys(
        (
            "BusinessProcess", "CompactLayout", "FieldSet", "Index", "ListView", "RecordType",
            "SharingReason", "ValidationRule", "WebLink",
        ),
        _child_of_object,
    ),
}  # fmt: skip
