"""Names that look the same are the same, and none turns the direction of what follows."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.names import UNSEEN, plain, unseen_before

LOOK_ALIKES = (
    "Produc\u200btion",
    "Production\u200d",
    "\ufeffProduction",
    "\u202eProduction\u202c",
    "Pro\u00adduction",
    "  Production\u3164",
    "Production\ufe0f",
    "Production\u2800",
    "\u2066Production\u2069",
    "Production\x00\x1b",
    "\U000e0041Production",
    "\u2003Production\u00a0",
)


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_a_name_with_what_nobody_sees_is_the_name_without_it(text: str) -> None:
    assert plain(text) == "Production"


@pytest.mark.parametrize("text", ["Inês Tomás", "Łódź", "東京 本番", "Παραγωγή", "Prod (EU) · 2"])
def test_names_of_every_script_stay_as_they_are(text: str) -> None:
    assert plain(text) == text


def test_a_letter_is_written_in_one_way() -> None:
    assert plain("Ine\u0302s") == "In\u00eas"


@given(st.text())
def test_what_is_left_is_seen_and_stays(text: str) -> None:
    name = plain(text)
    assert not [sign for sign in name if unicodedata.category(sign) in UNSEEN]
    assert plain(name) == name
    assert not name or unseen_before(name) == 0
