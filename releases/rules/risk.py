"""How risky a change of a component is, judged by what its kind can do in production.

The rule in words: what decides for many who may see or do something, and settings of the whole
org, is high; what grants access to some, runs by itself, or is relied on by others is medium; what
is only shown is low. Something new that nothing calls yet is one step lower, unless it runs by
itself or grants access. A component that two teams bring is one step higher, and what is deleted
is high. Pure: no database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from metadata.dangers import ACCESS, CONNECTED


class Risk(IntEnum):
    """Three steps, drawn as one to three bars."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """Name of the icon and first word of the label."""
        return self.name.lower()

    @property
    def label(self) -> str:
        """What people read."""
        return f"{self.name.capitalize()} risk"


PERMISSIONS = frozenset(
    {
        "CustomPermission",
        "MutingPermissionSet",
        "PermissionSet",
        "PermissionSetGroup",
        "Profile",
    }
)
SHARING = frozenset({"Role", "SharingRules", "SharingCriteriaRule", "SharingOwnerRule"})
CONNECTIONS = frozenset(
    {"ConnectedApp", "ExternalCredential", "NamedCredential", "RemoteSiteSetting"}
)
GRANTING = {
    "changes permissions": PERMISSIONS,
    "changes who sees records": SHARING,
    "changes connections to other systems": CONNECTIONS,
}
"""Marks of what decides who may see or do something, and the types that bear them."""
BY_ITSELF = frozenset(
    {
        "ApexTrigger",
        "ApprovalProcess",
        "AssignmentRule",
        "AssignmentRules",
        "AutoResponseRules",
        "EscalationRules",
        "Flow",
        "FlowDefinition",
        "Workflow",
        "WorkflowFieldUpdate",
        "WorkflowRule",
    }
)
RELIED_ON = frozenset(
    {
        "ApexClass",
        "ApexComponent",
        "ApexPage",
        "AuraDefinitionBundle",
        "CustomField",
        "CustomMetadata",
        "CustomObject",
        "DuplicateRule",
        "LightningComponentBundle",
        "RecordType",
        "StandardValueSet",
        "GlobalValueSet",
        "ValidationRule",
    }
)
DANGERS: dict[str, str] = {
    "all_data": "reaches all data",
    "busy_flow": "runs on a busy object",
    "connected_app": "connects another system",
    "destructive": "deletes",
    "sharing": "changes who sees records",
    "widens_access": "widens access",
}
"""Marks read from a change's content (``metadata.dangers``), as people read them."""
AT_WORST: dict[str, frozenset[str]] = {
    **dict.fromkeys(ACCESS, frozenset({"all_data", "widens_access"})),
    **dict.fromkeys(CONNECTED, frozenset({"connected_app"})),
    "ApexTrigger": frozenset({"busy_flow"}),
    "CustomObject": frozenset({"sharing", "widens_access"}),
    "Flow": frozenset({"busy_flow"}),
}
"""The marks that a content of a type can bear, for contents that nobody reads."""
_HIGHEST = frozenset({"ConnectedApp", "NamedCredential", "Profile", "Role", "SharingRules"})


def raised(risk: Risk, slugs: Iterable[str]) -> Risk:
    """The risk of a change whose content bears these marks: all data is high, access medium."""
    found = set(slugs)
    if "all_data" in found:
        return Risk.HIGH
    return max(risk, Risk.MEDIUM) if found & DANGERS.keys() else risk


@dataclass(frozen=True, slots=True)
class Assessment:
    """A risk with the marks that explain it."""

    risk: Risk
    marks: tuple[str, ...]


def assess(
    type_name: str, *, is_new: bool, team_count: int, is_removed: bool = False
) -> Assessment:
    """Judge one changed component by its metadata type, its novelty and how many teams bring it."""
    risk, marks = _of_type(type_name)
    if is_removed:
        return Assessment(Risk.HIGH, (*marks, "deletes"))
    if is_new and not marks and risk > Risk.LOW:
        risk = Risk(risk - 1)
    if team_count > 1:
        marks = (*marks, "two teams" if team_count == 2 else f"{team_count} teams")
        risk = Risk(min(risk + 1, Risk.HIGH))
    return Assessment(risk, marks)


def slugs(type_name: str, *, team_count: int, is_removed: bool = False) -> frozenset[str]:
    """The marks of one changed component, as the slugs that policies name."""
    found = {
        "destructive": is_removed,
        "permissions": type_name in PERMISSIONS,
        "sharing": type_name in SHARING,
        "connected_app": type_name in CONNECTIONS,
        "automation": type_name in BY_ITSELF,
        "org_settings": type_name.endswith("Settings"),
        "several_teams": team_count > 1,
    }
    return frozenset(slug for slug, holds in found.items() if holds)


def _of_type(type_name: str) -> tuple[Risk, tuple[str, ...]]:
    if type_name.endswith("Settings"):
        return Risk.HIGH, ("settings of the whole org",)
    for mark, types in GRANTING.items():
        if type_name in types:
            return (Risk.HIGH if type_name in _HIGHEST else Risk.MEDIUM), (mark,)
    if type_name in BY_ITSELF:
        return Risk.MEDIUM, ("runs by itself",)
    if type_name in RELIED_ON:
        return Risk.MEDIUM, ()
    return Risk.LOW, ()
