"""Components of Salesforce metadata in a form that knows neither of the two repository formats.

`layout` writes them in source format or in metadata format. Children of objects are components of
their own, because source format keeps them in their own files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from demo.content.xml import Body, sort

API_VERSION = "64.0"

#: Children of a custom object: type, element in the object's file, folder and suffix of its own.
OBJECT_CHILDREN: Mapping[str, tuple[str, str, str]] = {
    "CompactLayout": ("compactLayouts", "compactLayouts", "compactLayout"),
    "CustomField": ("fields", "fields", "field"),
    "FieldSet": ("fieldSets", "fieldSets", "fieldSet"),
    "ListView": ("listViews", "listViews", "listView"),
    "RecordType": ("recordTypes", "recordTypes", "recordType"),
    "ValidationRule": ("validationRules", "validationRules", "validationRule"),
}

#: Components that are one XML file: type, folder and suffix.
DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "CustomApplication": ("applications", "app"),
    "CustomTab": ("tabs", "tab"),
    "Layout": ("layouts", "layout"),
    "PermissionSet": ("permissionsets", "permissionset"),
    "Profile": ("profiles", "profile"),
}

#: Folders of components that the content keeps as real files: folder and type.
FILE_FOLDERS: Mapping[str, str] = {
    "classes": "ApexClass",
    "triggers": "ApexTrigger",
    "lwc": "LightningComponentBundle",
    "aura": "AuraDefinitionBundle",
    "flows": "Flow",
    "staticresources": "StaticResource",
}


@dataclass(frozen=True, order=True)
class Key:
    """Names a component as Salesforce does: `CustomField`, `Household__c.Segment__c`."""

    type: str
    name: str


@dataclass(frozen=True)
class Declared:
    """A component described by its XML elements."""

    key: Key
    body: Body


@dataclass(frozen=True)
class Filed:
    """A component made of files, by their path below the folder of the type."""

    key: Key
    files: Mapping[str, bytes]


Component = Declared | Filed
Components = Mapping[Key, Component]


def declared(type_: str, name: str, body: Body) -> Declared:
    """Describe a component; its elements are put into Salesforce's order."""
    return Declared(Key(type_, name), sort(body))


def collect(*groups: Iterable[Component]) -> dict[Key, Component]:
    """Gather components by key; the same key twice is a mistake in the content."""
    gathered: dict[Key, Component] = {}
    for component in (one for group in groups for one in group):
        if component.key in gathered:
            raise ValueError(f"{component.key} is described twice")
        gathered[component.key] = component
    return gathered
