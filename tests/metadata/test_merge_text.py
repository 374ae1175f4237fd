"""Text that is no XML: merged by lines; only the places where teams contradict are for people."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.components import ComponentKey
from metadata.merge import components, words
from metadata.merge.conflicts import ALL, ElementConflict, Kind, digest_of, undecided

KEY = ComponentKey("ApexClass", "Pricing")
PATH = "classes/Pricing.cls"
BASE = "class Pricing {\n\n  a();\n  b();\n  c();\n  d();\n  e();\n}\n"


def merged(
    decide: Callable[[ElementConflict], str | None], *texts: str | bytes, base: str = BASE
) -> tuple[bytes, tuple[ElementConflict, ...]]:
    """The class that these teams make of the base, and what is left to people."""
    sides = [
        ((f"T{number}",), {PATH: text.encode() if isinstance(text, str) else text})
        for number, text in enumerate(texts, 1)
    ]
    files, conflicts = components.merge(KEY, {PATH: base.encode()}, sides, decide)
    return files[PATH], conflicts


def test_only_the_place_that_sides_contradict_at_is_asked_and_the_rest_is_kept() -> None:
    sides = (
        BASE.replace("a()", "first()").replace("c()", "mine()"),
        BASE.replace("e()", "two()").replace("c()", "yours()"),
        BASE.replace("class Pricing", "public class Pricing"),
    )
    _content, [conflict] = merged(undecided, *sides)
    assert words.sentence(KEY, conflict) == (
        "Apex class Pricing: Pricing.cls, line 5: team T1 says “mine();”, team T2 says “yours();”"
    )
    for pick, held in (("  mine();\n", "mine"), ("  yours();\n", "yours"), ("  c();\n", "c")):
        content, left = merged(lambda _found, pick=pick: digest_of(pick), *sides)  # type: ignore[misc]
        assert not left
        assert content.decode() == (
            f"public class Pricing {{\n\n  first();\n  b();\n  {held}();\n  d();\n  two();\n}}\n"
        )


def test_lines_that_two_sides_add_at_one_place_may_both_be_taken() -> None:
    sides = BASE.replace("}\n", "  mine();\n}\n"), BASE.replace("}\n", "  yours();\n}\n")
    _content, [conflict] = merged(undecided, *sides)
    assert (conflict.takes_all, words.place(conflict)) == (True, "Pricing.cls, after line 7")
    content, _left = merged(lambda _found: ALL, *sides)
    assert content.decode() == BASE.replace("}\n", "  mine();\n  yours();\n}\n")


def test_neighbouring_lines_that_different_sides_changed_may_all_be_taken() -> None:
    sides = BASE.replace("b()", "mine()"), BASE.replace("c()", "yours()")
    _content, [conflict] = merged(undecided, *sides)
    assert words.place(conflict) == "Pricing.cls, lines 4 to 5"
    assert words.says(conflict, conflict.sides[1].content) == "says “yours();”"
    content, _left = merged(lambda _found: ALL, *sides)
    assert content.decode() == BASE.replace("b()", "mine()").replace("c()", "yours()")


def test_line_beside_a_contested_one_is_kept_whoever_is_chosen() -> None:
    sides = (
        BASE.replace("c()", "mine()").replace("d()", "more()"),
        BASE.replace("c()", "yours()").replace("b()", "less()"),
    )
    _content, [conflict] = merged(undecided, *sides)
    content, _left = merged(lambda found: found.sides[0].digest, *sides)
    assert words.place(conflict) == "Pricing.cls, line 5"
    assert content.decode() == sides[0].replace("b()", "less()")


def test_lines_removed_here_and_changed_there_are_for_a_person() -> None:
    _content, [conflict] = merged(
        undecided, BASE.replace("  c();\n", ""), BASE.replace("c()", "other()")
    )
    assert words.sentence(KEY, conflict).endswith(
        "line 5: team T1 removes the lines, team T2 says “other();”"
    )
    assert not conflict.takes_all


@pytest.mark.parametrize("odd", [b"\xef\xbb\xbf", b"\r"])
def test_line_ends_and_marks_of_byte_order_of_one_side_are_no_change_of_every_line(
    odd: bytes,
) -> None:
    theirs = BASE.replace("e()", "two()").encode()
    theirs = theirs.replace(b"\n", b"\r\n") if odd == b"\r" else odd + theirs
    content, left = merged(undecided, BASE.replace("a()", "first()"), theirs)
    assert not left
    assert content.decode() == BASE.replace("a()", "first()").replace("e()", "two()")


def test_contents_without_lines_are_one_thing() -> None:
    _content, [conflict] = merged(undecided, b"\x89PNG\0one", b"\x89PNG\0two", base="\x89PNG\0")
    assert conflict.kind == Kind.FILE


def test_sides_that_differ_in_very_many_places_are_decided_as_wholes() -> None:
    base = "".join(f"{number};\nkept {number}\n" for number in range(60))
    _content, [conflict] = merged(
        undecided, base.replace(";", "; // one"), base.replace(";", "; // two"), base=base
    )
    assert conflict.kind == Kind.FILE


LINES = st.lists(st.integers(0, 6), min_size=8, max_size=8)


@given(LINES, LINES, LINES)
def test_what_one_side_alone_changed_is_kept_whatever_is_decided(
    one: list[int], two: list[int], three: list[int]
) -> None:
    """Lines are told apart by number; a run that one side alone changed is its own."""
    base = "".join(f"{place}=0\n" for place in range(8))
    sides = [
        "".join(f"{place}={said if said < 3 else 0}\n" for place, said in enumerate(side))
        for side in (one, two, three)
    ]
    content, _left = merged(lambda found: digest_of(found.sides[-1].content), *sides, base=base)
    assert not _left
    rows = [text.splitlines() for text in (base, *sides)]
    changers = [{side for side in (1, 2, 3) if rows[side][at] != rows[0][at]} for at in range(8)]
    at = 0
    while at < 8:
        end = next((place for place in range(at, 8) if not changers[place]), 8)
        who = set().union(*changers[at:end])
        if len(who) == 1:
            assert set(rows[who.pop()][at:end]) <= set(content.decode().splitlines())
        at = max(end, at + 1)
