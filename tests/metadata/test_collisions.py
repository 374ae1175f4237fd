"""Where teams meet before any release exists."""

from __future__ import annotations

from pathlib import Path

from metadata import radar
from metadata.collisions import Closeness, Work, find, matrix
from metadata.components import ComponentKey
from metadata.repository import Repository
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT, Repo, field

ADMIN = ComponentKey("Profile", "Admin")
TILE = ComponentKey("ApexClass", "Tile")
USER = ComponentKey("ApexClass", "TileUser")


def test_closest_meeting_comes_first_and_equal_changes_are_none() -> None:
    works = [
        Work("Sales", {ADMIN: "a", TILE: "x"}, {ADMIN: frozenset({"field A", "field B"})}),
        Work("Service", {ADMIN: "b", TILE: "x"}, {ADMIN: frozenset({"field B"})}),
        Work("Partner", {USER: "u"}),
    ]
    first, *rest = find(works, {USER: {TILE}})
    assert (first.key, first.closeness, first.elements) == (ADMIN, Closeness.ELEMENT, ("field B",))
    assert {(c.teams, c.key, c.named_by) for c in rest} == {
        (("Sales", "Partner"), TILE, USER),
        (("Service", "Partner"), TILE, USER),
    }
    assert matrix([first])[("Sales", "Service")] == {Closeness.ELEMENT: 1}


def permission_set(**editable: bool) -> str:
    """A permission set with field permissions."""
    rows = "".join(
        f"    <fieldPermissions>\n        <editable>{str(value).lower()}</editable>\n"
        f"        <field>Account.{name}</field>\n    </fieldPermissions>\n"
        for name, value in editable.items()
    )
    return f"{HEAD}<PermissionSet {NS}>\n{rows}</PermissionSet>\n"


def labels(**texts: str) -> str:
    """A labels file."""
    rows = "".join(
        f"    <labels>\n        <fullName>{name}</fullName>\n        <value>{text}</value>\n"
        "    </labels>\n"
        for name, text in texts.items()
    )
    return f"{HEAD}<CustomLabels {NS}>\n{rows}</CustomLabels>\n"


def test_branches_meet_at_elements_and_children(tmp_path: Path) -> None:
    rights = f"{BASE}/permissionsets/P.permissionset-meta.xml"
    texts = f"{BASE}/labels/CustomLabels.labels-meta.xml"
    wish = f"{BASE}/objects/Account/fields/A__c.field-meta.xml"
    repo = Repo(tmp_path / "r")
    base = repo.commit(
        {
            "sfdx-project.json": PROJECT,
            rights: permission_set(A=False, B=False, C=False),
            texts: labels(One="1", Two="2", Three="3", Four="4"),
            wish: field("A__c"),
            f"{BASE}/classes/A.cls": "a",
            f"{BASE}/classes/A.cls-meta.xml": CLASS_META,
        }
    )
    changes: dict[str, dict[str, str | bytes | None]] = {
        "Sales": {
            rights: permission_set(A=True, B=True, C=False),
            texts: labels(One="x", Two="2", Three="3", Four="4"),
            wish: field("A__c", "Sales"),
        },
        "Service": {
            rights: permission_set(A=False, B=True, C=True),
            texts: labels(One="1", Two="x", Three="3", Four="4"),
            wish: None,
        },
    }
    tips = {}
    for team, change in changes.items():
        repo.git("checkout", "-q", "-B", team, base)
        tips[team] = repo.commit(change)
    found = find(radar.works(Repository(repo.path / ".git"), base, tips))
    assert [(str(c.key), c.closeness, c.elements) for c in found] == [
        ("PermissionSet:P", Closeness.ELEMENT, ("fieldPermissions Account.B",)),
        ("CustomField:Account.A__c", Closeness.COMPONENT, ()),
    ]


def test_a_respelled_component_meets_who_changes_it_under_the_old_name(tmp_path: Path) -> None:
    rights = f"{BASE}/permissionsets/Sales.permissionset-meta.xml"
    repo = Repo(tmp_path / "r")
    base = repo.commit({"sfdx-project.json": PROJECT, rights: permission_set(A=False, B=False)})
    changes: dict[str, dict[str, str | bytes | None]] = {
        "Sales": {rights: None, rights.replace("Sales.", "SALES."): permission_set(A=True, B=True)},
        "Service": {rights: permission_set(A=False, B=True)},
    }
    tips = {}
    for team, change in changes.items():
        repo.git("checkout", "-q", "-B", team, base)
        tips[team] = repo.commit(change)
    (found,) = find(radar.works(Repository(repo.path / ".git"), base, tips))
    assert (str(found.key), found.closeness) == ("PermissionSet:SALES", Closeness.ELEMENT)
    assert found.elements == ("fieldPermissions Account.B",)
