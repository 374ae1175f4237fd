"""What production holds besides the teams' work: the platform team's own components."""

from __future__ import annotations

from demo.content import access, objects
from demo.content.components import Component, Key, collect
from demo.content.story import FILES, read_folder

REGION = (
    objects.custom_object(
        "Region__c", "Region", "Regions", about="A sales and service region of Northwind."
    ),
    objects.text("Region__c.Code__c", "Code", 8, required=True),
    objects.lookup("Region__c.Lead__c", "Lead", "User", "Led_Regions"),
    objects.list_view("Region__c.All", "All Regions", ("NAME", "Code__c")),
    access.tab("Region__c", "Custom68: Globe"),
    access.layout("Region__c", "Region Layout", (("Region", ("Name", "Code__c"), ("Lead__c",)),)),
)

DECLARED: tuple[Component, ...] = (
    *REGION,
    objects.lookup("Account.Region__c", "Region", "Region__c", "Accounts"),
    access.permission_set(
        "Platform_Region_Admin",
        "Platform Region Admin",
        about="Maintain the regions.",
        objects=("Region__c",),
        fields=("Region__c.Lead__c",),
        tabs=("Region__c",),
    ),
)


def components() -> dict[Key, Component]:
    """Gather the platform team's components."""
    return collect(DECLARED, read_folder(FILES / "platform" / "foundation"))
