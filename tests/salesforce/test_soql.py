from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce import soql


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("O'Brien", r"'O\'Brien'"),
        ("a\\b", r"'a\\b'"),
        ("two\nlines", r"'two\nlines'"),
        (True, "true"),
        (None, "null"),
        (7, "7"),
        (2.5, "2.5"),
        (date(2026, 10, 20), "2026-10-20"),
        (datetime(2026, 10, 20, 15, 31, 2, 500_000, tzinfo=UTC), "2026-10-20T15:31:02.500Z"),
        (
            datetime(2026, 10, 20, 17, 31, tzinfo=timezone(timedelta(hours=2))),
            "2026-10-20T15:31:00.000Z",
        ),
        (["a", "b'"], r"('a', 'b\'')"),
    ],
)
def test_a_value_is_written_as_a_literal(value: soql.Value, written: str) -> None:
    assert soql.literal(value) == written


@given(st.text())
def test_no_text_leaves_its_literal(text: str) -> None:
    inner = soql.literal(text)[1:-1]
    bare = inner.replace("\\\\", "").replace("\\'", "").replace('\\"', "")
    assert "'" not in bare
    assert not bare.endswith("\\")


def test_values_are_bound_by_name() -> None:
    bound = soql.bind(
        "SELECT Id FROM User WHERE Name = {name} AND IsActive = {on}", name="x'", on=True
    )
    assert bound == r"SELECT Id FROM User WHERE Name = 'x\'' AND IsActive = true"


@pytest.mark.parametrize("template", ["{name!r}", "{name:>20}", "{name.real}"])
def test_a_template_takes_plain_fields_only(template: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        soql.bind(template, name="x")


def test_a_naive_time_and_an_empty_list_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        soql.literal(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="at least one"):
        soql.literal([])
