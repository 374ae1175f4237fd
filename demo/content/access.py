"""Describe what people see and may do: layouts, tabs, apps, permission sets, profiles, labels."""

from __future__ import annotations

from collections.abc import Sequence

from demo.content.components import Declared, declared
from demo.content.xml import Body


def layout(
    object_: str, name: str, sections: Sequence[tuple[str, Sequence[str], Sequence[str]]]
) -> Declared:
    """Describe a page layout; a section is (label, fields on the left, fields on the right)."""
    body: Body = (
        *(("layoutSections", _section(*section)) for section in sections),
        ("showEmailCheckbox", False),
        ("showHighlightsPanel", True),
        ("showInteractionLogPanel", False),
        ("showRunAssignmentRulesCheckbox", False),
        ("showSubmitAndAttachButton", False),
    )
    return declared("Layout", f"{object_}-{name}", body)


def _section(label: str, left: Sequence[str], right: Sequence[str]) -> Body:
    return (
        ("customLabel", True),
        ("detailHeading", True),
        ("editHeading", True),
        ("label", label),
        ("layoutColumns", tuple(_item(name) for name in left)),
        ("layoutColumns", tuple(_item(name) for name in right)),
        ("style", "TwoColumnsTopToBottom"),
    )


def _item(field: str) -> tuple[str, Body]:
    behavior = "Required" if field == "Name" else "Edit"
    return ("layoutItems", (("behavior", behavior), ("field", field)))


def tab(object_: str, motif: str) -> Declared:
    """Describe the tab of a custom object."""
    return declared("CustomTab", object_, (("customObject", True), ("motif", motif)))


def app(name: str, label: str, about: str, tabs: Sequence[str]) -> Declared:
    """Describe a Lightning app with its tabs."""
    body: Body = (
        ("brand", (("headerColor", "#0B5563"), ("shouldOverrideOrgTheme", False))),
        ("description", about),
        ("formFactors", "Large"),
        ("isNavAutoTempTabsDisabled", False),
        ("isNavPersonalizationDisabled", False),
        ("label", label),
        ("navType", "Standard"),
        *(("tabs", name_of_tab) for name_of_tab in tabs),
        ("uiType", "Lightning"),
    )
    return declared("CustomApplication", name, body)


def permission_set(
    name: str,
    label: str,
    *,
    about: str,
    objects: Sequence[str] = (),
    fields: Sequence[str] = (),
    classes: Sequence[str] = (),
    tabs: Sequence[str] = (),
) -> Declared:
    """Describe a permission set that lets people edit the objects and fields it names."""
    body: Body = (
        *(("classAccesses", (("apexClass", one), ("enabled", True))) for one in sorted(classes)),
        ("description", about),
        *(("fieldPermissions", _field_access(one)) for one in sorted(fields)),
        ("hasActivationRequired", False),
        ("label", label),
        *(("objectPermissions", _object_access(one)) for one in sorted(objects)),
        *(("tabSettings", (("tab", one), ("visibility", "Visible"))) for one in sorted(tabs)),
    )
    return declared("PermissionSet", name, body)


def profile(
    name: str, *, objects: Sequence[str], fields: Sequence[str] = (), apps: Sequence[str] = ()
) -> Declared:
    """Describe a profile of the company's own."""
    body: Body = (
        *(
            (
                "applicationVisibilities",
                (("application", one), ("default", True), ("visible", True)),
            )
            for one in sorted(apps)
        ),
        ("custom", True),
        *(("fieldPermissions", _field_access(one)) for one in sorted(fields)),
        *(("objectPermissions", _object_access(one)) for one in sorted(objects)),
        ("userLicense", "Salesforce"),
        ("userPermissions", (("enabled", True), ("name", "LightningExperienceUser"))),
    )
    return declared("Profile", name, body)


def _field_access(field: str) -> Body:
    return (("editable", True), ("field", field), ("readable", True))


def _object_access(object_: str) -> Body:
    return (
        ("allowCreate", True),
        ("allowDelete", False),
        ("allowEdit", True),
        ("allowRead", True),
        ("modifyAllRecords", False),
        ("object", object_),
        ("viewAllRecords", False),
    )


def label(name: str, value: str) -> Declared:
    """Describe a text that code and pages share and translators translate."""
    body: Body = (
        ("fullName", name),
        ("language", "en_US"),
        ("protected", False),
        ("shortDescription", name.replace("_", " ")),
        ("value", value),
    )
    return Declared(declared("CustomLabel", name, body).key, body)
