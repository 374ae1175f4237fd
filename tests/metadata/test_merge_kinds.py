"""Kinds of metadata whose parts hang together: what teams may change beside each other."""

from __future__ import annotations

import pytest

from metadata import xml
from metadata.components import ComponentKey
from metadata.merge import words
from metadata.merge.conflicts import Kind
from metadata.merge.files import merge, merge_sides

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def document(root: str, inner: str) -> bytes:
    """A metadata file."""
    return f"<{root} {NS}>{inner}</{root}>".encode()


def alerts(**said: str) -> bytes:
    """Workflow alerts with what each is for."""
    return document("Workflow", "".join(
        f"<alerts><fullName>{name}</fullName><description>{to}</description>"
        f"<protected>false</protected></alerts>" for name, to in said.items()
    ))  # fmt: skip


def criteria(**rules: str) -> bytes:
    """Sharing rules with the access that each gives."""
    return document("SharingRules", "".join(
        f"<sharingCriteriaRules><fullName>{name}</fullName><accessLevel>{level}</accessLevel>"
        f"<sharedTo><role>R</role></sharedTo></sharingCriteriaRules>"
        for name, level in rules.items()
    ))  # fmt: skip


def record(**values: str) -> bytes:
    """A custom metadata record."""
    return document("CustomMetadata", "".join(
        f"<values><field>{name}</field><value>{said}</value></values>"
        for name, said in values.items()
    ))  # fmt: skip


def flow(**assigned: str) -> bytes:
    """A flow with the value that each assignment gives."""
    return document("Flow", "".join(
        f"<assignments><name>{name}</name><assignmentItems><assignToReference>x</assignToReference>"
        f"<operator>Assign</operator><value><numberValue>{said}</numberValue></value>"
        f"</assignmentItems></assignments>" for name, said in assigned.items()
    ))  # fmt: skip


def objects(**given: str) -> bytes:
    """A permission set with the labels of its applications."""
    return document("PermissionSet", "".join(
        f"<applicationVisibilities><application>{name}</application><visible>{said}</visible>"
        f"</applicationVisibilities>" for name, said in given.items()
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (alerts, "Workflow Case: alert A, description"),
        (criteria, "Sharing rules Case: sharing criteria rule A, access level"),
        (record, "Custom metadata record Case: value A, value"),
        (flow, "Flow Case: assignment A, assignment items"),
        (objects, "Permission set Case: application visibility A, visible"),
    ],
)
def test_contested_entry_is_named_and_every_independent_change_is_kept(make, told) -> None:  # type: ignore[no-untyped-def]
    base, ours, theirs = make(A="1", B="1"), make(A="2", B="2", C="2"), make(A="3", B="1", D="3")
    merged = merge(base, ours, theirs)
    [conflict] = merged.conflicts
    root = xml.local(xml.parse(base, "base"))
    assert words.sentence(ComponentKey(root, "Case"), conflict).startswith(f"{told}: team")
    wanted = make(A="2", B="2", C="2", D="3")
    assert xml.canonical_file(merged.content, "x") == xml.canonical_file(wanted, "x")


def test_rights_that_need_each_other_are_never_torn_apart() -> None:
    def access(*given: str) -> bytes:
        inner = "".join(
            f"<{name}>{str(name in given).lower()}</{name}>"
            for name in ("allowCreate", "allowDelete", "allowEdit", "allowRead")
        )
        held = f"<objectPermissions>{inner}<object>A</object></objectPermissions>"
        return f"<PermissionSet {NS}>{held}</PermissionSet>".encode()

    read, edit, delete = (
        ("allowRead",),
        ("allowRead", "allowEdit"),
        ("allowRead", "allowEdit", "allowDelete"),
    )
    together = merge(access(*edit), access(*delete), access(*edit, "allowCreate"))
    assert together.content == merge(access(), access(*delete, "allowCreate"), access()).content
    torn = merge(access(*edit), access(*delete), access(*read))
    assert [found.path for found in torn.conflicts] == ["PermissionSet/objectPermissions[A]"]


