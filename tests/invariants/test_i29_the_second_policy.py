"""I-29: who is asked besides the ordinary: people of a second policy, and of marks."""

from __future__ import annotations

import pytest

from tests.support.company import Company
from tests.support.company.house import POLICY
from tests.support.cover import asked, refusal

pytestmark = pytest.mark.django_db


def test_i29_the_floor_counts_for_the_second_policy(company: Company) -> None:
    three = [{"number": 3, "roles": ["board_member"], "team": None, "when": "always"}]
    case = asked(company, "ana", "ben", also_body={**POLICY, "approvals": three})
    short = "too few of the people whom the second policy asks approved it"
    assert refusal(case.write) == short
    case.decide("jonas")
    assert refusal(case.write) == ""
