"""The teams' repositories are what a newcomer expects of a team's repository."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from demo.content.people import EVERYBODY
from demo.content.repositories import STORIES, build, git
from tests.demo.conftest import TODAY

TEAMS = sorted(STORIES)
TAGS = {
    "sales": ["v4.0.0", "v4.1.0", "v4.2.0", "v4.3.0"],
    "service": ["v1.8.0", "v1.9.0", "v1.10.0", "v1.11.0"],
    "loyalty": ["v0.6.0", "v0.7.0", "v0.8.0"],
}


@pytest.mark.parametrize("team", TEAMS)
def test_repository_is_sound(built: dict[str, Path], team: str) -> None:
    assert git(built[team], "fsck", "--strict") == ""


@pytest.mark.parametrize("team", TEAMS)
def test_tags_follow_each_other_on_main(built: dict[str, Path], team: str) -> None:
    on_main = git(built[team], "tag", "--merged", "main", "--sort=creatordate").split()

    assert on_main == TAGS[team]


@pytest.mark.parametrize("team", TEAMS)
def test_work_was_merged_from_branches_named_after_work_items(
    built: dict[str, Path], team: str
) -> None:
    merges = git(built[team], "log", "--merges", "--format=%s", "main").splitlines()

    assert merges
    assert all(re.fullmatch(r"Merge branch 'feature/[A-Z]+-\d+-[a-z-]+'", line) for line in merges)


@pytest.mark.parametrize("team", TEAMS)
def test_merged_branches_are_gone_and_open_ones_are_not_on_main(
    built: dict[str, Path], team: str
) -> None:
    everything = git(built[team], "branch", "--format=%(refname:short)").split()
    merged = git(built[team], "branch", "--merged", "main", "--format=%(refname:short)").split()

    assert merged == ["main"]
    assert all(re.fullmatch(r"feature/[A-Z]+-\d+-[a-z-]+", name) for name in everything[:-1])


@pytest.mark.parametrize("team", TEAMS)
def test_every_ordinary_commit_names_its_work_item(built: dict[str, Path], team: str) -> None:
    keys = git(
        built[team], "log", "--no-merges", "--all", "--format=%(trailers:key=Change,valueonly)"
    )

    assert all(re.fullmatch(r"NW[SCL]-\d+", key) for key in keys.split())
    count = int(git(built[team], "rev-list", "--count", "--no-merges", "--all"))
    assert len(keys.split()) == count


@pytest.mark.parametrize("team", TEAMS)
def test_authors_are_people_of_the_demo(built: dict[str, Path], team: str) -> None:
    known = {email for person in EVERYBODY for email in (person.email, *person.others)}
    authors = git(built[team], "log", "--all", "--format=%ae%n%ce").split()

    assert set(authors) <= known


@pytest.mark.parametrize("team", TEAMS)
def test_history_ends_shortly_before_the_day_of_the_build(
    built: dict[str, Path], team: str
) -> None:
    moments = git(built[team], "log", "--all", "--format=%cI").split()
    newest = max(datetime.fromisoformat(moment) for moment in moments)

    assert TODAY - timedelta(days=2) < newest <= TODAY


@pytest.mark.parametrize("team", TEAMS)
def test_history_goes_forward_in_time(built: dict[str, Path], team: str) -> None:
    stamps = git(built[team], "log", "--first-parent", "--format=%ct", "main").split()

    assert stamps == sorted(stamps, key=int, reverse=True)


@pytest.mark.parametrize("team", TEAMS)
def test_repository_has_a_believable_size(built: dict[str, Path], team: str) -> None:
    files = git(built[team], "ls-tree", "-r", "--name-only", "main").splitlines()

    assert 50 <= len(files) <= 150


def test_two_teams_use_source_format_and_one_metadata_format(built: dict[str, Path]) -> None:
    roots = {
        team: git(path, "ls-tree", "--name-only", "main").split() for team, path in built.items()
    }

    assert [team for team in TEAMS if "sfdx-project.json" in roots[team]] == ["loyalty", "sales"]
    assert git(built["service"], "cat-file", "-t", "main:src/package.xml").strip() == "blob"


def test_second_build_leaves_repositories_as_they_are(tmp_path: Path) -> None:
    first = build(tmp_path, TODAY)
    git(first["sales"], "tag", "mine", "main")
    build(tmp_path, TODAY + timedelta(days=1))

    assert "mine" in git(first["sales"], "tag").split()


def test_equal_days_give_equal_commits(built: dict[str, Path], tmp_path: Path) -> None:
    again = build(tmp_path, TODAY)

    assert {team: _heads(path) for team, path in again.items()} == {
        team: _heads(path) for team, path in built.items()
    }


def _heads(path: Path) -> str:
    return hashlib.sha256(git(path, "show-ref").encode()).hexdigest()
