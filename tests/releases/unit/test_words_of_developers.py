"""Version numbers and work item keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.rules import changes, versions


@pytest.mark.parametrize(
    ("last", "bump", "expected"),
    [
        (None, "patch", "1.0.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "major", "2.0.0"),
        ("1.9.9", "patch", "1.9.10"),
    ],
)
def test_following_version(last: str | None, bump: str, expected: str) -> None:
    assert versions.following(last, bump) == expected


@given(
    st.tuples(*[st.integers(min_value=0, max_value=10**6)] * 3),
    st.sampled_from(["major", "minor", "patch"]),
)
def test_following_version_is_always_newer(numbers: tuple[int, int, int], bump: str) -> None:
    text = ".".join(map(str, numbers))
    assert versions.parse(versions.following(text, bump)) > numbers


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        ("NWS-12 Add region", ["NWS-12"]),
        ("Add region\n\nChange: NWS-12", ["NWS-12"]),
        ("ABC-1 x\n\nTicket: NWS-12, NWS-13", ["NWS-12", "NWS-13", "ABC-1"]),
        ("Merge branch 'feature/SVC-77-reopen' into main", ["SVC-77"]),
        ("Add region\n\nmentions NWS-12 in prose", []),
        ("sha-1 and utf-8 are not keys", []),
        ("UTF-8 looks like one", ["UTF-8"]),
        ("", []),
    ],
)
def test_keys_named_by_a_commit_message(message: str, keys: list[str]) -> None:
    assert changes.keys(message) == keys
