"""How Salesforce keys the elements of its metadata, per type: the table that ``keys`` reads.

An entry names a repeated element, the elements that make its key ("." is the element's own text,
"a/b" lies deeper, "@a" is an attribute, "a-" the text of one up to its first hyphen, ``PLACE`` is
its place among its like, while all sides hold as many), and whether the platform keeps the elements
as a set, which it sorts when it writes, or as a list, whose order means something. ``TABLE`` names
type and element, ``ITEMS`` keys a type wherever it is repeated. What is in neither has no key: its
repeated elements are a list that nobody but a person may merge where two sides changed the same
place.
"""

from __future__ import annotations

SET, LIST = True, False
PLACE = "#"

Entry = tuple[str, tuple[str, ...], bool]


def _texts(*names: str) -> tuple[Entry, ...]:
    """Lists of plain texts."""
    return tuple((name, (".",), LIST) for name in names)


def _named(key: str, *names: str) -> tuple[Entry, ...]:
    """Sets that one element keys."""
    return tuple((name, (key,), SET) for name in names)


_ACCESS: tuple[Entry, ...] = (
    *_named("name", "customMetadataTypeAccesses", "customPermissions", "customSettingAccesses"),
    *_named("name", "emailRoutingAddressAccesses", "userPermissions"),
    *_named("agentName", "agentAccesses"),
    *_named("application", "applicationVisibilities"),
    *_named("apexClass", "classAccesses"),
    *_named("dataspaceScope", "dataspaceScopes"),
    *_named("externalCredentialPrincipal", "externalCredentialPrincipalAccesses"),
    *_named("externalDataSource", "externalDataSourceAccesses"),
    *_named("field", "fieldPermissions"),
    *_named("flow", "flowAccesses"),
    *_named("configName", "genComputingSummaryDefAccesses"),
    *_named("object", "objectPermissions"),
    *_named("apexPage", "pageAccesses"),
    *_named("recordType", "recordTypeVisibilities"),
    *_named("servicePresenceStatus", "servicePresenceStatusAccesses"),
    *_named("tab", "tabSettings"),
)

_FLOW_ELEMENTS = (
    "actionCalls", "apexPluginCalls", "assignments", "choices", "collectionFilterCriteria",
    "collectionProcessors", "constants", "customErrors", "customProperties", "dataLookups",
    "decisions", "dynamicChoiceSets", "exitRules", "experiments", "formulas", "groups", "loops",
    "orchestratedStages", "recordCreates", "recordDeletes", "recordLookups", "recordRollbacks",
    "recordUpdates", "screens", "stages", "steps", "subflows", "textTemplates", "transforms",
    "variables", "waits",
)  # fmt: skip

_TRANSLATED = (
    "aiCoachAgentScnrDefs", "contextDefinitions", "conversationMessageDefinitions",
    "customApplications", "customLabels", "customPageWebLinks", "customTabs",
    "dashboardComponents", "dashboards", "dataConnectors", "desFieldTemplateMessages",
    "identityVerificationCustomFieldLabels", "lifeSciConfigCategories", "lifeSciConfigRecords",
    "pipelineInspMetricConfigs", "productSpecificationTypes", "prompts", "quickActions",
    "recordAlertCategories", "recordAlertTemplates", "reportChartTranslations", "reportTypes",
    "reports", "scontrols", "timelineObjectDefinitions",
)  # fmt: skip

_TRANSLATED_OBJECT = (
    "fieldSets", "fields", "quickActions", "recordTypes", "sharingReasons", "standardFields",
    "validationRules", "webLinks", "workflowTasks",
)  # fmt: skip

_OBJECT_PARTS = (
    "businessProcesses", "compactLayouts", "fieldSets", "fields", "indexes", "listViews",
    "recordTypes", "sharingReasons", "validationRules", "webLinks",
)  # fmt: skip

_SHARED_TO = (
    "channelProgramGroup", "channelProgramGroups", "group", "groups", "guestUser",
    "managerSubordinates", "managers", "portalRole", "portalRoleAndSubordinates", "queue", "role",
    "roleAndSubordinates", "roleAndSubordinatesInternal", "roles", "rolesAndSubordinates",
    "territories", "territoriesAndSubordinates", "territory", "territoryAndSubordinates",
)  # fmt: skip