def test_actions_that_both_sides_add_to_a_layout_are_counted_anew() -> None:
    def actions(*names: str) -> bytes:
        inner = "".join(
            f"<platformActionListItems><actionName>{name}</actionName><actionType>QuickAction"
            f"</actionType><sortOrder>{place}</sortOrder></platformActionListItems>"
            for place, name in enumerate(names)
        )
        held = f"<platformActionList>{inner}</platformActionList>"
        return f"<Layout {NS}>{held}</Layout>".encode()

    merged = merge(actions("A", "B", "C"), actions("X", "A", "B", "C"), actions("A", "B", "Y", "C"))
    assert not merged.conflicts
    assert merged.content == merge(actions(), actions("X", "A", "B", "Y", "C"), actions()).content
    fought = merge(actions("A", "B", "C"), actions("B", "A", "C"), actions("C", "B", "A"))
    assert [found.kind for found in fought.conflicts] == [Kind.ORDER]


def assigned(*layouts: str, faculty: str = "Contact-A") -> bytes:
    """A profile with the layouts that it gives to one record type."""
    return document("Profile", "".join(
        f"<layoutAssignments><layout>{layout}</layout><recordType>Contact.Faculty</recordType>"
        "</layoutAssignments>" for layout in (faculty, *layouts)
    ))  # fmt: skip


def test_record_type_has_one_layout_of_an_object_and_two_for_it_are_a_conflict() -> None:
    held = assigned("CaseClose-A")
    ours = assigned("CaseClose-A", "Case-A", faculty="Contact-B")
    both = merge_sides(held, [(("a",), ours), (("b",), held)], "x", partial=True)
    assert both.clean
    layouts = [xml.text_of(node, "layout") for node in xml.elements(xml.parse(both.content, "x"))]
    assert sorted(layouts) == ["Case-A", "CaseClose-A", "Contact-B"]
    theirs = assigned("CaseClose-B", faculty="Contact-C")
    [conflict] = merge_sides(held, [(("a",), ours), (("b",), theirs)], "x", partial=True).conflicts
    assert words.sentence(ComponentKey("Profile", "Admin"), conflict) == (
        "Profile Admin: layout assignment Contact Contact.Faculty, layout: "
        "team a says “Contact-B”, team b says “Contact-C”"
    )


def test_flow_elements_that_both_sides_drew_anew_are_no_conflict() -> None:
    def flow(x: int, y: int, label: str = "Is it so?") -> bytes:
        place = f"<locationX>{x}</locationX><locationY>{y}</locationY>"
        node = f"<decisions><name>D</name><label>{label}</label>{place}</decisions>"
        return document("Flow", node + f"<start>{place}</start>")

    def drawn(content: bytes) -> list[tuple[str, str]]:
        root = xml.parse(content, "the flow")
        return [(xml.text_of(node, "locationX"), xml.text_of(node, "locationY")) for node in root]

    merged = merge(flow(1, 1), flow(2, 3), flow(4, 5, "Sure?"))
    assert (merged.clean, drawn(merged.content)) == (True, [("2", "3")] * 2)
    assert b"Sure?" in merged.content
    only_theirs = merge(flow(1, 1), flow(1, 1, "Sure?"), flow(4, 5))
    assert (only_theirs.clean, drawn(only_theirs.content)) == (True, [("4", "5")] * 2)
    left_out = flow(1, 1).replace(b"<locationY>1</locationY>", b"")
    assert not merge(flow(1, 1), flow(2, 3), left_out).clean
    assert not merge(flow(1, 1), flow(1, 1, "One?"), flow(1, 1, "Two?")).clean


def test_places_of_another_type_than_a_flow_are_a_conflict() -> None:
    def place(x: int) -> bytes:
        return document("CustomMetadata", f"<locationX>{x}</locationX>")

    assert not merge(place(1), place(2), place(3)).clean
