"""New commits for the demo: what a newcomer pushes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.content import commits
from demo.content.next_work import PLANS
from demo.content.people import TEAMS
from demo.content.repositories import STORIES, build, git
from metadata.components import ComponentKey
from metadata.mirrors import Mirror
from metadata.source import read_commit


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    build(tmp_path)
    return tmp_path


def _is_sound(root: Path, team: str) -> bool:
    names = git(root / f"{team}.git", "ls-tree", "-r", "--name-only", "main").splitlines()
    texts = [
        git(root / f"{team}.git", "show", f"main:{name}") for name in names if name.endswith(".cls")
    ]
    return all(text.count("{") == text.count("}") for text in texts)


@pytest.mark.parametrize("team", ["sales", "loyalty"])
def test_commit_adds_a_class_and_its_test(repositories: Path, team: str) -> None:
    pushed = commits.push(repositories, team)

    mirror = Mirror(repositories / f"{team}.git")
    form = read_commit(mirror, pushed.sha)
    name = PLANS[team].works[0].name
    assert {ComponentKey("ApexClass", name), ComponentKey("ApexClass", f"{name}Test")} <= set(form)
    assert len(pushed.paths) == 4


def test_first_commit_of_the_service_team_mends_its_broken_class(repositories: Path) -> None:
    assert not _is_sound(repositories, "service")

    pushed = commits.push(repositories, "service")

    assert pushed.paths == ("src/classes/ServiceLevel.cls",)
    assert _is_sound(repositories, "service")


def test_metadata_format_names_the_new_classes_in_its_manifest(repositories: Path) -> None:
    commits.push(repositories, "service")
    pushed = commits.push(repositories, "service")

    manifest = git(repositories / "service.git", "show", f"{pushed.sha}:src/package.xml")
    assert "<members>GoodwillCredit</members>" in manifest
    assert "<members>GoodwillCreditTest</members>" in manifest


def test_broken_commit_does_not_compile_and_the_next_one_mends_it(repositories: Path) -> None:
    broken = commits.push(repositories, "sales", broken=True)
    assert not _is_sound(repositories, "sales")

    mended = commits.push(repositories, "sales")

    assert _is_sound(repositories, "sales")
    assert set(mended.paths) < set(broken.paths)


def test_message_is_the_one_given(repositories: Path) -> None:
    pushed = commits.push(repositories, "sales", message="Reward early birds")

    head = git(
        repositories / "sales.git", "log", "-1", "--format=%s%n%(trailers:key=Change)", "main"
    )
    assert pushed.message == "Reward early birds"
    assert head.startswith("Reward early birds\nChange: NWS-")


def test_author_is_a_developer_of_the_team(repositories: Path) -> None:
    pushed = commits.push(repositories, "loyalty")

    assert pushed.author in TEAMS["loyalty"]
    assert "team_lead" not in pushed.author.roles


def test_work_items_are_counted_on(repositories: Path) -> None:
    for _ in range(3):
        commits.push(repositories, "sales")

    keys = git(
        repositories / "sales.git", "log", "-3", "--format=%(trailers:key=Change,valueonly)", "main"
    ).split()
    assert len(set(keys)) == 3


def test_every_planned_work_can_be_committed_and_then_nothing_is_left(repositories: Path) -> None:
    for team, plan in PLANS.items():
        rounds = len(plan.works) + (1 if not STORIES[team].is_source else 0)
        for _ in range(rounds):
            commits.push(repositories, team)
        with pytest.raises(commits.NothingLeft, match="has done all its planned work"):
            commits.push(repositories, team)
        assert _is_sound(repositories, team)


def test_missing_repository_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(commits.NoRepository, match=r"Start \./script/server once"):
        commits.push(tmp_path, "sales")
