"""Three teams with planted conflicts of every kind: decided in Chromium, deployed as decided."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from governance.models import AuditEvent
from metadata import xml
from releases.models import Release
from tests.journeys.conftest import journey
from tests.journeys.northwind import Journey
from tests.support.browser import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]
__all__ = ["journey"]

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def access(**fields: str) -> str:
    """A permission set with these fields of Account."""
    inner = "".join(
        f"<fieldPermissions><editable>{str(may == 'edit').lower()}</editable>"
        f"<field>Account.{field}</field><readable>true</readable></fieldPermissions>"
        for field, may in fields.items()
    )
    return f"<PermissionSet {NS}>{inner}<label>Shared</label></PermissionSet>\n"


def code(name: str, *lines: str) -> str:
    """An Apex class with one constant a line."""
    inner = "".join(f"    public static String {line};\n" for line in lines)
    return f"public class {name} {{\n{inner}}}\n"


def values(*names: str) -> str:
    """A global value set, in this order."""
    inner = "".join(
        f"<customValue><fullName>{name}</fullName><default>false</default><label>{name}</label>"
        "</customValue>"
        for name in names
    )
    label = "<masterLabel>Regions</masterLabel><sorted>false</sorted>"
    return f"<GlobalValueSet {NS}>{inner}{label}</GlobalValueSet>\n"


def site(team: str) -> str:
    """A remote site that each team brings for itself."""
    return (
        f"<RemoteSiteSetting {NS}><disableProtocolSecurity>false</disableProtocolSecurity>"
        f"<isActive>true</isActive><url>https://{team}.example</url></RemoteSiteSetting>\n"
    )


def path(name: str) -> str:
    return f"classes/{name}.cls"


SHARED = "permissionsets/Shared.permissionset"
REGIONS = "globalValueSets/Regions.globalValueSet"
RATES = "remoteSiteSettings/Rates.remoteSite"
FIRST = {
    SHARED: access(Name="read"),
    REGIONS: values("North", "South", "West"),
    path("Lines"): code("Lines", "a = '1'", "b = '1'", "c = '1'"),
    path("Both"): code("Both", "a = '1'", "b = '1'", "c = '1'", "d = '1'", "e = '1'"),
    path("Added"): code("Added", "a = '1'"),
    path("Retired"): code("Retired", "a = '1'"),
    path("Vanished"): code("Vanished", "a = '1'"),
}
SALES = FIRST | {
    SHARED: access(Name="read", Phone="edit", Industry="edit"),
    REGIONS: values("West", "North", "South", "Alps"),
    RATES: site("sales"),
    path("Lines"): code("Lines", "a = '2'", "b = '1'", "c = '1'"),
    path("Both"): code("Both", "a = 'S'", "b = '1'", "c = 'S'", "d = '1'", "e = 'S'"),
    path("Retired"): code("Retired", "a = '2'"),
}
SERVICE = FIRST | {
    SHARED: access(Name="read", Website="edit", Industry="read"),
    REGIONS: values("South", "North", "West", "Coast"),
    RATES: site("service"),
    path("Lines"): code("Lines", "a = '1'", "b = '1'", "c = '3'"),
    path("Added"): code("Added", "a = '1'", "service = '1'"),
}
LOYALTY: dict[str, str | None] = {
    path("Both"): code("Both", "a = 'L'", "b = '2'", "c = '1'", "d = '1'", "e = 'L'"),
    path("Added"): code("Added", "a = '1'", "loyalty = '1'"),
    path("Retired"): None,
    path("Vanished"): None,
}

DECIDED = {
    "Added ApexClass": (
        ("Apex class Added: Added.cls, after line 2: team Loyalty says", "Take what every side"),
    ),
    "Both ApexClass": (
        ("line 2: team Loyalty says “public static String a = 'L';”, team Sales", "Team Loyalty"),
        ("line 6: team Loyalty says “public static String e = 'L';”, team Sales", "Team Sales"),
    ),
    "Retired ApexClass": (
        ("Apex class Retired: team Loyalty removes it, team Sales changes it", "Team Loyalty"),
    ),
    "Regions GlobalValueSet": (
        ("Global value set Regions: order of custom value: team Sales says West", "Team Service"),
    ),
    "Shared PermissionSet": (
        (
            "field permission Account.Industry: team Sales says editable, team Service says read",
            "Team Sales",
        ),
    ),
    "Rates RemoteSiteSetting": (
        ("team Sales says “https://sales.example”, team Service says", "Team Service"),
    ),
}
"""What the pages tell, one after the other, and whom somebody follows there."""


@pytest.mark.parametrize("journey", [("sales", "service", "loyalty")], indirect=True)
def test_conflicts_of_three_teams_are_decided_in_the_browser_and_reach_production_as_decided(
    journey: Journey, open_window: OpenWindow
) -> None:
    approved(journey, journey.composed("First", journey.tagged("loyalty", "v9.0.0", {**FIRST})))
    assert "ApexClass:Vanished" in journey.org("Production").components()
    release = journey.composed(
        "Second",
        journey.tagged("sales", "v9.0.0", {**SALES}),
        journey.tagged("service", "v9.0.0", {**SERVICE}, onto="v1.10.0"),
        journey.tagged("loyalty", "v9.1.0", LOYALTY),
    )
    window = open_window(journey.users["marek"])
    window.open(f"{release.get_absolute_url()}conflicts/")
    page = window.page
    page.get_by_role("link", name="Decide").first.click()
    for heading, told in DECIDED.items():
        expect(page.locator("main h1")).to_have_text(heading)
        assert journey.release(release.pk).state == "draft"
        decide(page, told)
    expect(page.locator("main")).to_contain_text("Nothing is open.")
    journey.work()
    release = journey.release(release.pk)
    assert (release.state, release.artefact is None) == ("composed", False), release.state_note
    assert AuditEvent.objects.filter(event="conflict.decided").count() == len(DECIDED)
    assert {(row.type, row.name) for row in release.changes.filter(kind="removed")} == {
        ("ApexClass", "Vanished"),
        ("ApexClass", "Retired"),
    }
    approved(journey, release)
    see_decided(journey)


def decide(page: Page, told: tuple[tuple[str, str], ...]) -> None:
    """Follow one side at each place, give a reason and send it."""
    sections = page.locator("main form section")
    expect(sections).to_have_count(len(told))
    for place, (sentence, side) in enumerate(told):
        expect(sections.nth(place)).to_contain_text(sentence)
        sections.nth(place).get_by_role("radio", name=re.compile(f"^{side}")).check()
    page.get_by_label("Why", exact=True).fill("They own it")
    page.get_by_role("button", name="Record the decision").click()


def see_decided(journey: Journey) -> None:
    """Production holds what was chosen, and everything that a side changed for itself."""
    production = journey.org("Production")
    assert not {"ApexClass:Vanished", "ApexClass:Retired"} & production.components()
    merged = xml.parse(production.content(SHARED).encode(), SHARED)
    assert {
        xml.text_of(node, "field"): xml.text_of(node, "editable")
        for node in xml.elements(merged)
        if xml.local(node) == "fieldPermissions"
    } == {
        "Account.Name": "false",
        "Account.Phone": "true",
        "Account.Website": "true",
        "Account.Industry": "true",
    }
    held = re.findall(r"<fullName>(\w+)</fullName>", production.content(REGIONS))
    assert [name for name in held if name != "Alps"] == ["South", "North", "West", "Coast"]
    assert "Alps" in held
    assert "https://service.example" in production.content(RATES)
    for name, lines in {
        "Lines": ("a = '2'", "b = '1'", "c = '3'"),
        "Both": ("a = 'L'", "b = '2'", "c = 'S'", "d = '1'", "e = 'S'"),
        "Added": ("a = '1'", "loyalty = '1'", "service = '1'"),
    }.items():
        assert production.content(path(name)) == code(name, *lines)


def approved(journey: Journey, release: Release) -> None:
    """Take a composed release to production with two approvals."""
    assert release.state == "composed", release.state_note
    request = journey.submitted(release)
    journey.decide("ana", request)
    journey.decide("ben", request)
    assert journey.release(release.pk).state == "deployed", journey.release(release.pk).state_note
