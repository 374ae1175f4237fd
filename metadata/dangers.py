"""What a change of one component may do, read from its content: marks for people and policies.

Only what a change brings counts: a permission that was there before marks nothing. Best effort:
a mark asks somebody to look, its absence proves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.errors import InvalidInput
from metadata import xml
from metadata.components import ComponentKey
from metadata.normal import Files
from metadata.xml import Element

ALL_DATA = frozenset(
    {
        "AuthorApex",
        "CustomizeApplication",
        "ManageUsers",
        "ModifyAllData",
        "ModifyMetadata",
        "ViewAllData",
        "ViewAllUsers",
    }
)
"""User permissions that reach every record or every setting of an org."""

ACCESS = frozenset({"PermissionSet", "Profile", "PermissionSetGroup"})
CONNECTED = frozenset(
    {
        "ConnectedApp",
        "ExternalClientApplication",
        "ExtlClntAppConfigurablePolicies",
        "ExtlClntAppGlobalOauthSettings",
        "ExtlClntAppOauthConfigurablePolicies",
        "ExtlClntAppOauthSettings",
    }
)
BUSY_OBJECTS = frozenset(
    {"Account", "Case", "Contact", "Event", "Lead", "Opportunity", "Order", "Task", "User"}
)
"""Standard objects that most business passes through: an automation on one runs all day."""

_GRANTS: Mapping[str, tuple[str, ...]] = {
    "applicationVisibilities": ("visible",),
    "classAccesses": ("enabled",),
    "customMetadataTypeAccesses": ("enabled",),
    "customPermissions": ("enabled",),
    "customSettingAccesses": ("enabled",),
    "externalDataSourceAccesses": ("enabled",),
    "fieldPermissions": ("readable", "editable"),
    "flowAccesses": ("enabled",),
    "objectPermissions": (
        "allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords",
        "viewAllRecords", "viewAllFields",
    ),
    "pageAccesses": ("enabled",),
    "recordTypeVisibilities": ("visible",),
    "userPermissions": ("enabled",),
}  # fmt: skip
_NAMES = ("name", "field", "object", "apexClass", "apexPage", "application", "flow", "recordType")
_SHARING = {"sharingModel", "externalSharingModel"}
_OPEN = ("Private", "Read", "ReadSelect", "ReadWrite", "ReadWriteTransfer", "FullAccess")


def marks(
    key: ComponentKey, old: Files | None, new: Files | None, busy: Collection[str] = BUSY_OBJECTS
) -> frozenset[str]:
    """Slugs of what the change may do; ``busy`` are the objects that count as busy."""
    if new is None:
        return frozenset({"destructive"})
    found: set[str] = set()
    if key.type in CONNECTED:
        found.add("connected_app")
    if key.type in ACCESS:
        gained = _gained(old, new)
        if gained:
            found.add("widens_access")
        if any(right in ALL_DATA or whole_object for right, whole_object in gained):
            found.add("all_data")
    elif key.type == "CustomObject" and _sharing(old) != _sharing(new):
        found.add("sharing")
        if _opened(_sharing(old), _sharing(new)):
            found.add("widens_access")
    elif _runs_on(key, new) & set(busy):
        found.add("busy_flow")
    return frozenset(found)


def _roots(files: Files | None) -> list[Element]:
    found = []
    for path, content in (files or {}).items():
        if content[:5] == b"<?xml":
            try:
                found.append(xml.parse(content, path or "the component"))
            except InvalidInput:
                continue
    return found


def _granted(files: Files | None) -> set[tuple[str, str, str]]:
    """Every right that is given: the element, what it is about, and which right."""
    found = set()
    for root in _roots(files):
        for node in xml.elements(root):
            element = xml.local(node)
            for right in _GRANTS.get(element, ()):
                if xml.text_of(node, right) == "true":
                    about = next((text for n in _NAMES if (text := xml.text_of(node, n))), "")
                    found.add((element, about, right))
            if element == "permissionSets":
                found.add((element, (node.text or "").strip(), "granted"))
    return found


def _gained(old: Files | None, new: Files) -> list[tuple[str, bool]]:
    """Rights that only the newer content gives: their name, and whether over all records."""
    return [
        (about, right in ("modifyAllRecords", "viewAllRecords"))
        for _element, about, right in _granted(new) - _granted(old)
    ]


def _sharing(files: Files | None) -> dict[str, str]:
    found = {}
    for root in _roots(files):
        for node in xml.elements(root):
            if xml.local(node) in _SHARING:
                found[xml.local(node)] = (node.text or "").strip()
    return found


def _opened(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    return any(_rank(new.get(name)) > _rank(old.get(name)) for name in _SHARING)


def _rank(model: str | None) -> int:
    return _OPEN.index(model) if model in _OPEN else 0


def _runs_on(key: ComponentKey, files: Files) -> set[str]:
    """Objects whose records start a flow or a trigger by themselves."""
    if key.type == "Flow":
        return _starts_on(files)
    return _trigger_on(files) if key.type == "ApexTrigger" else set()


def _starts_on(files: Files) -> set[str]:
    """Objects whose records start a flow, unless the flow is switched off."""
    found: set[str] = set()
    for root in _roots(files):
        if (xml.text_of(root, "status") or "Active") != "Active":
            continue
        for node in xml.elements(root):
            if xml.local(node) == "start":
                found.add(xml.text_of(node, "object"))
    return found


def _trigger_on(files: Files) -> set[str]:
    found: set[str] = set()
    for path, content in files.items():
        if path.endswith(".trigger"):
            words = content.decode("utf-8", "replace").replace("(", " ( ").split()
            if "on" in words and words.index("on") + 1 < len(words):
                found.add(words[words.index("on") + 1])
    return found
