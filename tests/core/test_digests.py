"""Canonical bytes: equal content has equal bytes, different content has not."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.digests import (
    PATTERN,
    canonical_json,
    digest_json,
    listing_digest,
    sha256_text,
    short,
)
from governance.states import Role

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
PATH = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), min_size=1)
ENTRY = st.tuples(
    PATH, st.integers(0, 10**9), st.binary(max_size=8).map(lambda b: hashlib.sha256(b).hexdigest())
)


def test_canonical_json_sorts_keys_and_leaves_no_blanks() -> None:
    value = {"b": [1, True, None], "a": {"ü": "x y"}}
    assert canonical_json(value) == '{"a":{"ü":"x y"},"b":[1,true,null]}'.encode()


def test_canonical_json_writes_moments_in_utc_with_z() -> None:
    berlin = timezone(timedelta(hours=2))
    moment = datetime(2026, 10, 20, 17, 31, tzinfo=berlin)
    assert canonical_json([moment, date(2026, 1, 2)]) == b'["2026-10-20T15:31:00Z","2026-01-02"]'


def test_canonical_json_writes_enums_ids_tuples_and_sets_plainly() -> None:
    value = (Role.ADMIN, UUID(int=1), {3, 1, 2})
    assert canonical_json(value) == b'["admin","00000000-0000-0000-0000-000000000001",[1,2,3]]'


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), b"bytes", object(), {1: "key is not text"}, {"deep": [1.0]}],
    ids=["float", "nan", "bytes", "object", "key", "deep"],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical_json(value)


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        canonical_json(datetime(2026, 1, 1))  # noqa: DTZ001


@given(JSON)
def test_canonical_json_reads_back_as_the_same_value(value: object) -> None:
    try:
        written = canonical_json(value)
    except UnicodeEncodeError:
        return  # half a surrogate pair is not text
    assert json.loads(written) == value
    assert canonical_json(json.loads(written)) == written


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), max_size=6)
)
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert digest_json(value) == digest_json(dict(reversed(value.items())))


def test_a_listing_is_path_size_and_hash_in_byte_order_of_the_path() -> None:
    empty = hashlib.sha256(b"").hexdigest()
    listing = f"B\0{7}\0{empty}\na\0{0}\0{empty}\né\0{1}\0{empty}\n"
    entries = [("é", 1, empty), ("a", 0, empty), ("B", 7, empty)]
    assert listing_digest(entries) == sha256_text(listing.encode())


@given(st.lists(ENTRY, unique_by=lambda entry: entry[0], max_size=8), st.randoms())
def test_the_order_of_files_does_not_matter(
    entries: list[tuple[str, int, str]], random: object
) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert listing_digest(entries) == listing_digest(shuffled)


@given(st.lists(ENTRY, unique_by=lambda entry: entry[0], min_size=1, max_size=5), st.data())
def test_any_changed_file_changes_the_listing(
    entries: list[tuple[str, int, str]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    path, size, hexsha = entries[place]
    other = "0" * 64 if hexsha != "0" * 64 else "1" * 64
    for changed in ((path + "x", size, hexsha), (path, size + 1, hexsha), (path, size, other)):
        if any(changed[0] == entry[0] for entry in entries if entry[0] != path):
            continue
        assert listing_digest([*entries[:place], changed, *entries[place + 1 :]]) != listing_digest(
            entries
        )


@pytest.mark.parametrize("path", ["a\0b", "a\nb"])
def test_a_path_that_would_blur_the_listing_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="may not contain"):
        listing_digest([(path, 1, "0" * 64)])


def test_the_same_path_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        listing_digest([("a", 1, "0" * 64), ("a", 2, "1" * 64)])


def test_a_digest_names_its_algorithm_and_shortens_to_seven() -> None:
    digest = sha256_text(b"")
    assert PATTERN.fullmatch(digest)
    assert short(digest) == "e3b0c44"
    assert short(digest.removeprefix("sha256:")) == "e3b0c44"


def test_moments_keep_their_microseconds() -> None:
    moment = datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC)
    assert canonical_json(moment) == b'"2026-01-01T00:00:00.000005Z"'
