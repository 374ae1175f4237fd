"""Long tests begin first and a module's tests stay together (tests/support/order.py)."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support import bases
from tests.support.order import ALONE, arrange, unit
from tests.support.servers import ROOT


class Item:
    def __init__(self, nodeid: str, *fixtures: str, **marks: Any) -> None:
        self.nodeid = nodeid
        self.fixturenames = fixtures
        self.marks = {name: getattr(pytest.mark, name)(value).mark for name, value in marks.items()}

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self.marks.get(name)


def arranged(*items: Item) -> list[str]:
    found = cast(list[pytest.Item], list(items))
    arrange(found)
    return [item.nodeid for item in found]


def test_what_takes_long_begins_first_with_its_module() -> None:
    assert arranged(
        Item("c.py::one"),
        Item("a.py::one"),
        Item("b.py::quick"),
        Item("d.py::one", processes=None),
        Item("b.py::long", timeout=600),
    ) == ["b.py::quick", "b.py::long", "d.py::one", "c.py::one", "a.py::one"]


def test_a_module_that_was_torn_apart_is_together_again() -> None:
    """As pytest-django tears it: what needs a database, what commits, the rest."""
    torn = [Item("b.py::db"), Item("a.py::db"), Item("b.py::commits"), Item("a.py::pure")]
    assert arranged(*torn) == ["b.py::db", "b.py::commits", "a.py::db", "a.py::pure"]


def test_rows_that_a_module_keeps_come_after_everything_that_begins_without() -> None:
    """A test that commits, or that finds no rows, must not begin with them."""
    first, second = bases.FIXTURES
    mixed = [Item("a.py::1", first), Item("a.py::2"), Item("a.py::3", second), Item("a.py::4")]
    assert arranged(*mixed) == ["a.py::2", "a.py::4", "a.py::3", "a.py::1"]


def test_workers_share_modules_and_where_it_pays_tests() -> None:
    assert unit("tests/core/test_web.py::Test::test_a[1]") == "tests/core/test_web.py"
    for place in ALONE:
        assert (ROOT / place).exists()
        assert unit(f"{place}::test_a") == f"{place}::test_a"
