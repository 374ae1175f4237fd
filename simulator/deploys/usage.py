"""What still uses a component that is to be deleted: the platform refuses such deletions.

Permission sets, profiles, layouts and list views lose their mention silently, as on the platform;
code, pages, flows, formulas, rules, lookups and bundles hold on to what they name. A field's name
counts everywhere when no other object has a field of that name, else beside its object only.
"""

import re

from simulator.deploys.problems import Problem
from simulator.deploys.view import View

_LABELS = {
    "ApexClass": "Apex Class", "ApexTrigger": "Apex Trigger", "ApexPage": "Visualforce Page",
    "ApexComponent": "Visualforce Component", "AuraDefinitionBundle": "Aura Component",
    "CustomApplication": "Custom App", "CustomField": "Custom Field",
    "CustomObject": "Custom Object",
    "CustomLabel": "Custom Label", "CustomTab": "Custom Tab", "FlexiPage": "Lightning Page",
    "Flow": "Flow Version", "LightningComponentBundle": "Lightning Web Component",
    "PermissionSetGroup": "Permission Set Group", "StaticResource": "Static Resource",
    "ValidationRule": "Validation Rule", "WorkflowFieldUpdate": "Workflow Field Update",
    "WorkflowRule": "Workflow Rule",
}  # fmt: skip
_CODE = ("ApexClass", "ApexTrigger", "ApexPage", "ApexComponent")
_BUNDLES = ("LightningComponentBundle", "AuraDefinitionBundle")
_RULES = ("ValidationRule", "WorkflowRule", "WorkflowFieldUpdate", "CustomField")
#: For each type that can be held on to: the types that can hold on to it.
_USERS = {
    "CustomField": (*_CODE, "Flow", *_RULES, "LightningComponentBundle"),
    "CustomObject": (*_CODE, "Flow", "CustomField", "CustomTab", "LightningComponentBundle"),
    "ApexClass": (*_CODE, "Flow", *_BUNDLES),
    "ApexPage": ("ApexClass", "ApexPage", "CustomTab"),
    "ApexComponent": ("ApexPage", "ApexComponent"),
    "LightningComponentBundle": ("FlexiPage", "CustomTab", *_BUNDLES),
    "AuraDefinitionBundle": ("FlexiPage", "CustomTab", "AuraDefinitionBundle"),
    "CustomLabel": (*_CODE, *_BUNDLES),
    "StaticResource": (*_CODE, *_BUNDLES),
    "CustomTab": ("CustomApplication",),
    "Flow": ("Flow", "FlexiPage"),
    "PermissionSet": ("PermissionSetGroup",),
}
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|<!--.*?-->", re.DOTALL)


def in_use(view: View, kind: str, name: str) -> Problem | None:
    """Return the refusal to delete a component that something which stays still names."""
    if kind not in _USERS:
        return None
    users = [
        f"{_LABELS[user]} - {other}"
        for user in _USERS[kind]
        for other in sorted(view.names(user))
        if not _is_own(kind, name, user, other) and _names(view, user, other, kind, name)
    ]
    if not users:
        return None
    label = _LABELS.get(kind, kind).lower().replace("visualforce", "Visualforce")
    return Problem(
        f"This {label} is referenced elsewhere in salesforce.com."
        f"{'' if kind == 'CustomField' else ' Remove the usage and try again.'}"
        f" : {', '.join(users)}"
    )


def _is_own(kind: str, name: str, user: str, other: str) -> bool:
    if kind == user and name.lower() == other.lower():
        return True
    return kind == "CustomObject" and other.lower().startswith(f"{name.lower()}.")


def _names(view: View, user: str, other: str, kind: str, name: str) -> bool:
    text = _COMMENT.sub(" ", view.text(user, other))
    if kind == "CustomField":
        return _names_field(view, user, other, text, name)
    if user == "Flow" and kind == "ApexClass":
        return f"<actionName>{name}</actionName>" in text or _has(text, name)
    if kind == "LightningComponentBundle" and user == "LightningComponentBundle":
        hyphened = re.sub(r"([A-Z])", r"-\1", name).lower()
        return f"<c-{hyphened}" in text.lower() or _has(text, f"c/{name}")
    if kind in _BUNDLES:
        return _has(text, f"c:{name}") or f">{name}<" in text
    if kind == "CustomTab" or (kind == "CustomObject" and user == "CustomTab"):
        return f">{name}<" in text if kind == "CustomTab" else other.lower() == name.lower()
    return _has(text, name)


def _names_field(view: View, user: str, other: str, text: str, name: str) -> bool:
    entity, _, field = name.partition(".")
    if not _has(text, field) and not _has(text, f"{field[:-1]}r"):
        return False
    ending = f".{field.lower()}"
    twins = [n for n in view.names("CustomField") if n.lower().endswith(ending)]
    alone = all(n.lower() == name.lower() for n in twins)
    if user in _RULES:
        return alone or other.lower().startswith(f"{entity.lower()}.")
    return alone or _has(text, entity)


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