_WORKFLOW_PARTS = (
    "alerts", "fieldUpdates", "flowActions", "flowAutomation", "knowledgePublishes",
    "notifications", "outboundMessages", "rules", "send", "tasks",
)  # fmt: skip

_LAYOUT_ITEM = (
    "field", "customLink", "page", "component", "scontrol", "canvas", "analyticsCloudComponent",
    "reportChartComponent",
)  # fmt: skip

_CASES = ("article", "caseType", "plural", "possessive")
_OVERRIDE = ("actionName", "pageOrSobjectType", "formFactor")
_SHORTCUTS = ("keyCommand", "action", "eventName")

CODE = (
    "ApexClass", "ApexComponent", "ApexPage", "ApexTrigger", "AuraDefinitionBundle",
    "LightningComponentBundle",
)  # fmt: skip

TABLE: dict[str, tuple[Entry, ...]] = {
    **dict.fromkeys(CODE, _named("namespace", "packageVersions")),
    "AppComponentList": _texts("components"),
    "ApprovalProcess": (("approvalStep", ("name",), LIST),),
    "AppWorkspaceConfig": (("mappings", ("tab",), LIST),),
    "ArticleTypeChannelDisplay": (("articleTypeTemplates", ("channel",), LIST),),
    "AssignmentRules": _named("fullName", "assignmentRule"),
    "AutoResponseRules": _named("fullName", "autoResponseRule"),
    "BusinessProcess": (("values", ("fullName",), LIST),),
    "Capabilities": _texts("capability"),
    "CompactLayout": _texts("fields"),
    "ConnectedApp": (
        ("attributes", ("key",), SET),
        ("ipRanges", ("start", "end"), LIST),
        *_texts("permissionSetName", "profileName"),
    ),
    "ConnectedAppCanvasConfig": _texts("locations", "options"),
    "ConnectedAppOauthConfig": _texts("scopes"),
    "CustomApplication": (
        ("actionOverrides", _OVERRIDE, SET),
        ("profileActionOverrides", (*_OVERRIDE, "profile", "recordType"), SET),
        *_texts("formFactors", "subscriberTabs", "tabs"),
    ),
    "CustomLabels": _named("fullName", "labels"),
    "CustomMetadata": _named("field", "values"),
    "CustomObject": (
        ("actionOverrides", ("actionName", "formFactor"), SET),
        *_named("fullName", *_OBJECT_PARTS),
        *_named("profileName", "profileSearchLayouts"),
        ("sharingRecalculations", ("className",), LIST),
    ),
    "CustomObjectTranslation": (
        ("caseValues", _CASES, LIST),
        ("layouts", ("layout", "layoutType"), SET),
        *_named("name", *_TRANSLATED_OBJECT),
    ),
    "CustomFieldTranslation": (
        ("caseValues", _CASES, LIST),
        *_named("masterLabel", "picklistValues"),
    ),
    "CustomSite": (
        *_named("domainName", "customWebAddresses"),
        ("siteIframeWhiteListUrls", ("url",), LIST),
        ("siteRedirectMappings", ("source",), LIST),
    ),
    "Dashboard": (("dashboardFilters", ("name",), LIST),),
    "DelegateGroup": _texts("customObjects", "groups", "permissionSets", "profiles", "roles"),
    "EmailServicesFunction": _named("developerName", "emailServicesAddresses"),
    "EntitlementProcess": (("milestones", ("milestoneName",), LIST),),
    "EscalationAction": _texts("notifyEmail"),
    "EscalationRules": _named("fullName", "escalationRule"),
    "ExternalCredential": (
        (
            "externalCredentialParameters",
            ("parameterGroup", "parameterName", "parameterType", "sequenceNumber"),
            LIST,
        ),
    ),
    "FeedLayout": (
        ("feedFilters", ("feedFilterType", "feedItemType", "feedFilterName"), LIST),
        ("leftComponents", ("componentType", "page"), LIST),
        ("rightComponents", ("componentType", "page"), LIST),
    ),
    "FieldSet": (
        ("availableFields", ("field",), LIST),
        ("displayedFields", ("field",), LIST),
    ),
    "FlexiPage": (("flexiPageRegions", ("name", "type"), LIST),),
    "FlexiPageRegion": (
        ("itemInstances", ("componentInstance/identifier", "fieldInstance/identifier"), LIST),
    ),
    "ComponentInstancePropertyList": (("valueListItems", ("value",), LIST),),
    "Flow": (*_named("name", *_FLOW_ELEMENTS), *_texts("environments")),
    "FlowDecision": (("rules", ("name",), LIST),),
    "FlowDynamicChoiceSet": _named("field", "outputAssignments"),
    "FlowOrchestratedStage": (("stageSteps", ("name",), LIST),),
    "FlowRecordLookup": (*_named("field", "outputAssignments"), *_texts("queriedFields")),
    "FlowRelatedRecordLookup": _texts("queriedFields"),
    "FlowScreenField": _texts("choiceReferences"),
    "FlowWait": (("waitEvents", ("name",), LIST),),
    "GlobalValueSet": (("customValue", ("fullName",), LIST),),
    "GlobalValueSetTranslation": _named("masterLabel", "valueTranslation"),
    "Layout": (
        ("layoutSections", ("label", "style"), LIST),
        ("relatedLists", ("relatedList",), LIST),
        ("excludeButtons", (".",), SET),
        *_texts("customButtons", "headers", "multilineLayoutFields", "relatedObjects"),
    ),
    "LayoutColumn": (("layoutItems", _LAYOUT_ITEM, LIST),),
    "LayoutSection": (("layoutColumns", (PLACE,), LIST),),
    "ListView": _texts("columns"),
    "LiveAgentConfig": _texts("pageNamesToOpen"),
    "LookupFilter": (("filterItems", ("field", "operation", "value", "valueField"), LIST),),
    "KeyboardShortcuts": (
        ("customShortcuts", _SHORTCUTS, LIST),
        ("defaultShortcuts", ("action",), LIST),
    ),
    "ManagedTopics": (("managedTopic", ("managedTopicType", "name", "parentName"), LIST),),
    "MatchingRule": (("matchingRuleItems", ("fieldName",), LIST),),
    "MatchingRules": _named("fullName", "matchingRules"),
    "MiniLayout": (*_texts("fields"), ("relatedLists", ("relatedList",), LIST)),
    "MutingPermissionSet": _ACCESS,
    "NamedCredential": (("namedCredentialParameters", ("parameterName", "parameterType"), LIST),),
    "NetworkMemberGroup": _texts("permissionSet", "profile"),
    "Package": _named("name", "types"),
    "PackageTypeMembers": _named(".", "members"),
    "PathAssistant": (("pathAssistantSteps", ("picklistValueName",), LIST),),
    "PathAssistantStep": _texts("fieldNames"),
    "PermissionSet": _ACCESS,
    "PermissionSetGroup": _named(".", "mutingPermissionSets", "permissionSets"),
    "PicklistValue": _texts("controllingFieldValues"),
    "PlatformActionList": (("platformActionListItems", ("actionType", "actionName"), LIST),),
    "Profile": (
        *_ACCESS,
        *_named("dataCategoryGroup", "categoryGroupVisibilities"),
        ("layoutAssignments", ("layout-", "recordType"), SET),
        *_named("friendlyName", "loginFlows"),
        ("loginIpRanges", ("startAddress", "endAddress"), SET),
        ("profileActionOverrides", (*_OVERRIDE, "recordType", "type"), SET),
        *_named("tab", "tabVisibilities"),
    ),
    "ProfileCategoryGroupVisibility": _texts("dataCategories"),
    "ProfileSearchLayouts": _texts("fields"),
    "PushNotification": _texts("fieldNames"),
    "Queue": _named("sobjectType", "queueSobject"),
    "QuickAction": _named("field", "fieldOverrides"),
    "QuickActionLayout": (("quickActionLayoutColumns", (PLACE,), LIST),),
    "QuickActionLayoutColumn": (("quickActionLayoutItems", ("field",), LIST),),
    "QuickActionList": (("quickActionListItems", ("quickActionName",), LIST),),
    "RecordType": _named("picklist", "picklistValues"),
    "RecordTypePicklistValue": _named("fullName", "values"),
    "RelatedListItem": _texts("customButtons", "excludeButtons", "fields", "quickActions"),
    "Report": (
        ("aggregates", ("developerName",), LIST),
        ("buckets", ("developerName",), LIST),
        ("colorRanges", ("columnName", "aggregate"), LIST),
        ("columns", ("field",), LIST),
        ("customDetailFormulas", ("developerName",), LIST),
        ("dataCategoryFilters", ("dataCategoryGroup",), LIST),
        ("formattingRules", ("columnName", "aggregate"), LIST),
        ("groupingsAcross", ("field",), LIST),
        ("groupingsDown", ("field",), LIST),
        ("params", ("name",), LIST),
    ),
    "ReportBucketField": (("values", ("value",), LIST),),
    "ReportChart": (("chartSummaries", ("column", "aggregate", "axisBinding"), LIST),),
    "ReportColumn": _texts("aggregateTypes"),
    "ReportLayoutSection": (("columns", ("table", "field"), LIST),),
    "ReportType": (("sections", ("masterLabel",), LIST),),
    "RoleAndSubordinates": _texts("roleAndSubordinate"),
    "RoleAndSubordinatesInternal": _texts("roleAndSubordinateInternal"),
    "Roles": _named(".", "role"),
    "PublicGroups": _named(".", "publicGroup"),
    "Users": _named(".", "user"),
    "RuleEntry": _texts("team"),
    "SearchLayouts": _texts(
        "customTabListAdditionalFields", "excludedStandardButtons", "listViewButtons",
        "lookupDialogsAdditionalFields", "lookupFilterFields",
        "lookupPhoneDialogsAdditionalFields", "massQuickActions", "searchFilterFields",
        "searchResultsAdditionalFields", "searchResultsCustomButtons",
    ),
    "ServiceCloudConsoleConfig": (
        ("pushNotifications", ("objectName",), LIST),
        *_texts("whitelistedDomains"),
    ),
    "SharedTo": _texts(*_SHARED_TO),
    "SharingRules": _named(
        "fullName", "sharingCriteriaRules", "sharingGuestRules", "sharingOwnerRules",
        "sharingTerritoryRules",
    ),
    "StandardValueSet": (("standardValue", ("fullName",), LIST),),
    "StandardValueSetTranslation": _named("masterLabel", "valueTranslation"),
    "SummaryLayout": (("summaryLayoutItems", ("posX", "posY", "posZ"), LIST),),
    "TargetConfig": (("property", ("@name",), LIST),),
    "TargetConfigs": (("targetConfig", ("@targets",), LIST),),
    "TargetObjects": _texts("object"),
    "Targets": _texts("target"),
    "Translations": (
        *_named("name", *_TRANSLATED),
        *_named("fullName", "botBlocks", "botTemplates", "bots", "flowDefinitions"),
        ("reportAggregateTranslations", ("reportName", "name"), SET),
        ("reportBucketFieldTranslations", ("reportName", "name"), SET),
        ("svcCatalogItemAttributes", ("serviceProcessName", "name"), SET),
        ("svcCatalogItemGroups", ("serviceProcessName", "name"), SET),
    ),
    "FlowDefinitionTranslation": _named("fullName", "flows"),
    "LayoutTranslation": _named("section", "sections"),
    "ValueSettings": _texts("controllingFieldValue"),
    "ValueSet": (("valueSettings", ("valueName",), LIST),),
    "ValueSetValuesDefinition": (("value", ("fullName",), LIST),),
    "Workflow": _named("fullName", *_WORKFLOW_PARTS),
    "WorkflowAlert": (
        *_named(".", "ccEmails"),
        ("recipients", ("type", "recipient", "field"), SET),
    ),
    "WorkflowOutboundMessage": _named(".", "fields"),
    "WorkflowRule": (
        ("actions", ("type", "name"), SET),
        ("criteriaItems", ("field", "operation", "value", "valueField"), LIST),
        (
            "workflowTimeTriggers",
            ("timeLength", "workflowTimeTriggerUnit", "offsetFromField"),
            LIST,
        ),
    ),
    "WorkflowTimeTrigger": (("actions", ("type", "name"), SET),),
}  # fmt: skip
"""Type → (repeated element, key elements, set or list)."""

