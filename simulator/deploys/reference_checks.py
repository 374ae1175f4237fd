"""Check what permission sets, profiles, flows, tabs, applications and pages name.

Wordings follow published deploy logs. Names with the prefix "standard" belong to the platform.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulator.catalogue.parts import Part
from simulator.catalogue.standard import is_custom
from simulator.deploys.problems import Problem
from simulator.deploys.view import View
from simulator.packages import install
from simulator.sure import sure

_CONTROLLER = re.compile(
    r"""\b(?:controller|extensions)\s*=\s*["']([\w,\s.]+)["']""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a grant names something: the element, the child with the name, the type it is of."""

    element: str
    child: str
    type: str


_GRANTS = (
    Slot("objectPermissions", "object", "CustomObject"),
    Slot("fieldPermissions", "field", "CustomField"),
    Slot("classAccesses", "apexClass", "ApexClass"),
    Slot("pageAccesses", "apexPage", "ApexPage"),
    Slot("tabSettings", "tab", "CustomTab"),
    Slot("tabVisibilities", "tab", "CustomTab"),
    Slot("applicationVisibilities", "application", "CustomApplication"),
    Slot("recordTypeVisibilities", "recordType", "RecordType"),
    Slot("customPermissions", "name", "CustomPermission"),
    Slot("flowAccesses", "flow", "Flow"),
    Slot("customMetadataTypeAccesses", "name", "CustomObject"),
    Slot("customSettingAccesses", "name", "CustomObject"),
    Slot("layoutAssignments", "layout", "Layout"),
)


def _grants(part: Part, view: View) -> list[Problem]:
    found = []
    for slot in _GRANTS:
        for element in part.element.all(slot.element) if part.element else ():
            name = element.value(slot.child)
            if name and not _exists(view, slot.type, name):
                text = f"In field: {slot.child} - no {slot.type} named {name} found"
                found.append(Problem(text, element.line, element.column))
    return found


def _exists(view: View, kind: str, name: str) -> bool:
    if name.lower().startswith(("standard-", "standard__")) or view.is_packaged(name):
        return True
    if view.has(kind, name):
        return True
    match kind:
        case "CustomObject":
            return not is_custom(name) or view.has_object(name)
        case "CustomField":
            entity, _, field = name.partition(".")
            return view.has_field(entity, field)
        case "RecordType":
            # Record types from birth (Master, PersonAccount) have standard objects.
            return name.rpartition(".")[2] in ("Master", "PersonAccount")
        case "Layout":
            return not is_custom(name.split("-", 1)[0])
    return False


def _flow(part: Part, view: View) -> list[Problem]:
    found = []
    for element, parent in part.element.walk() if part.element else ():
        name = element.text.strip()
        if element.name in ("object", "objectType") and is_custom(name):
            if not view.has_object(name):
                label = parent.value("name") or parent.name
                text = f'{label} - The object "{name}" can\'t be found in this org.'
                found.append(Problem(text, element.line, element.column))
        elif element.name == "actionType" and name == "apex":
            action = parent.value("actionName")
            if action and not view.has("ApexClass", action) and not view.is_packaged(action):
                text = (
                    f"{parent.value('name')} (Apex Action) - We can't find an action with the name"
                    " and action type that you specified."
                )
                found.append(Problem(text, parent.line, parent.column))
    return [*found, *_flow_fields(part, view)]


_RECORD_ELEMENTS = ("recordCreates", "recordLookups", "recordUpdates", "recordDeletes", "start")


_FIELD_HOLDERS = (*_RECORD_ELEMENTS, "filters", "inputAssignments", "outputAssignments")


def _flow_fields(part: Part, view: View) -> Iterator[Problem]:
    """Complain about custom fields that elements with a known object name."""
    for element in part.element.children if part.element else ():
        entity = element.value("object")
        if element.name not in _RECORD_ELEMENTS or not entity or not view.has_object(entity):
            continue
        for inner, parent in element.walk():
            name = inner.text.strip()
            if inner.name not in ("field", "queriedFields", "sortField") or not is_custom(name):
                continue
            if parent.name in _FIELD_HOLDERS and not view.has_field(entity, name):
                text = f'The field "{name}" for the object "{entity}" doesn\'t exist.'
                label = element.value("name") or element.name
                yield Problem(f"{label} - {text}", inner.line, inner.column)


_TAB_SLOTS = (
    ("page", "ApexPage"),
    ("flexiPage", "FlexiPage"),
    ("auraComponent", "AuraDefinitionBundle"),
    ("lwcComponent", "LightningComponentBundle"),
)


def _tab(part: Part, view: View) -> list[Problem]:
    element = part.element
    if element is None:
        return []
    if is_custom(part.name) and not view.has_object(part.name):
        text = f"Entity Enumeration Or ID: bad value for restricted picklist field: {part.name}"
        return [Problem(text, element.line, element.column)]
    found = []
    for child, kind in _TAB_SLOTS:
        name = element.value(child)
        if name and not _exists(view, kind, name):
            found.append(
                Problem(
                    f"In field: {child} - no {kind} named {name} found",
                    element.line,
                    element.column,
                )
            )
    return found


def _application(part: Part, view: View) -> list[Problem]:
    found = []
    for element in part.element.all("tabs") if part.element else ():
        name = element.text.strip()
        if name and not _exists(view, "CustomTab", name):
            text = f"In field: tab - no CustomTab named {name} found"
            found.append(Problem(text, element.line, element.column))
    return found


def _page(part: Part, view: View) -> list[Problem]:
    """Check controllers and extensions of a Visualforce page or component."""
    text = part.files[part.path].decode("utf-8", "replace")
    head = text[: text.find(">") + 1]
    found = []
    for match in _CONTROLLER.finditer(head):
        for name in match.group(1).split(","):
            plain = name.strip()
            if plain and not view.has("ApexClass", plain) and not view.is_packaged(plain):
                found.append(Problem(f"Apex class '{plain}' does not exist"))
    return found


def _installed_package(part: Part, view: View) -> list[Problem]:
    """Check that the package's version exists and that this org may install it."""
    element = part.element
    if element is None or part.name.lower() in view.namespaces or part.key in view.held:
        return []
    number = element.value("versionNumber")
    version = install.numbered(view.world, part.name, number)
    if version is None:
        text = f"InstalledPackage version number : {number} does not exist!"
    elif version.fields.get("_key") and version.fields["_key"] != element.value("password"):
        text = "Invalid installation key."
    else:
        org = sure(view.world.org(view.org), "a deployment belongs to an org")
        status = install.validation(view.world, org, version)
        text = "" if status == install.FINE else f"The package cannot be installed: {status}"
    return [Problem(text, element.line, element.column)] if text else []


CHECKS: dict[str, Callable[[Part, View], list[Problem]]] = {
    "PermissionSet": _grants,
    "Profile": _grants,
    "Flow": _flow,
    "CustomTab": _tab,
    "CustomApplication": _application,
    "ApexPage": _page,
    "ApexComponent": _page,
    "InstalledPackage": _installed_package,
}
