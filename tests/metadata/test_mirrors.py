"""Mirrors of real repositories, and addresses that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ExternalFault, InvalidInput, NotFound
from metadata.history import commit
from metadata.locations import GitRules, check_location
from metadata.mirrors import GitCredential, Mirror
from tests.metadata.repositories import MANIFEST, PROJECT, Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with a branch, a light and an annotated tag."""
    made = Repo(tmp_path / "origin")
    made.commit({"sfdx-project.json": PROJECT}, "first\n\nChange: NWS-1")
    made.git("tag", "v1")
    made.commit({"a.txt": "1"}, "second\n\nCo-authored-by: Ben Okafor <ben@northwind.example>")
    made.git("tag", "-a", "v2", "-m", "two")
    made.git("branch", "feature/x", "v1")
    return made


def mirrored(tmp_path: Path, repo: Repo) -> Mirror:
    """A mirror that has fetched the repository."""
    mirror = Mirror(tmp_path / "mirror.git")
    mirror.fetch(str(repo.path), None, GitRules((), (tmp_path,)))
    return mirror


def test_refs_are_commits_also_behind_annotated_tags(tmp_path: Path, repo: Repo) -> None:
    refs = mirrored(tmp_path, repo).refs()
    head = repo.git("rev-parse", "main")
    assert refs.branches == {"main": head, "feature/x": repo.git("rev-parse", "v1")}
    assert refs.tags["v2"] == head


def test_commits_since_another_name_everybody(tmp_path: Path, repo: Repo) -> None:
    mirror = mirrored(tmp_path, repo)
    [newest] = mirror.commits("main", not_in=[mirror.resolve("v1")])
    assert newest.message.startswith("second")
    assert newest.co_authors == (("Ben Okafor", "ben@northwind.example"),)
    assert mirror.contributors("main") == {
        ("Dana Fox", "dana@northwind.example"),
        ("Build Bot", "bot@northwind.example"),
        ("Ben Okafor", "ben@northwind.example"),
    }


def test_fetch_sees_a_moved_tag_and_a_gone_branch(tmp_path: Path, repo: Repo) -> None:
    mirror = mirrored(tmp_path, repo)
    repo.git("tag", "-f", "v1", "main")
    repo.git("branch", "-D", "feature/x")
    mirror.fetch(str(repo.path), None, GitRules((), (tmp_path,)))
    refs = mirror.refs()
    assert refs.tags["v1"] == repo.git("rev-parse", "main")
    assert "feature/x" not in refs.branches


@pytest.mark.parametrize("name", ["nope", "-x", "v9", "main:a.txt"])
def test_unknown_ref_is_a_clear_refusal(tmp_path: Path, repo: Repo, name: str) -> None:
    with pytest.raises(NotFound) as refusal:
        mirrored(tmp_path, repo).resolve(name)
    assert refusal.value.code == "git.unknown_ref"


def test_address_without_a_repository_is_a_clear_refusal(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExternalFault) as refusal:
        Mirror(tmp_path / "m.git").fetch(str(tmp_path / "empty"), None, GitRules((), (tmp_path,)))
    assert refusal.value.code == "git.no_repository"
    assert not refusal.value.retryable


RULES = GitRules(("git.example.com", "git.example.com:8443"), (Path("/srv/git"),))


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "git.address"),
        ("-upload-pack=x", "git.address"),
        ("ext::sh -c id", "git.address"),
        ("git@evil.example:a/b.git", "git.host"),
        ("http://git.example.com/a.git", "git.protocol"),
        ("git://git.example.com/a.git", "git.protocol"),
        ("https://evil.example/a.git", "git.host"),
        ("https://git.example.com.evil.example/a.git", "git.host"),
        ("https://git.example.com:9/a.git", "git.host"),
        ("https://u:p@git.example.com/a.git", "git.secret_in_address"),
        ("https://tok@git.example.com/a.git", "git.secret_in_address"),
        ("/etc", "git.path"),
        ("/srv/git/../../etc", "git.path"),
        ("file:///srv/gitx/a", "git.path"),
        ("https://git.example.com/a\nb", "git.address"),
    ],
)
def test_address_outside_the_rules_is_refused(address: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_location(address, RULES)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.com/a.git",
        "https://git.example.com:8443/a.git",
        "ssh://git@git.example.com/a.git",
        "/srv/git/team.git",
    ],
)
def test_address_inside_the_rules_is_taken(address: str) -> None:
    assert check_location(address, RULES) == address


def test_credential_never_shows_its_secret() -> None:
    shown = repr(GitCredential("https_token", "u", "s3cret", ""))
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    ("files", "name", "directories"),
    [
        ({"sfdx-project.json": PROJECT}, "source", ("force-app",)),
        ({"src/package.xml": MANIFEST, "src/classes/A.cls": "x"}, "metadata", ("src",)),
        ({"package.xml": MANIFEST, "classes/A.cls": "x"}, "metadata", ("",)),
        ({"a/b/package.xml": MANIFEST, "a/b/classes/A.cls": "x"}, "metadata", ("a/b",)),
    ],
)
def test_layout_is_found(
    tmp_path: Path, files: dict[str, str], name: str, directories: tuple[str, ...]
) -> None:
    made = Repo(tmp_path / "r")
    layout = Mirror(made.path / ".git").format(made.commit(files))
    assert (layout.name, layout.directories) == (name, directories)


def test_history_commit_is_reproducible_and_builds_on_its_parent(tmp_path: Path) -> None:
    files = {"ApexClass/A/classes/A.cls": b"x", "Odd/ü name.xml": b"\x00\xff"}
    one = commit(tmp_path / "a.git", files, "R-1")
    assert commit(tmp_path / "b.git", files, "R-1") == one
    two = commit(tmp_path / "a.git", {"B": b"1"}, "R-2", one)
    mirror = Mirror(tmp_path / "a.git")
    assert list(mirror.tree(two)) == ["B"]
    assert [entry.message for entry in mirror.commits(two)] == ["R-2", "R-1"]
    assert mirror.bundle().startswith(b"# v2 git bundle")
