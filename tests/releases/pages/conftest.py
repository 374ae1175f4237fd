"""A company at work, and people who look at its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from core import clock
from governance import stepup
from tests.support import bases
from tests.support.company import Company, found

Looks = Callable[[str], Client]


@pytest.fixture(scope="module")
def founded(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Company]:
    """Write the company once for a module; every test then runs in a savepoint above it."""
    with bases.kept(found, django_db_blocker) as company:
        yield company


@pytest.fixture
def company(founded: Company, db: Any) -> Company:
    """Return the rows of a small company in the middle of its work, fresh for each test."""
    return deepcopy(founded)


@pytest.fixture
def as_person(company: Company) -> Looks:
    """Return a browser in which the named person is signed in, the password typed just now."""

    def look(name: str) -> Client:
        client = Client()
        client.force_login(company.people[name])
        session = client.session
        session[stepup.PROVED_AT] = int(clock.now().timestamp())
        session.save()
        return client

    return look