_NAMED_SETS = (
    "ConversationMessageConstantValueTranslation",
    "DataConnectorAttributeOptTranslation", "DataConnectorAttributeTranslation",
    "DataConnectorErrorTranslation", "FlowActionCallInputParameter",
    "FlowActionCallOutputParameter", "FlowApexPluginCallInputParameter",
    "FlowApexPluginCallOutputParameter", "FlowChoiceTranslation", "FlowExitEventInputParameter",
    "FlowExitEventOutputParameter", "FlowInputParameterTranslation", "FlowMetadataValue",
    "FlowOrchestrationStageTranslation", "FlowOrchestrationStepTranslation",
    "FlowScreenFieldInputParameter", "FlowScreenFieldOutputParameter",
    "FlowScreenFieldTranslation", "FlowScreenTranslation", "FlowStageStepEntryActionInputParameter",
    "FlowStageStepEntryActionOutputParameter", "FlowStageStepExitActionInputParameter",
    "FlowStageStepExitActionOutputParameter", "FlowStageStepInputParameter",
    "FlowStageStepOutputParameter", "FlowStageTranslation", "FlowStartInputParameter",
    "FlowSubflowInputAssignment", "FlowSubflowOutputAssignment", "FlowTextTemplateTranslation",
    "FlowTransformValueActionInputParameter", "FlowWaitEventInputParameter",
    "FlowWaitEventOutputParameter", "PromptVersionTranslation", "ReportTypeColumnTranslation",
    "ReportTypeSectionTranslation", "WorkflowFlowActionParameter",
)  # fmt: skip

