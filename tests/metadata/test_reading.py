"""What people read of a change: marks from its content, its lines, and parts of a package."""

from __future__ import annotations

import time

import pytest

from core.errors import InvalidInput
from metadata import parts, textdiff
from metadata.components import ComponentKey
from metadata.dangers import marks
from metadata.layout import read
from metadata.package import build
from tests.metadata.repositories import CLASS_META, HEAD, NS

ADMIN = ComponentKey("PermissionSet", "P")


def rights(body: str) -> dict[str, bytes]:
    """A permission set."""
    content = f"{HEAD}<PermissionSet {NS}>{body}</PermissionSet>"
    return {"permissionsets/P.permissionset": content.encode()}


def may(name: str, enabled: str = "true") -> str:
    """A user permission."""
    return f"<userPermissions><enabled>{enabled}</enabled><name>{name}</name></userPermissions>"


EDITS = "<fieldPermissions><editable>true</editable><field>Account.A__c</field></fieldPermissions>"
ALL = (
    "<objectPermissions><modifyAllRecords>true</modifyAllRecords><object>Case</object>"
    "</objectPermissions>"
)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (may("RunReports"), may("RunReports"), set()),
        ("", may("RunReports"), {"widens_access"}),
        ("", may("ModifyAllData"), {"widens_access", "all_data"}),
        (may("ModifyAllData"), may("ModifyAllData", "false"), set()),
        (may("ModifyAllData"), may("ModifyAllData") + EDITS, {"widens_access"}),
        (EDITS, "", set()),
        (EDITS, EDITS + ALL, {"widens_access", "all_data"}),
    ],
)
def test_only_what_a_change_gives_is_marked(old: str, new: str, expected: set[str]) -> None:
    assert marks(ADMIN, rights(old), rights(new)) == expected


def test_marks_of_other_kinds() -> None:
    def shared(model: str) -> dict[str, bytes]:
        body = f"<sharingModel>{model}</sharingModel>"
        return {"objects/A__c.object": f"{HEAD}<CustomObject {NS}>{body}</CustomObject>".encode()}

    thing = ComponentKey("CustomObject", "A__c")
    assert marks(thing, shared("Private"), shared("ReadWrite")) == {"sharing", "widens_access"}
    assert marks(thing, shared("ReadWrite"), shared("Private")) == {"sharing"}
    assert marks(thing, shared("Private"), None) == {"destructive"}

    def flow(object_name: str, status: str) -> dict[str, bytes]:
        body = f"<start><object>{object_name}</object></start><status>{status}</status>"
        return {"flows/F.flow": f"{HEAD}<Flow {NS}>{body}</Flow>".encode()}

    runs = ComponentKey("Flow", "F")
    assert marks(runs, None, flow("Account", "Active")) == {"busy_flow"}
    assert marks(runs, None, flow("Account", "Draft")) == set()
    assert marks(runs, None, flow("Rare__c", "Active")) == set()
    code = {"triggers/T.trigger": b"trigger T on Case(before insert) {}"}
    assert marks(ComponentKey("ApexTrigger", "T"), None, code) == {"busy_flow"}
    assert marks(ComponentKey("ConnectedApp", "C"), None, {"c": b""}) == {"connected_app"}
    assert marks(ADMIN, None, {"permissionsets/P.permissionset": b"<?xml <"}) == set()


def test_lines_side_by_side() -> None:
    old = "\n".join(["a", "b", "c", *map(str, range(20)), "x", "end"])
    new = "\n".join(["a", "B", "c", *map(str, range(20)), "x", "y", "end"])
    found = textdiff.compare(old.encode(), new.encode())
    assert (found.added, found.removed, found.cut) == (2, 1, False)
    changed = next(row for row in found.rows if row.kind == "changed")
    assert (changed.old_number, changed.old, changed.new_number, changed.new) == (2, "b", 2, "B")
    assert [row.kind for row in found.rows].count("gap") == 1
    assert textdiff.compare(b"", b"one\ntwo").added == 2
    assert textdiff.compare(b"same", b"same").rows == (textdiff.Row("same", 1, "same", 1, "same"),)


def test_large_and_nasty_texts_are_cut_in_time() -> None:
    old = "\n".join("    </fields>" if n % 2 else f"    <fields>{n}" for n in range(60_000))
    new = "\n".join("    </fields>" if n % 2 else f"    <fields>{n + 1}" for n in range(60_000))
    began = time.process_time()
    found = textdiff.compare(old.encode(), new.encode())
    assert time.process_time() - began < 2
    assert found.cut
    assert len(found.rows) <= textdiff.MAX_ROWS + 2
    wide = textdiff.compare(b"", b"x" * 1_000_000)
    assert len(wide.rows[0].new) == textdiff.MAX_WIDTH + 1
    assert not textdiff.is_text(b"PK\0\0")
    assert not textdiff.is_text(b"\xff\xfe")


def test_parts_of_a_package_are_read_alone() -> None:
    account = (
        f"{HEAD}<CustomObject {NS}><fields><fullName>A__c</fullName><type>Text</type></fields>"
        "<fields><fullName>B__c</fullName><type>Text</type></fields></CustomObject>"
    )
    form = read(
        {
            "classes/A.cls": b"class A {}",
            "classes/A.cls-meta.xml": CLASS_META.encode(),
            "classes/B.cls": b"class B { A a; String s; void f(Account x) { s = x.B__c; } }",
            "classes/B.cls-meta.xml": CLASS_META.encode(),
            "objects/Account.object": account.encode(),
        }
    )
    package = build(form, "64.0").zip_bytes
    keys = [ComponentKey("CustomField", "Account.B__c"), ComponentKey("ApexClass", "A")]
    found = parts.read(package, [*keys, ComponentKey("ApexClass", "Absent")])
    assert found == form.only(keys)
    other = ComponentKey("ApexClass", "B")
    assert [parts.naming(package, key, form) for key in keys] == [[other], [other]]
    assert parts.naming(package, other, form) == []
    with pytest.raises(InvalidInput, match="cannot be read"):
        parts.read(b"no zip", keys)
