"""How Salesforce keys the elements of its metadata, per type and element path.

A table, never one global list of key names: ``fields`` is keyed by ``fullName`` in a custom object
and by ``name`` in a translation. Each entry names the root element, the path of the repeated
element below it, the elements that make its key ("." is the element's own text), and whether the
platform keeps the elements as a set, which it sorts when it writes, or as a list, whose order means
something. What is not in the table has no key: its repeated elements are a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

SET, LIST = True, False
_DIGITS = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known below one element: its sets, all its keys, and the rules further in."""

    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    below: Mapping[str, Rule] = field(default_factory=dict)
    rising: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def inner(self, name: str) -> Rule:
        """The rule for children of a child of that name."""
        return self.below.get(name, NONE)


NONE = Rule()

Entry = tuple[str, tuple[str, ...], bool]

_ACCESS: tuple[Entry, ...] = (
    ("agentAccesses", ("agentName",), SET),
    ("applicationVisibilities", ("application",), SET),
    ("classAccesses", ("apexClass",), SET),
    ("customMetadataTypeAccesses", ("name",), SET),
    ("customPermissions", ("name",), SET),
    ("customSettingAccesses", ("name",), SET),
    ("dataspaceScopes", ("dataspaceScope",), SET),
    ("emailRoutingAddressAccesses", ("name",), SET),
    ("externalCredentialPrincipalAccesses", ("externalCredentialPrincipal",), SET),
    ("externalDataSourceAccesses", ("externalDataSource",), SET),
    ("fieldPermissions", ("field",), SET),
    ("flowAccesses", ("flow",), SET),
    ("objectPermissions", ("object",), SET),
    ("pageAccesses", ("apexPage",), SET),
    ("recordTypeVisibilities", ("recordType",), SET),
    ("servicePresenceStatusAccesses", ("servicePresenceStatus",), SET),
    ("tabSettings", ("tab",), SET),
    ("userPermissions", ("name",), SET),
)

_FLOW_ELEMENTS = (
    "actionCalls", "apexPluginCalls", "assignments", "choices", "collectionProcessors", "constants",
    "customErrors", "customProperties", "decisions", "dynamicChoiceSets", "experiments", "formulas",
    "loops", "orchestratedStages", "recordCreates", "recordDeletes", "recordLookups",
    "recordRollbacks", "recordUpdates", "screens", "stages", "steps", "subflows", "textTemplates",
    "transforms", "variables", "waits",
)  # fmt: skip

_TRANSLATED = (
    "bots", "conversationMessageDefinitions", "customApplications", "customLabels",
    "customPageWebLinks", "customTabs", "flowDefinitions", "identityVerificationCustomFieldLabels",
    "pipelineInspMetricConfigs", "prompts", "quickActions", "reportTypes", "scontrols",
)  # fmt: skip

WHOLE = frozenset({"fieldPermissions", "packageVersions"})
"""Elements whose parts only mean something together: "editable" without "readable" is refused, and
version 3.9 and 4.1 of a package must not become 4.9."""

PARTIAL = frozenset({"Profile"})
"""Roots that an org takes as additions: what a file leaves out stays as the org has it."""

_PINS: tuple[Entry, ...] = (("packageVersions", ("namespace",), SET),)

CODE = (
    "ApexClass", "ApexComponent", "ApexPage", "ApexTrigger", "AuraDefinitionBundle",
    "LightningComponentBundle",
)  # fmt: skip

RISING: Mapping[str, tuple[str, ...]] = {
    "apiVersion": (".",),
    "packageVersions": ("majorNumber", "minorNumber"),
}
"""The oldest platform and package version that code asks for, and what makes the number.

Sides that raised it agree on the highest: a managed package keeps its global identifiers for those
who compiled with an older version, and the platform every version of its interface, so that the
highest gives each side what it asked for. The platform writes package versions only in an org that
has the packages: a side without any says nothing about them, once another side has changed them. A
side that lowers a number, or takes one of several out while another raises it, wants something else
than the others: that is a conflict. Other types are not meant: there the number is the form of what
somebody outside receives (an outbound message), or changes how the same content runs (a flow)."""

