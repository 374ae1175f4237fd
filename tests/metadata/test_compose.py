"""Composition: the union of teams, named conflicts, and never an old version put back."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from metadata import removal
from metadata.components import ComponentKey
from metadata.compose import Candidate, Composition, compose
from metadata.diff import diff
from metadata.merge import words
from metadata.merge.conflicts import ElementConflict
from metadata.normal import NormalForm
from metadata.package import build, open_zip, read_zip


def form(**contents: str) -> NormalForm:
    """A normal form of Apex classes by name."""
    return NormalForm(
        {
            ComponentKey("ApexClass", name): {f"classes/{name}.cls": text.encode()}
            for name, text in contents.items()
        }
    )


def candidate(team: str, held: NormalForm, base: NormalForm | None = None) -> Candidate:
    """A team's candidate."""
    return Candidate(team, "v1", held, base)


def names(result: NormalForm) -> list[str]:
    """Component names."""
    return [key.name for key in result]


def test_union_of_two_teams_keeps_both() -> None:
    result = compose(form(), [candidate("Sales", form(A="1")), candidate("Service", form(B="2"))])
    assert names(result.form) == ["A", "B"]
    assert not result.conflicts


def test_same_component_with_other_bytes_names_both_teams() -> None:
    result = compose(form(), [candidate("Service", form(A="2")), candidate("Sales", form(A="1"))])
    [conflict] = result.conflicts
    assert (str(conflict.key), conflict.teams) == ("ApexClass:A", ("Sales", "Service"))
    assert names(result.form) == []


def test_one_side_that_is_productions_own_is_no_conflict() -> None:
    result = compose(
        form(A="1"), [candidate("Sales", form(A="1")), candidate("Service", form(A="2"))]
    )
    assert not result.conflicts
    assert result.form.digest() == form(A="2").digest()


def test_component_untouched_since_the_teams_last_release_is_left_out_when_production_moved() -> (
    None
):
    base = form(A="old", B="1")
    result = compose(form(A="new", B="1"), [candidate("Sales", form(A="old", B="2"), base)])
    assert names(result.form) == ["B"]
    assert [(str(key), team) for key, team in result.left_out] == [("ApexClass:A", "Sales")]


def test_component_that_production_lost_comes_back_with_its_team() -> None:
    base = form(A="1")
    result = compose(form(), [candidate("Sales", form(A="1"), base)])
    assert names(result.form) == ["A"]


TEAMS = st.dictionaries(
    st.sampled_from(["Sales", "Service", "Loyalty"]),
    st.dictionaries(st.sampled_from("ABCD"), st.sampled_from("123"), max_size=4),
)


@given(TEAMS, st.dictionaries(st.sampled_from("ABCD"), st.sampled_from("123")), st.randoms())
def test_every_component_is_in_exactly_one_place_whatever_the_order(
    teams: dict[str, dict[str, str]], held: dict[str, str], random: object
) -> None:
    parts = [candidate(team, form(**contents)) for team, contents in teams.items()]
    one, two = compose(form(**held), parts), compose(form(**held), parts[::-1])
    assert one.form.digest() == two.form.digest()
    assert one.conflicts == two.conflicts
    brought = {name for contents in teams.values() for name in contents}
    clashing = {conflict.key.name for conflict in one.conflicts}
    assert set(names(one.form)) | clashing == brought
    assert not set(names(one.form)) & clashing


def test_diff_says_what_is_new_and_what_changed_inside() -> None:
    changes = diff(form(A="x\ny"), form(A="x\nz", B="1"))
    assert [(str(change.key), change.kind) for change in changes] == [
        ("ApexClass:A", "changed"),
        ("ApexClass:B", "added"),
    ]
    assert changes[0].summary == "A.cls: +1 −1 lines"
    assert diff(form(A="x"), form(A="x")) == []
    [gone] = diff(form(A="x"), form(), removed=True)
    assert gone.kind == "removed"


def removed(result: Composition) -> list[tuple[str, tuple[str, ...]]]:
    """What a composition deletes, and for whom."""
    return [(str(key), teams) for key, teams in result.removed]


def picking(number: int) -> Callable[[ComponentKey, ElementConflict], str]:
    """A person who always takes one of the sides."""
    return lambda _key, conflict: conflict.sides[number].digest


def test_component_that_its_team_took_out_is_removed_although_others_carry_it() -> None:
    parts = [candidate("Sales", form(B="1"), form(A="1", B="1")), candidate("Ops", form(A="1"))]
    result = compose(form(A="1", B="1"), parts)
    assert removed(result) == [("ApexClass:A", ("Sales",))]
    assert (names(result.form), result.conflicts) == (["B"], ())


