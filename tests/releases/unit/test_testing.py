"""Which tests a deployment runs: never fewer than the policy asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.policy import SPECIFIED, TEST_LEVELS, meets
from releases.rules.testing import CLASS_NAME, Selection, Wanted

NAMES = st.lists(st.sampled_from(["ATest", "atest", "BTest", "CTest"]), max_size=3)
LEVELS = st.sampled_from(list(TEST_LEVELS))
WANTED = st.builds(
    Wanted,
    proposed=NAMES.map(tuple),
    level=st.sampled_from(["", *TEST_LEVELS]),
    added=NAMES.map(tuple),
    removed=NAMES.map(tuple),
)


@given(wanted=WANTED, asked=LEVELS)
def test_never_less_than_the_policy_asks_and_never_a_level_without_names(
    wanted: Wanted, asked: str
) -> None:
    runs = wanted.settled(asked)
    assert meets(runs.level, asked)
    assert bool(runs.names) == (runs.level == SPECIFIED)
    assert not runs.short_of(asked)
    if runs.level == asked == SPECIFIED:
        assert {name.lower() for name in wanted.proposed} <= {name.lower() for name in runs.names}


@given(first=LEVELS, second=LEVELS, third=LEVELS)
def test_order_of_the_levels_is_one(first: str, second: str, third: str) -> None:
    assert meets(first, second) or meets(second, first)
    assert not (meets(first, second) and meets(second, first)) or first == second
    assert not (meets(first, second) and meets(second, third)) or meets(first, third)


@pytest.mark.parametrize(
    ("wanted", "asked", "sentence"),
    [
        (Wanted(("BTest", "ATest")), "RunLocalTests", "Runs all tests except those of installed"),
        (Wanted(("BTest", "ATest")), SPECIFIED, "Runs 2 tests: ATest, BTest"),
        (Wanted(("ATest",), added=("atest",)), SPECIFIED, "Runs 1 test: ATest"),
        (Wanted(("ATest",), removed=("ATest",)), SPECIFIED, "Runs 1 test: ATest"),
        (Wanted(("ATest", "BTest"), SPECIFIED, removed=("atest",)), "NoTestRun", "1 test: BTest"),
        (Wanted(), SPECIFIED, "Runs all tests except"),
        (Wanted(("ATest",), "NoTestRun"), SPECIFIED, "Runs 1 test"),
        (Wanted(("ATest",), "RunAllTestsInOrg"), SPECIFIED, "Runs all tests, also those of"),
        (Wanted(), "NoTestRun", "Runs no tests"),
        (Wanted(tuple(f"T{n:02}Test" for n in range(12))), SPECIFIED, "T09Test and 2 more"),
    ],
)
def test_what_runs_is_said(wanted: Wanted, asked: str, sentence: str) -> None:
    assert sentence in wanted.settled(asked).sentence()


@pytest.mark.parametrize(
    ("runs", "asked", "short"),
    [
        (Selection("NoTestRun"), SPECIFIED, "runs NoTestRun"),
        (Selection(""), "NoTestRun", "plan it again"),
        (Selection(SPECIFIED), SPECIFIED, "names no test"),
        (Selection(SPECIFIED, ("ATest",)), "RunLocalTests", "asks for RunLocalTests"),
        (Selection("RunAllTestsInOrg"), "RunLocalTests", ""),
    ],
)
def test_a_plan_with_too_few_tests_is_told(runs: Selection, asked: str, short: str) -> None:
    said = runs.short_of(asked)
    assert short in said
    assert bool(said) == bool(short)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("PricingTest", True), ("ns.PricingTest", True), ("a b", False), ("", False), ("A;B", False)],
)
def test_names_of_classes(name: str, is_one: bool) -> None:
    assert bool(CLASS_NAME.fullmatch(name)) == is_one