TABLE: dict[str, tuple[Entry, ...]] = {
    **dict.fromkeys(CODE, _PINS),
    "Profile": (
        *_ACCESS,
        ("categoryGroupVisibilities", ("dataCategoryGroup",), SET),
        ("layoutAssignments", ("layout", "recordType"), SET),
        ("loginFlows", ("friendlyName",), SET),
        ("loginIpRanges", ("startAddress", "endAddress"), SET),
        (
            "profileActionOverrides",
            ("actionName", "pageOrSobjectType", "formFactor", "recordType", "type"),
            SET,
        ),
    ),
    "PermissionSet": _ACCESS,
    "MutingPermissionSet": _ACCESS,
    "PermissionSetGroup": (
        ("permissionSets", (".",), SET),
        ("mutingPermissionSets", (".",), SET),
    ),
    "CustomObject": (
        ("actionOverrides", ("actionName", "formFactor"), SET),
        ("businessProcesses", ("fullName",), SET),
        ("compactLayouts", ("fullName",), SET),
        ("fields", ("fullName",), SET),
        ("fieldSets", ("fullName",), SET),
        ("indexes", ("fullName",), SET),
        ("listViews", ("fullName",), SET),
        ("profileSearchLayouts", ("profileName",), SET),
        ("recordTypes", ("fullName",), SET),
        ("sharingReasons", ("fullName",), SET),
        ("validationRules", ("fullName",), SET),
        ("webLinks", ("fullName",), SET),
        ("fields/valueSet/valueSetDefinition/value", ("fullName",), LIST),
        ("fields/valueSet/valueSettings", ("valueName",), LIST),
        ("recordTypes/picklistValues", ("picklist",), SET),
        ("recordTypes/picklistValues/values", ("fullName",), SET),
        ("businessProcesses/values", ("fullName",), LIST),
        ("fieldSets/displayedFields", ("field",), LIST),
        ("fieldSets/availableFields", ("field",), LIST),
        ("compactLayouts/fields", (".",), LIST),
        ("listViews/columns", (".",), LIST),
    ),
    "CustomField": (
        ("valueSet/valueSetDefinition/value", ("fullName",), LIST),
        ("valueSet/valueSettings", ("valueName",), LIST),
        ("lookupFilter/filterItems", ("field", "operation", "value", "valueField"), LIST),
    ),
    "RecordType": (
        ("picklistValues", ("picklist",), SET),
        ("picklistValues/values", ("fullName",), SET),
    ),
    "BusinessProcess": (("values", ("fullName",), LIST),),
    "FieldSet": (
        ("displayedFields", ("field",), LIST),
        ("availableFields", ("field",), LIST),
    ),
    "CompactLayout": (("fields", (".",), LIST),),
    "ListView": (("columns", (".",), LIST),),
    "GlobalValueSet": (("customValue", ("fullName",), LIST),),
    "StandardValueSet": (("standardValue", ("fullName",), LIST),),
    "GlobalValueSetTranslation": (("valueTranslation", ("masterLabel",), SET),),
    "StandardValueSetTranslation": (("valueTranslation", ("masterLabel",), SET),),
    "CustomObjectTranslation": (
        ("fields", ("name",), SET),
        ("fields/picklistValues", ("masterLabel",), SET),
        ("fields/caseValues", ("article", "caseType", "plural", "possessive"), LIST),
        ("caseValues", ("article", "caseType", "plural", "possessive"), LIST),
        ("fieldSets", ("name",), SET),
        ("layouts", ("layout", "layoutType"), SET),
        ("layouts/sections", ("section",), SET),
        ("quickActions", ("name",), SET),
        ("recordTypes", ("name",), SET),
        ("sharingReasons", ("name",), SET),
        ("standardFields", ("name",), SET),
        ("validationRules", ("name",), SET),
        ("webLinks", ("name",), SET),
        ("workflowTasks", ("name",), SET),
    ),
    "Translations": (
        *((name, ("name",), SET) for name in _TRANSLATED),
        ("flowDefinitions", ("fullName",), SET),
        ("flowDefinitions/flows", ("fullName",), SET),
        ("flowDefinitions/flows/screens", ("name",), SET),
        ("flowDefinitions/flows/screens/fields", ("name",), SET),
        ("flowDefinitions/flows/choices", ("name",), SET),
        ("flowDefinitions/flows/textTemplates", ("name",), SET),
        ("flowDefinitions/flows/stages", ("name",), SET),
        ("quickActions", ("name",), SET),
        ("reportTypes/sections", ("name",), SET),
        ("reportTypes/sections/columns", ("name",), SET),
    ),
    "CustomLabels": (("labels", ("fullName",), SET),),
    "Workflow": tuple(
        (name, ("fullName",), SET)
        for name in (
            "alerts",
            "fieldUpdates",
            "flowActions",
            "knowledgePublishes",
            "outboundMessages",
            "rules",
            "send",
            "tasks",
        )
    ),
    "WorkflowRule": (
        ("actions", ("type", "name"), SET),
        ("criteriaItems", ("field", "operation", "value", "valueField"), LIST),
        (
            "workflowTimeTriggers",
            ("timeLength", "workflowTimeTriggerUnit", "offsetFromField"),
            LIST,
        ),
    ),
    "WorkflowAlert": (
        ("ccEmails", (".",), SET),
        ("recipients", ("type", "recipient", "field"), SET),
    ),
    "WorkflowOutboundMessage": (("fields", (".",), SET),),
    "SharingRules": tuple(
        (name, ("fullName",), SET)
        for name in (
            "sharingCriteriaRules",
            "sharingGuestRules",
            "sharingOwnerRules",
            "sharingTerritoryRules",
        )
    ),
    "AssignmentRules": (("assignmentRule", ("fullName",), SET),),
    "AutoResponseRules": (("autoResponseRule", ("fullName",), SET),),
    "EscalationRules": (("escalationRule", ("fullName",), SET),),
    "MatchingRules": (("matchingRules", ("fullName",), SET),),
    "Layout": (
        ("layoutSections", ("label", "style"), LIST),
        (
            "layoutSections/layoutColumns/layoutItems",
            (
                "field",
                "customLink",
                "page",
                "component",
                "scontrol",
                "canvas",
                "analyticsCloudComponent",
                "reportChartComponent",
            ),
            LIST,
        ),
        ("relatedLists", ("relatedList",), LIST),
        ("relatedLists/fields", (".",), LIST),
        ("quickActionList/quickActionListItems", ("quickActionName",), LIST),
        ("platformActionList/platformActionListItems", ("actionType", "actionName"), LIST),
        ("excludeButtons", (".",), SET),
        ("headers", (".",), LIST),
        ("multilineLayoutFields", (".",), LIST),
    ),
    "CustomApplication": (
        ("actionOverrides", ("actionName", "pageOrSobjectType", "formFactor"), SET),
        (
            "profileActionOverrides",
            ("actionName", "pageOrSobjectType", "formFactor", "profile", "recordType"),
            SET,
        ),
        ("tabs", (".",), LIST),
        ("utilityBar", (".",), LIST),
    ),
    "Flow": (
        *((name, ("name",), SET) for name in _FLOW_ELEMENTS),
        ("processMetadataValues", ("name",), SET),
        ("decisions/rules", ("name",), LIST),
        ("screens/fields", ("name",), LIST),
        ("waits/waitEvents", ("name",), LIST),
        ("orchestratedStages/stageSteps", ("name",), LIST),
        ("actionCalls/inputParameters", ("name",), SET),
        ("actionCalls/outputParameters", ("name",), SET),
        ("subflows/inputAssignments", ("name",), SET),
        ("subflows/outputAssignments", ("name",), SET),
        ("recordCreates/inputAssignments", ("field",), SET),
        ("recordUpdates/inputAssignments", ("field",), SET),
    ),
    "CustomMetadata": (("values", ("field",), SET),),
    "ReportType": (
        ("sections", ("masterLabel",), LIST),
        ("sections/columns", ("table", "field"), LIST),
    ),
    "Report": (("columns", ("field",), LIST),),
    "Role": (),
    "Queue": (
        ("queueSobject", ("sobjectType",), SET),
        ("queueMembers/users/user", (".",), SET),
        ("queueMembers/publicGroups/publicGroup", (".",), SET),
        ("queueMembers/roles/role", (".",), SET),
    ),
    "QuickAction": (
        ("fieldOverrides", ("field",), SET),
        ("quickActionLayout/quickActionLayoutColumns/quickActionLayoutItems", ("field",), LIST),
    ),
    "Package": (
        ("types", ("name",), SET),
        ("types/members", (".",), SET),
    ),
    "ConnectedApp": (("attributes", ("key",), SET),),
    "RemoteSiteSetting": (),
    "Group": (),
    "Settings": (),
    "ManagedTopics": (("managedTopic", ("managedTopicType", "name", "parent"), LIST),),
    "CustomSite": (
        ("customWebAddresses", ("domainName",), SET),
        ("siteRedirectMappings", ("source",), LIST),
    ),
    "EmailServicesFunction": (("emailServicesAddresses", ("developerName",), SET),),
    "FlexiPage": (
        ("flexiPageRegions", ("name", "type"), LIST),
        (
            "flexiPageRegions/itemInstances",
            ("componentInstance/identifier", "fieldInstance/identifier"),
            LIST,
        ),
        ("platformActionlist/platformActionListItems", ("actionType", "actionName"), LIST),
    ),
}
"""Root element → (path, key elements, set or list)."""


