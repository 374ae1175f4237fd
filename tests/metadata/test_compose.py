"""Composition: the union of teams, named conflicts, and never an old version put back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metadata.components import ComponentKey
from metadata.compose import Candidate, compose
from metadata.diff import diff
from metadata.normal import NormalForm


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
    return Candidate(team, "v1", held, base.component_digests() if base else None)


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
