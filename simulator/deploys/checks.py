"""Check a package's parts against the org, wording faults as Salesforce does.

Parts are checked in an order in which everything comes after what it may name, so a part that
fails makes those fail that need it. What is not understood is noted, never called correct.
"""

from collections.abc import Callable
from dataclasses import replace

from simulator.catalogue.parts import Part
from simulator.catalogue.registry import META
from simulator.catalogue.standard import is_custom
from simulator.deploys import (
    apex_checks,
    aura,
    formulas,
    names,
    reference_checks,
    schema,
    web_components,
)
from simulator.deploys.problems import Problem
from simulator.deploys.view import View
from simulator.sure import sure

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
    found = _root(part) or names.check(part, view) or _content(part, view)
    check = CHECKS.get(part.type)
    if check is not None and all(problem.missing for problem in found):
        found = check(part, view) or found
    return found


def _content(part: Part, view: View) -> list[Problem]:
    """Check a part against the schema; what is only a guess goes to the operator's warnings."""
    roots = [("", part.element)] if part.element is not None else list(part.position.items())
    found = []
    for path, root in roots:
        kind = root.name if part.type == "Settings" else part.type
        if not schema.is_known(kind) and kind not in CHECKS:
            view.note(f"Content of type {kind} is not checked")
        for problem in schema.check(kind, root, view.version):
            if problem.guess:
                view.note(f"{part.type} {part.name}: {problem.text}")
            else:
                found.append(replace(problem, path=path))
    return found


def _root(part: Part) -> list[Problem]:
    """Complain about a file whose root names another type (for the types that are known well)."""
    element = part.element
    known = part.type in CHECKS or schema.is_known(part.type)
    if element is None or part.parent or element.name == part.type or not known:
        return []
    if any(path.endswith(META) for path in part.files):
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
    if not is_custom(name):
        return []  # a standard field is only adjusted
    if not kind and ("CustomField", part.name.lower()) not in view.held:
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
    found += names.relationship(part, view)
    return found or formulas.check(part, view, "formula")


def _validation_rule(part: Part, view: View) -> list[Problem]:
    return _child_of_object(part, view) or formulas.check(part, view, "errorConditionFormula")


def _layout(part: Part, view: View) -> list[Problem]:
    entity = part.name.split("-", 1)[0]
    if not view.has_object(entity):
        return (
            [Problem("Parent entity failed to deploy")]
            if is_custom(entity)
            else [Problem(f"In field: layout - no CustomObject named {entity} found")]
        )
    found = []
    for element, parent in sure(part.element, "a layout was parsed before").walk():
        if element.name != "field" or parent.name not in ("layoutItems", "summaryLayoutItems"):
            continue
        if not view.has_field(entity, element.text.strip()):
            text = f"In field: field - no CustomField named {entity}.{element.text.strip()} found"
            found.append(Problem(text, parent.line, parent.column))
    return found


def _sharing_or_workflow(part: Part, view: View) -> list[Problem]:
    entity = part.name.split(".", 1)[0]
    if view.has_object(entity):
        return []
    return [Problem(f"Entity Enumeration Or ID: bad value for restricted picklist field: {entity}")]


CHECKS: dict[str, Check] = {
    "CustomObject": _object,
    "CustomField": _field,
    "Layout": _layout,
    "ApexClass": apex_checks.check,
    "ApexTrigger": apex_checks.check,
    "Workflow": _sharing_or_workflow,
    "SharingRules": _sharing_or_workflow,
    **reference_checks.CHECKS,
    **dict.fromkeys(
        (
            "BusinessProcess", "CompactLayout", "FieldSet", "Index", "ListView", "RecordType",
            "SharingReason", "WebLink",
        ),
        _child_of_object,
    ),
    "ValidationRule": _validation_rule,
    "LightningComponentBundle": web_components.check,
    "AuraDefinitionBundle": aura.check,
}  # fmt: skip
