import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from salesforce import ids

SHORT = st.text("ABCXYZabcxyz0189", min_size=15, max_size=15)


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        # Published pairs of Salesforce's documentation and of well-known articles.
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("00D000000000062", "00D000000000062EAA"),
        ("005A0000000abcd", "005A0000000abcdIAA"),
    ],
)
def test_a_short_id_gets_its_checksum(short: str, whole: str) -> None:
    assert ids.long_id(short) == whole


@given(SHORT)
def test_a_long_id_stays_and_its_case_is_checked(short: str) -> None:
    whole = ids.long_id(short)
    assert ids.long_id(whole) == whole
    assert ids.is_id(whole)
    swapped = short.swapcase()
    if swapped != short:
        assert not ids.is_id(swapped + whole[15:])


@given(st.text(max_size=20))
def test_any_other_text_is_refused_or_an_id(text: str) -> None:
    if ids.is_id(text):
        assert len(ids.long_id(text)) == 18
    else:
        with pytest.raises(InvalidInput) as refused:
            ids.long_id(text)
        assert refused.value.code == "id.malformed"


def test_only_an_organization_id_is_one() -> None:
    assert ids.organization_id(" 00D000000000062 ") == "00D000000000062EAA"
    with pytest.raises(InvalidInput) as refused:
        ids.organization_id("001A0000006Vm9r")
    assert refused.value.code == "id.not_an_organization"
