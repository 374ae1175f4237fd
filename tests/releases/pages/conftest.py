"""A company at work, and people who look at its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.support.company import Company, found

Looks = Callable[[str], Client]


@pytest.fixture
def company(db: Any) -> Company:
    """Return the rows of a small company in the middle of its work."""
    return found()


@pytest.fixture
def as_person(company: Company) -> Looks:
    """Return a browser in which the named person is signed in, the password typed just now."""

    def look(name: str) -> Client:
        client = Client()
        client.force_login(company.people[name])
        return client

    return look
