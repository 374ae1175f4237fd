"""Public projects as an org gives them back after they were put into it: no drift."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from metadata.components import ComponentKey
from metadata.mirrors import Mirror
from metadata.normal import NormalForm
from metadata.source import read_commit
from tests.metadata.differential import official
from tests.simulator.test_content import Scratch
from tests.simulator.test_round_trip import UNPLACED, held, put

WHY_NOT = "" if official.projects() else "GATEHOUSE_PROJECTS names no directory of repositories"
pytestmark = [
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "present"),
    pytest.mark.timeout(400),
]


@pytest.mark.parametrize("path", official.projects(), ids=lambda path: path.parent.name)
def test_project_comes_back_without_drift(path: Path, tmp_path: Path) -> None:
    mirror = Mirror(path)
    sha = official.head(mirror)
    if not sha:
        pytest.skip("the project has no main branch")
    if official.check_out(mirror, sha, tmp_path / "project"):
        mirror, sha = official.committed(tmp_path / "project", tmp_path / "whole.git")
    try:
        whole = read_commit(mirror, sha)
    except InvalidInput as refusal:
        pytest.skip(f"it is refused: {refusal.message}")
    form = NormalForm({key: whole[key] for key in whole if key.type not in UNPLACED})
    scratch = Scratch(tmp_path / "org")
    put(scratch, form)
    found = held(scratch, form)
    other: list[ComponentKey] = [
        key for key in form if found.component_digest(key) != form.component_digest(key)
    ]
    assert other == []
