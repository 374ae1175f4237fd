"""What one team's commit changes since its baseline, whatever its repository looks like."""

from __future__ import annotations

from pathlib import Path

from metadata.components import ComponentKey
from metadata.mirrors import Mirror
from metadata.touched import Touch, touched
from tests.metadata.repositories import BASE, CLASS_META, HEAD, MANIFEST, NS, PROJECT, Repo, field

RIGHTS = f"{BASE}/permissionsets/P.permissionset-meta.xml"
WISH = f"{BASE}/objects/Account/fields/A__c.field-meta.xml"


def rights(**editable: bool) -> str:
    """A permission set with field permissions."""
    rows = "".join(
        f"<fieldPermissions><editable>{str(value).lower()}</editable>"
        f"<field>Account.{name}</field></fieldPermissions>"
        for name, value in editable.items()
    )
    return f"{HEAD}<PermissionSet {NS}><label>P</label>{rows}</PermissionSet>\n"


def of(found: list[Touch], key: str) -> Touch:
    """The touch of one component."""
    return next(touch for touch in found if str(touch.key) == key)


def test_touches_name_elements_commits_and_what_they_name(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    base = repo.commit(
        {
            "sfdx-project.json": PROJECT,
            RIGHTS: rights(A=False, B=False),
            WISH: field("A__c"),
            f"{BASE}/classes/Gone.cls": "class Gone {}",
            f"{BASE}/classes/Gone.cls-meta.xml": CLASS_META,
        }
    )
    first = repo.commit({RIGHTS: rights(A=True, B=False)}, "Sales may edit A")
    second = repo.commit({RIGHTS: rights(A=True, B=True), WISH: field("A__c", "Region")}, "Both")
    tip = repo.commit(
        {f"{BASE}/classes/Gone.cls": None, f"{BASE}/classes/Gone.cls-meta.xml": None}, "Tidy up"
    )
    found = touched(
        Mirror(repo.path / ".git"), tip, base, {ComponentKey("CustomField", "Account.Z")}
    )
    assert [str(touch.key) for touch in found] == [
        "ApexClass:Gone",
        "CustomField:Account.A__c",
        "PermissionSet:P",
    ]
    assert of(found, "ApexClass:Gone").digest == ""
    changed = of(found, "PermissionSet:P")
    assert changed.elements == ("fieldPermissions Account.A", "fieldPermissions Account.B")
    assert [commit.sha for commit in changed.commits] == [second, first]
    assert [commit.title for commit in of(found, "CustomField:Account.A__c").commits] == ["Both"]
    assert touched(Mirror(repo.path / ".git"), base, base) == []


def test_other_teams_components_can_be_named(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    tip = repo.commit(
        {
            "sfdx-project.json": PROJECT,
            f"{BASE}/classes/User.cls": "class User { Account a; Object b = a.Region__c; }",
            f"{BASE}/classes/User.cls-meta.xml": CLASS_META,
        }
    )
    region = ComponentKey("CustomField", "Account.Region__c")
    other = ComponentKey("CustomField", "Case.Kind__c")
    found = touched(Mirror(repo.path / ".git"), tip, None, {region, other})
    assert of(found, "ApexClass:User").names == (region,)


def test_metadata_format_gives_children_the_commits_of_their_file(tmp_path: Path) -> None:
    def account(label: str) -> str:
        return (
            f"{HEAD}<CustomObject {NS}><fields><fullName>A__c</fullName><label>{label}</label>"
            "<type>Text</type></fields></CustomObject>\n"
        )

    repo = Repo(tmp_path / "r")
    base = repo.commit({"package.xml": MANIFEST, "objects/Account.object": account("A")})
    tip = repo.commit({"objects/Account.object": account("Region")}, "Call it region")
    (found,) = touched(Mirror(repo.path / ".git"), tip, base)
    assert (str(found.key), found.elements) == ("CustomField:Account.A__c", ("label",))
    assert [commit.sha for commit in found.commits] == [tip]


def test_a_respelled_component_is_one_touch_under_its_new_name(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    base = repo.commit({"sfdx-project.json": PROJECT, RIGHTS: rights(A=False, B=False)})
    tip = repo.commit({RIGHTS: None, RIGHTS.replace("/P.", "/p."): rights(A=True, B=False)})
    (found,) = touched(Mirror(repo.path / ".git"), tip, base)
    assert str(found.key) == "PermissionSet:p"
    assert found.elements == ("name", "fieldPermissions Account.A")
    assert found.digest