def test_component_that_one_takes_out_and_another_changes_is_for_a_person() -> None:
    parts = [candidate("Ops", form(B="1"), form(A="1", B="1")), candidate("Sales", form(A="2"))]
    [conflict] = compose(form(A="1", B="1"), parts).conflicts
    assert words.sentence(conflict.key, conflict.elements[0]) == (
        "Apex class A: team Ops removes it, team Sales changes it"
    )
    gone = compose(form(A="1", B="1"), parts, decide=picking(0))
    assert (removed(gone), names(gone.form)) == ([("ApexClass:A", ("Ops",))], ["B"])
    kept = compose(form(A="1", B="1"), parts, decide=picking(1))
    assert (removed(kept), names(kept.form)) == ([], ["A", "B"])


def test_component_that_a_release_deleted_does_not_come_back_with_who_carries_it() -> None:
    key = ComponentKey("ApexClass", "A")
    parts = [candidate("Sales", form(A="1", B="2"), form(A="1", B="1"))]
    result = compose(form(B="1"), parts, removed={key})
    assert (names(result.form), result.left_out) == (["B"], ((key, "Sales"),))
    changed = [candidate("Sales", form(A="2", B="1"), form(A="1", B="1"))]
    assert compose(form(B="1"), changed, removed={key}).conflicts


def test_change_on_an_old_version_is_carried_over_to_what_production_holds() -> None:
    old, new = "one\r\ntwo\r\nthree\r\n", "ONE\ntwo\nthree\n"
    result = compose(form(A=new), [candidate("Sales", form(A="one\ntwo\nTHREE\n"), form(A=old))])
    [files] = result.form.values()
    assert files == {"classes/A.cls": b"ONE\ntwo\nTHREE\n"}


def test_record_types_and_standard_fields_are_never_named_for_deletion() -> None:
    keys = [
        ComponentKey("RecordType", "Account.Old"),
        ComponentKey("CustomField", "Account.Name"),
        ComponentKey("CustomField", "Account.Old__c"),
        ComponentKey("CustomField", "Account.region__c"),
        ComponentKey("CustomObject", "Old__c"),
        ComponentKey("CustomField", "Old__c.Size__c"),
        ComponentKey("Workflow", "Account"),
    ]
    found = removal.named(keys, [ComponentKey("CustomField", "Account.Region__c")])
    assert [str(key) for key in found] == ["CustomField:Account.Old__c", "CustomObject:Old__c"]
    held = NormalForm({keys[0]: {"": b"<a/>"}, ComponentKey("ApexClass", "A"): {"a": b"1"}})
    result = compose(held, [candidate("Sales", form(A="1"), held)])
    assert (result.removed, result.by_hand) == ((), ((keys[0], ("Sales",)),))


def added(held: NormalForm, *keys: ComponentKey) -> NormalForm:
    """A form with more entries."""
    return NormalForm({**held, **{key: {"": b"<a/>"} for key in keys}})


def test_object_that_one_takes_out_while_another_adds_a_field_is_for_a_person() -> None:
    parent, own, more = (
        ComponentKey("CustomObject", "Old__c"),
        ComponentKey("CustomField", "Old__c.Size__c"),
        ComponentKey("CustomField", "Old__c.More__c"),
    )
    held = added(form(A="1"), parent, own)
    parts = [
        candidate("Ops", form(A="1"), held),
        candidate("Sales", added(form(A="1"), parent, own, more)),
    ]
    [conflict] = compose(held, parts).conflicts
    assert (conflict.key, conflict.teams) == (parent, ("Ops", "Sales"))
    gone = compose(held, parts, decide=picking(0))
    assert (removed(gone), names(gone.form)) == ([(str(parent), ("Ops",))], ["A"])
    kept = compose(held, parts, decide=picking(1))
    assert (removed(kept), set(kept.form) - {parent, own}) == (
        [],
        {ComponentKey("ApexClass", "A"), more},
    )


def test_package_names_what_it_deletes_and_is_another_artefact_for_it() -> None:
    gone = [ComponentKey("CustomField", "Account.Old__c")]
    package = build(form(A="1"), "64.0", gone)
    files = open_zip(package.zip_bytes)
    assert b"<members>Account.Old__c</members>" in files["destructiveChangesPost.xml"]
    assert package.digest != build(form(A="1"), "64.0").digest
    assert read_zip(package.zip_bytes).digest() == form(A="1").digest()
