"""Every promise that the product makes has a test named after its number."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
NAME = re.compile(r"test_i(\d\d)_")
PROMISED = (*range(1, 21), *range(27, 41))


@cache
def found() -> dict[int, list[str]]:
    """The names of the tests of each invariant, from the files themselves."""
    names: dict[int, list[str]] = defaultdict(list)
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (named := NAME.match(node.name)):
                names[int(named[1])].append(node.name)
    return names


@pytest.mark.parametrize("number", PROMISED)
def test_invariant_has_a_test_of_its_number(number: int) -> None:
    assert found()[number]