_NAMED_LISTS = (
    "ComponentInstanceProperty", "FieldInstanceProperty", "FlexiPageEventPropertyMapping",
    "FlexiPageEventSourceProperty", "FlexiPageEventTarget", "FlexiPageEventTargetProperty",
    "FlowCapability", "FlowCapabilityInput", "FlowExperimentPath", "FlowScheduledPath",
    "FlowScreenField", "IndexField",
)  # fmt: skip

ITEMS: dict[str, tuple[tuple[str, ...], bool]] = {
    **dict.fromkeys(_NAMED_SETS, (("name",), SET)),
    **dict.fromkeys(_NAMED_LISTS, (("name",), LIST)),
    "BotBlockVersionTranslation": (("fullName",), SET),
    "BotDialogTranslation": (("developerName",), SET),
    "BotMessageTranslation": (("messageIdentifier",), SET),
    "BotQuickReplyOptionTranslation": (("quickReplyOptionIdentifier",), SET),
    "BotStepTranslation": (("stepIdentifier",), SET),
    "BotVersionTranslation": (("fullName",), SET),
    "FlowActionCallPath": (("pathName",), LIST),
    "FlowDataTypeMapping": (("typeName",), LIST),
    "FlowInputFieldAssignment": (("field",), SET),
}
"""Type of a repeated element → key elements, set or list."""

MORE: dict[str, dict[str, str]] = {
    "LightningComponentBundle": {"targetConfigs": "TargetConfigs"},
    "TargetConfigs": {"targetConfig": "TargetConfig*"},
    "TargetConfig": {"objects": "TargetObjects", "property": "*"},
    "TargetObjects": {"object": "*"},
}
"""What the published description takes for one text: the configuration of a Lightning component."""

MADE: dict[str, dict[str, str]] = {"SummaryLayout": {"masterLabel": "00h[0-9A-Za-z]{12,15}"}}
"""Type → element → what an org writes there by itself: its own id of a layout."""
