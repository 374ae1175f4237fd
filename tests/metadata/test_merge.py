"""XML-aware merging: independent edits survive, contradictions are named, nothing gets lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata import xml
from metadata.commands import main
from metadata.components import ComponentKey
from metadata.compose import Candidate, compose
from metadata.merge import sequences
from metadata.merge.conflicts import ALL, ElementConflict, digest_of
from metadata.merge.files import merge, merge_sides
from metadata.normal import NormalForm
from tests.metadata.repositories import HEAD, NS


def profile(permissions: dict[str, str], root: str = "Profile") -> bytes:
    """A profile with field permissions."""
    inner = "".join(
        f"<fieldPermissions><editable>{value}</editable><field>{name}</field></fieldPermissions>"
        for name, value in permissions.items()
    )
    return f"{HEAD}<{root} {NS}>{inner}</{root}>".encode()


def permissions_of(content: bytes) -> dict[str, str]:
    """Field → editable."""
    return {
        xml.text_of(node, "field"): xml.text_of(node, "editable")
        for node in xml.elements(xml.parse(content, "merged"))
    }


def test_same_field_changed_both_ways_is_named() -> None:
    merged = merge(profile({"A": "1"}), profile({"A": "2"}), profile({"A": "3"}))
    [conflict] = merged.conflicts
    assert conflict.path == "Profile/fieldPermissions[A]"
    assert (">2<" in conflict.ours, ">3<" in conflict.theirs) == (True, True)


def test_element_removed_here_and_changed_there_is_a_conflict() -> None:
    assert not merge(profile({"A": "1"}), profile({}), profile({"A": "2"})).clean


def test_key_that_is_there_twice_is_never_overwritten() -> None:
    twice = profile({"A": "1"}).replace(b"</Profile>", profile({"A": "2"})[len(HEAD) :]
        .replace(f"<Profile {NS}>".encode(), b""))  # fmt: skip
    merged = merge(profile({"A": "1"}), twice, profile({"A": "9"}))
    assert not merged.clean
    assert merged.content.count(b"<fieldPermissions>") == 2


def test_very_same_element_twice_says_it_once() -> None:
    twice = profile({"A": "1"}).replace(b"</Profile>", profile({"A": "1"})[len(HEAD) :]
        .replace(f"<Profile {NS}>".encode(), b""))  # fmt: skip
    merged = merge(twice, profile({"A": "1", "B": "1"}), profile({"A": "1", "C": "1"}))
    assert merged.clean
    assert permissions_of(merged.content) == {"A": "1", "B": "1", "C": "1"}
    assert merged.content.count(b"<fieldPermissions>") == 3


def needs(**packages: str) -> bytes:
    """What a class needs of packages, each in a version, and of the platform."""
    inner = "".join(
        "<packageVersions><majorNumber>{}</majorNumber><minorNumber>{}</minorNumber>"
        "<namespace>{}</namespace></packageVersions>".format(*version.split("."), name)
        for name, version in packages.items()
        if name != "api"
    )
    api = f"<apiVersion>{packages.get('api', '60.0')}</apiVersion>"
    return f"{HEAD}<ApexClass {NS}>{api}{inner}</ApexClass>".encode()


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        ({"a": "3.9"}, {"a": "3.10"}, {"a": "4.1"}, {"a": "4.1"}),
        ({"a": "3.1", "b": "1.0"}, {"a": "3.2", "b": "1.0"}, {"a": "3.1", "b": "1.1"},
         {"a": "3.2", "b": "1.1"}),
        ({}, {"a": "3.1"}, {"a": "3.2", "b": "1.0"}, {"a": "3.2", "b": "1.0"}),
        ({"a": "3.1", "b": "1.0"}, {"a": "3.2", "b": "1.0"}, {}, {"a": "3.2", "b": "1.0"}),
        ({"a": "3.1"}, {"a": "3.1", "api": "61.0"}, {}, {"api": "61.0"}),
        ({"a": "3.1", "b": "1.0"}, {"a": "3.1"}, {"a": "3.1", "b": "1.0", "c": "1.0"},
         {"a": "3.1", "c": "1.0"}),
        ({"api": "60.0"}, {"api": "61.0"}, {"api": "62.0"}, {"api": "62.0"}),
    ],
    ids=["both-raise", "each-another", "both-add", "names-none", "takes-all-out", "one-goes",
         "api"],
)  # fmt: skip
def test_raised_versions_of_packages_and_platform_become_the_highest(
    base: dict[str, str], ours: dict[str, str], theirs: dict[str, str], result: dict[str, str]
) -> None:
    for one, other in ((ours, theirs), (theirs, ours)):
        merged = merge(needs(**base), needs(**one), needs(**other))
        assert merged.clean
        assert xml.canonical_file(merged.content, "") == xml.canonical_file(needs(**result), "")


def test_version_that_one_side_lowers_and_the_other_raises_is_for_a_person() -> None:
    for base, ours, theirs in (("3.5", "3.4", "3.6"), ("3.5", "3.4", "2.9"), ("3.5", "x.1", "3.6")):
        merged = merge(needs(a=base), needs(a=ours), needs(a=theirs))
        [conflict] = merged.conflicts
        assert conflict.path == "ApexClass/packageVersions[a]"
    one_out = merge(needs(a="3.5", b="1.0"), needs(b="1.0"), needs(a="3.6", b="1.0"))
    assert [found.path for found in one_out.conflicts] == ["ApexClass/packageVersions[a]"]
    assert not merge(needs(api="60.0"), needs(api="59.0"), needs(api="61.0")).clean


def test_comment_instead_of_text_stays_a_comment() -> None:
    def label(inner: str) -> bytes:
        root = "CustomObjectTranslation"
        fields = f"<fields><help>{inner}</help><name>A</name></fields>"
        return f"<{root} {NS}>{fields}</{root}>".encode()

    merged = merge(label("<!-- Help -->"), label("<!-- Help -->"), label("Hilfe"))
    assert b"<help>Hilfe</help>" in merged.content
    assert not merge(label("<!-- Help -->"), label("Eins"), label("Zwei")).clean
    reworded = label("<!-- Say more -->")
    for ours, theirs, held in (
        (reworded, label("Hilfe"), b"<help>Hilfe</help>"),
        (reworded, label("<!-- Say it -->"), b"<help><!-- Say more --></help>"),
    ):
        merged = merge(label("<!-- Help -->"), ours, theirs)
        assert merged.clean
        assert held in merged.content
    assert not merge(label("Help"), reworded, label("Hilfe")).clean
    nothing = f"<CustomObjectTranslation {NS}/>".encode()
    assert merge(nothing, reworded, label("<!-- Say it -->")).clean
    assert not merge(nothing, reworded, label("Hilfe")).clean


def test_blanks_in_a_comment_instead_of_text_are_no_change() -> None:
    def label(inner: str) -> bytes:
        labels = f"<customLabels><label>{inner}</label><name>A</name></customLabels>"
        return f"<Translations {NS}>{labels}</Translations>".encode()

    base, respaced, reworded = (
        label("<!--Help -->"),
        label("\n<!-- Help -->"),
        label("<!-- Tip -->"),
    )
    for sides in ((respaced, reworded), (reworded, respaced)):
        merged = merge(base, *sides)
        assert merged.clean
        assert b"<label><!-- Tip --></label>" in merged.content
    assert b"Eins" in merge(base, respaced, label("Eins")).content


def test_untranslated_neighbour_is_not_touched_by_a_merge() -> None:
    def labels(*pairs: tuple[str, str]) -> bytes:
        inner = "".join(
            f"<customLabels><label>{text}</label><name>{name}</name></customLabels>"
            for name, text in pairs
        )
        return f"<Translations {NS}>{inner}</Translations>".encode()

    open_label = ("A", "<!-- Description -->")
    merged = merge(
        labels(open_label, ("B", "1"), ("C", "1")),
        labels(open_label, ("B", "2"), ("C", "1")),
        labels(open_label, ("B", "1"), ("C", "2")),
    )
    assert merged.clean
    assert b"<label><!-- Description --></label>" in merged.content


def test_picklist_order_of_one_side_and_value_of_the_other_are_both_kept() -> None:
    def values(names: str) -> bytes:
        inner = "".join(f"<customValue><fullName>{name}</fullName></customValue>" for name in names)
        return f"<GlobalValueSet {NS}>{inner}</GlobalValueSet>".encode()

    merged = merge(values("ABC"), values("BAC"), values("ABCD"))
    found = [xml.text_of(node, "fullName") for node in xml.parse(merged.content, "m")]
    assert (found, merged.clean) == (list("BACD"), True)
    assert not merge(values("ABC"), values("BAC"), values("CAB")).clean


SIDES = st.dictionaries(st.sampled_from("ABCDEFGH"), st.sampled_from(["1", "2"]))


@given(SIDES, SIDES, SIDES)
def test_every_sides_independent_change_is_in_the_merge(
    base: dict[str, str], ours: dict[str, str], theirs: dict[str, str]
) -> None:
    merged = merge(profile(base), profile(ours), profile(theirs))
    clash = {
        name
        for name in {*base, *ours, *theirs}
        if len({base.get(name), ours.get(name), theirs.get(name)}) > 1
        and base.get(name) != ours.get(name)
        and base.get(name) != theirs.get(name)
        and ours.get(name) != theirs.get(name)
    }
    found = permissions_of(merged.content)
    assert merged.clean == (not clash)
    for name in {*base, *ours, *theirs} - clash:
        wanted = theirs.get(name) if ours.get(name) == base.get(name) else ours.get(name)
        assert found.get(name) == wanted


def test_element_swapped_on_one_side_and_added_on_the_other_is_no_loss() -> None:
    merged = merge(profile({"B": "1"}), profile({"A": "1"}), profile({"A": "1", "B": "1"}))
    assert merged.clean
    assert permissions_of(merged.content) == {"A": "1"}


@given(SIDES, SIDES)
def test_one_sided_change_is_that_side(base: dict[str, str], ours: dict[str, str]) -> None:
    merged = merge(profile(base), profile(ours), profile(base))
    assert merged.clean
    assert permissions_of(merged.content) == ours


LISTS = st.lists(st.sampled_from("ABCDE"), max_size=6)


@given(LISTS, LISTS)
def test_list_changed_on_one_side_is_that_side(base: list[str], side: list[str]) -> None:
    assert sequences.merge(base, side, base) == side
    assert sequences.merge(base, base, side) == side


def form(content: bytes) -> NormalForm:
    """A normal form of one profile."""
    files = {"profiles/Admin.profile": xml.canonical_file(content, "p")}
    return NormalForm({ComponentKey("Profile", "Admin"): files})


def test_teams_that_change_one_profile_in_different_places_are_merged() -> None:
    production = form(profile({"A": "1", "B": "1", "C": "1"}))
    result = compose(
        production,
        [
            Candidate("Sales", "v1", form(profile({"A": "2", "B": "1", "C": "1"}))),
            Candidate("Service", "v1", form(profile({"A": "1", "B": "2", "C": "1", "D": "1"}))),
        ],
    )
    [(key, teams)] = result.merged
    assert (str(key), teams) == ("Profile:Admin", ("Sales", "Service"))
    merged = result.form[key]["profiles/Admin.profile"]
    assert permissions_of(merged) == {"A": "2", "B": "2", "C": "1", "D": "1"}


def test_teams_that_contradict_each_other_get_the_element_named() -> None:
    parts = [
        Candidate(team, "v1", form(profile({"A": value})))
        for team, value in (("Sales", "2"), ("Service", "3"))
    ]
    [conflict] = compose(form(profile({"A": "1"})), parts).conflicts
    assert conflict.teams == ("Sales", "Service")
    assert conflict.elements[0].path == "Profile/fieldPermissions[A]"


@pytest.mark.parametrize(("theirs", "code"), [({"A": "1", "B": "1"}, 0), ({"A": "3"}, 1)])
def test_command_merges_like_a_git_driver(
    tmp_path: Path, theirs: dict[str, str], code: int
) -> None:
    for name, held in (("base", {"A": "1"}), ("ours", {"A": "2"}), ("theirs", theirs)):
        (tmp_path / name).write_bytes(profile(held))
    sides = [str(tmp_path / name) for name in ("base", "ours", "theirs")]
    assert main(["merge", *sides, "--path", "Admin.profile"]) == code
    assert permissions_of((tmp_path / "ours").read_bytes())["A"] == "2"


KINDS = {
    "fieldPermissions": "field",
    "objectPermissions": "object",
    "classAccesses": "apexClass",
    "userPermissions": "name",
}
ENTRIES = st.dictionaries(
    st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(["A.X__c", "B", "Ü & Co"])),
    st.sampled_from(["true", "false"]),
)


def written(entries: dict[tuple[str, str], str], root: str) -> bytes:
    """A profile or permission set with entries of several kinds."""
    inner = "".join(
        f"<{kind}><allow>{value}</allow><{KINDS[kind]}>{escape(name)}</{KINDS[kind]}></{kind}>"
        for (kind, name), value in entries.items()
    )
    return f"{HEAD}<{root} {NS}>{inner}</{root}>".encode()


def read(content: bytes) -> dict[tuple[str, str], str]:
    """The entries of a profile or permission set; each key may be there once."""
    found: dict[tuple[str, str], str] = {}
    for node in xml.elements(xml.parse(content, "merged")):
        key = (xml.local(node), xml.text_of(node, KINDS[xml.local(node)]))
        assert key not in found
        found[key] = xml.text_of(node, "allow")
    return found


@given(
    ENTRIES,
    st.lists(ENTRIES, min_size=2, max_size=5),
    st.sampled_from(["Profile", "PermissionSet"]),
    st.data(),
)
def test_union_of_the_independent_edits_of_any_number_of_teams_is_in_the_merge(
    base: dict[tuple[str, str], str],
    edits: list[dict[tuple[str, str], str]],
    root: str,
    data: st.DataObject,
) -> None:
    teams = [f"team {place}" for place in range(len(edits))]
    sides = [((team,), written(base | edit, root)) for team, edit in zip(teams, edits, strict=True)]
    chosen: dict[str, str] = {}

    def decide(conflict: ElementConflict) -> str:
        side = data.draw(st.sampled_from(conflict.sides))
        chosen[conflict.path] = side.content
        return side.digest

    asked = merge_sides(written(base, root), sides, "x")
    settled = merge_sides(written(base, root), sides, "x", decide)
    wanted: dict[tuple[str, str], set[str]] = {}
    for edit in edits:
        for key, value in edit.items():
            if base.get(key) != value:
                wanted.setdefault(key, set()).add(value)
    clash = {key for key, values in wanted.items() if len(values) > 1}
    assert len(asked.conflicts) == len(clash) == len(chosen)
    result = read(settled.content)
    assert result.keys() == base.keys() | wanted.keys()
    for key, value in result.items():
        assert value in wanted.get(key, {base.get(key)})
    assert settled.clean


@given(ENTRIES, ENTRIES, ENTRIES)
def test_profile_that_leaves_an_entry_out_takes_nothing_away(
    base: dict[tuple[str, str], str],
    one: dict[tuple[str, str], str],
    two: dict[tuple[str, str], str],
) -> None:
    sides = [((name,), written(held, "Profile")) for name, held in (("a", one), ("b", two))]
    merged = merge_sides(written(base, "Profile"), sides, "x", partial=True)
    assert read(merged.content).keys() == base.keys() | one.keys() | two.keys()


def test_list_that_two_sides_write_differently_may_take_both() -> None:
    def steps(*texts: str) -> bytes:
        inner = "".join(f"<steps>{text}</steps>" for text in texts)
        return f"{HEAD}<Unknown {NS}>{inner}</Unknown>".encode()

    sides = [(("a",), steps("1", "A")), (("b",), steps("1", "B"))]
    [conflict] = merge_sides(steps("1"), sides, "x").conflicts
    assert conflict.takes_all
    both = merge_sides(steps("1"), sides, "x", lambda _conflict: ALL)
    assert [node.text for node in xml.parse(both.content, "m")] == ["1", "A", "B"]


def picking(pick: str) -> Callable[[ElementConflict], str]:
    """A decision that is always the same."""
    return lambda _conflict: pick


def test_pick_that_names_no_content_of_the_conflict_decides_nothing() -> None:
    sides = [(("a",), profile({"A": "2"})), (("b",), profile({"A": "3"}))]
    for pick in (ALL, digest_of("something else")):
        found = merge_sides(profile({"A": "1"}), sides, "x", picking(pick))
        assert len(found.conflicts) == 1
