"""Lengths of time in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.durations import spell, spell_progress, spell_short


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (220, "3 min 40 s"),
        (3_600, "1 h"),
        (3_601, "1 h"),
        (4_500, "1 h 15 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (86_400 + 59 * 60, "1 d"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_length_is_told_in_its_two_largest_neighbouring_units(seconds: float, words: str) -> None:
    assert spell(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (2_399, "39 min"), (86_399, "23 h"), (604_800, "7 d")]
)
def test_a_short_length_has_one_unit_and_is_never_rounded_up(seconds: float, words: str) -> None:
    assert spell_short(seconds) == words


@pytest.mark.parametrize(
    ("elapsed", "expected", "words"),
    [
        (740, 2_280, "12 of ~38 min"),
        (40, 190, "40 s of ~3 min"),
        (40, None, "40 s"),
        (40, 0, "40 s"),
        (4_500, 2_280, "1 h of ~38 min"),
        (7_300, 3_700, "2 of ~1 h"),
    ],
)
def test_progress_names_the_usual_length_when_it_is_known(
    elapsed: float, expected: float | None, words: str
) -> None:
    assert spell_progress(elapsed, expected) == words


@given(st.floats(0, 10**9))
def test_no_length_is_ever_overstated(seconds: float) -> None:
    sizes = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    parts = spell(seconds).split(" ")
    told = sum(int(n) * sizes[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))
    assert told <= seconds < told + max(told, 60) * 1.05 + 60
