"""Every promise that the product makes has a test named after its number."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "invariants"
PROMISED = (*range(1, 21), *range(27, 41))


def found() -> dict[int, list[str]]:
    """The names of the tests of each invariant, from the files themselves."""
    names: dict[int, list[str]] = defaultdict(list)
    for path in FOLDER.glob("test_i*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_i"):
                names[int(node.name[6:8])].append(node.name)
    return names


@pytest.mark.parametrize("number", PROMISED)
def test_invariant_has_a_test_of_its_number(number: int) -> None:
    assert found()[number]