@cache
def of_root(name: str) -> Rule:
    """The rule for children of a file's root element, by the root's name."""
    rule = _rule(
        [(tuple(path.split("/")), found, is_set) for path, found, is_set in TABLE.get(name, ())]
    )
    return replace(rule, rising=RISING) if name in CODE else rule


def _rule(entries: list[tuple[tuple[str, ...], tuple[str, ...], bool]]) -> Rule:
    here = [(path[0], found, is_set) for path, found, is_set in entries if len(path) == 1]
    deeper: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], bool]]] = {}
    for path, found, is_set in entries:
        if len(path) > 1:
            deeper.setdefault(path[0], []).append((path[1:], found, is_set))
    return Rule(
        sets={name: found for name, found, is_set in here if is_set},
        keys={name: found for name, found, _is_set in here},
        below={name: _rule(inner) for name, inner in deeper.items()},
    )


def number(element: Any, parts: tuple[str, ...]) -> tuple[int, ...] | None:
    """The number that the parts of an element make (3 and 12 are 3.12), or None for none."""
    digits = ".".join(value(element, part) for part in parts).split(".")
    return tuple(map(int, digits)) if all(map(_DIGITS.fullmatch, digits)) else None


def value(element: Any, path: str) -> str:
    """The text of one part of an element's key; "." is its own, "a/b" lies deeper."""
    if path == ".":
        return (element.text or "").strip()
    for name in path.split("/"):
        element = next((c for c in element if _named(c, name)), None)
        if element is None:
            return ""
    return (element.text or "").strip()


def _named(element: Any, name: str) -> bool:
    return isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name
