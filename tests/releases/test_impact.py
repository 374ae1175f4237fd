"""What a change means for rights and for records is said in words, and never left blank."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from releases.rules import impact


@dataclass(frozen=True)
class Row:
    """One component that differs from production."""

    type: str
    name: str = "X"
    is_new: bool = False


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "No changed component holds records or writes them by itself."),
        ([Row("CustomLabel")], "No changed component holds records or writes them by itself."),
        (
            [Row("CustomField"), Row("CustomField", is_new=True), Row("CustomField", "Y", True)],
            "Alters what existing records may hold: 1 field. Adds 2 fields.",
        ),
        ([Row("Flow", is_new=True)], "May write records by itself: 1 flow."),
    ],
)
def test_what_it_means_for_records(rows: list[Row], said: str) -> None:
    assert impact.data(rows) == said


def test_what_it_means_for_rights() -> None:
    assert impact.security([Row("Flow")]).startswith("No changed component decides")
    assert impact.security([Row("Profile", "Admin"), Row("Flow")]) == (
        "1 changed component decides who may see or do what: Profile Admin."
    )
    many = [Row("PermissionSet", f"P{number}") for number in range(12)]
    assert impact.security(many).endswith("PermissionSet P9 and 2 more.")
