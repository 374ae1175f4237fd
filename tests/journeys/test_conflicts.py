"""Three teams with planted conflicts of every kind: decided in the browser, deployed as decided."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from governance.models import AuditEvent
from metadata import xml
from releases.models import ComponentConflict, Release
from tests.journeys.northwind import Journey

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

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


def path(name: str) -> str:
    return f"classes/{name}.cls"


SHARED = "permissionsets/Shared.permissionset"
FIRST = {
    SHARED: access(Name="read"),
    path("Lines"): code("Lines", "a = '1'", "b = '1'", "c = '1'"),
    path("Both"): code("Both", "a = '1'"),
    path("Retired"): code("Retired", "a = '1'"),
    path("Vanished"): code("Vanished", "a = '1'"),
}
SALES = FIRST | {
    SHARED: access(Name="read", Phone="edit", Industry="edit"),
    path("Lines"): code("Lines", "a = '2'", "b = '1'", "c = '1'"),
    path("Both"): code("Both", "a = 'Sales'"),
    path("Retired"): code("Retired", "a = '2'"),
}
SERVICE = FIRST | {
    SHARED: access(Name="read", Website="edit", Industry="read"),
    path("Lines"): code("Lines", "a = '1'", "b = '1'", "c = '3'"),
}
LOYALTY = {
    path("Both"): code("Both", "a = 'Loyalty'"),
    path("Retired"): None,
    path("Vanished"): None,
}

SAID = {
    "PermissionSet Shared": "Permission set Shared: field permission Account.Industry: "
    "team Sales says editable, team Service says read-only",
    "ApexClass Both": "Apex class Both: Both.cls, line 2: team Loyalty says “public static "
    "String a = 'Loyalty';”, team Sales says “public static String a = 'Sales';”",
    "ApexClass Retired": "Apex class Retired: team Loyalty removes it, team Sales changes it",
}


@pytest.mark.parametrize("journey", [("sales", "service", "loyalty")], indirect=True)
def test_conflicts_of_three_teams_are_decided_in_the_browser_and_reach_production_as_decided(
    journey: Journey,
) -> None:
    approved(journey, journey.composed("First", journey.tagged("loyalty", "v9.0.0", {**FIRST})))
    assert "ApexClass:Vanished" in journey.org("Production").components()
    release = journey.composed(
        "Second",
        journey.tagged("sales", "v9.0.0", {**SALES}),
        journey.tagged("service", "v9.0.0", {**SERVICE}, onto="v1.10.0"),
        journey.tagged("loyalty", "v9.1.0", {**LOYALTY}),
    )
    assert release.state == "draft"
    found = {f"{row.type} {row.name}": row for row in release.conflicts.filter(settled_at=None)}
    assert {key: row.elements[0]["told"] for key, row in found.items()} == SAID
    pick(journey, "priya", found["PermissionSet Shared"], "team Sales")
    pick(journey, "yuki", found["ApexClass Both"], "team Loyalty")
    assert journey.release(release.pk).state == "draft"
    pick(journey, "marek", found["ApexClass Retired"], "team Loyalty")
    release = journey.release(release.pk)
    assert (release.state, release.artefact is None) == ("composed", False), release.state_note
    assert AuditEvent.objects.filter(event="conflict.decided").count() == 3
    assert {(row.type, row.name) for row in release.changes.filter(kind="removed")} == {
        ("ApexClass", "Vanished"),
        ("ApexClass", "Retired"),
    }
    approved(journey, release)
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
    lines = production.content("classes/Lines.cls")
    assert lines == code("Lines", "a = '2'", "b = '1'", "c = '3'")
    assert production.content("classes/Both.cls") == code("Both", "a = 'Loyalty'")


def pick(journey: Journey, name: str, conflict: ComponentConflict, who: str) -> None:
    """Take one side on the page, as a person, and let the work run that this sets off."""
    browser = Client()
    browser.force_login(journey.users[name])
    keys = {"pk": conflict.release_id, "conflict_pk": conflict.pk}
    address = reverse("releases:conflict", kwargs=keys)
    told = escape(SAID[f"{conflict.type} {conflict.name}"])
    assert told in browser.get(address).content.decode()
    sides = conflict.elements[0]["sides"]
    chosen = next(side["pick"] for side in sides if side["who"] == who)
    sent = browser.post(address, {"pick_0": chosen, "reason": f"{who} owns it"})
    assert sent.status_code == 302, sent.content.decode()
    journey.work()


def approved(journey: Journey, release: Release) -> None:
    """Take a composed release to production with two approvals."""
    assert release.state == "composed", release.state_note
    request = journey.submitted(release)
    journey.decide("ana", request)
    journey.decide("ben", request)
    assert journey.release(release.pk).state == "deployed", journey.release(release.pk).state_note
