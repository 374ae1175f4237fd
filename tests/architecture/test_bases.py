"""Rows that are written once for a module never reach a test that begins without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from governance.models import User
from tests.support import bases


def somebody() -> User:
    return User.objects.create(email="kept@example.com", full_name="Kept")


def others() -> User:
    return User.objects.create(email="other@example.com", full_name="Other")


def emails() -> list[str]:
    return list(User.objects.values_list("email", flat=True))


@pytest.fixture
def unblocked(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    with django_db_blocker.unblock():
        yield django_db_blocker


def test_kept_rows_are_there_until_the_end(unblocked: Any) -> None:
    with bases.kept(somebody, unblocked):
        assert emails() == ["kept@example.com"]
    assert emails() == []
    assert not connection.in_atomic_block


def test_other_rows_take_their_place(unblocked: Any) -> None:
    with bases.kept(somebody, unblocked):
        with bases.kept(others, unblocked):
            assert emails() == ["other@example.com"]
        assert emails() == []
    assert not connection.in_atomic_block


def test_rows_that_cannot_be_written_leave_nothing(unblocked: Any) -> None:
    def fails() -> None:
        somebody()
        raise RuntimeError

    with pytest.raises(RuntimeError), bases.kept(fails, unblocked):
        pass
    assert not connection.in_atomic_block
    assert emails() == []
