"""Record ids and their checksum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import ids


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("00D000000000062", "00D000000000062EAA"),
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("005000000000000", "005000000000000AAA"),
    ],
)
def test_checksum_is_that_of_the_platform(short: str, long: str) -> None:
    assert ids.with_checksum(short) == long


@given(st.integers(min_value=0, max_value=62**9))
def test_numbered_ids_are_valid_and_distinct(number: int) -> None:
    made = ids.numbered("00D", number)
    assert ids.is_valid(made)
    assert len(made) == 18
    assert made != ids.numbered("00D", number + 1)


@given(st.text("abcXYZ019", min_size=15, max_size=15), st.integers(0, 14))
def test_a_changed_case_breaks_the_checksum(short: str, place: int) -> None:
    long = ids.with_checksum(short)
    swapped = long[:place] + long[place].swapcase() + long[place + 1 :]
    assert ids.is_valid(swapped) == (swapped == long)


def test_an_id_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="15 characters"):
        ids.with_checksum("00D")
