"""One git that answers many small questions, some of them begun before anybody wants the answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.errors import ExternalFault, InvalidInput
from metadata import delta, objects, sides, spawned
from metadata.components import ComponentKey
from metadata.convert.selection import Selection
from metadata.later import Later
from metadata.objects import Reader
from metadata.repository import Repository
from metadata.search import Listing
from tests.metadata.repositories import CLASS_META, PROJECT, Repo

FILES = {"sfdx-project.json": "{}", "small": "s", "large": "l" * 5_000, "last": "z"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit of four files."""
    made = Repo(tmp_path / "repo")
    made.commit(FILES)
    return made


@pytest.fixture
def reader(repo: Repo) -> Iterator[Reader]:
    """What answers in it."""
    with Repository(repo.path / ".git").session() as answering:
        yield answering


def blob(repo: Repo, name: str) -> str:
    """The object id of a file."""
    return repo.git("rev-parse", f"HEAD:{name}")


def test_what_was_begun_comes_in_the_order_asked_beside_other_questions(
    repo: Repo, reader: Reader
) -> None:
    small, large, last = (blob(repo, name) for name in ("small", "large", "last"))
    head = repo.git("rev-parse", "HEAD")
    reader.begin([large, small])
    assert reader.commits(["HEAD", "nobody"]) == [head, None]
    assert reader.find(head, "last") == b"z"
    assert reader.find(head, "nowhere") is None
    asked = [last, small, small, large, last]
    assert list(reader.contents(asked)) == [b"z", b"s", b"s", b"l" * 5_000, b"z"]


def test_a_lost_object_that_was_begun_is_told_to_who_wants_it(repo: Repo, reader: Reader) -> None:
    lost = "0" * 39 + "1"
    reader.begin([lost, blob(repo, "small")])
    assert list(reader.contents([blob(repo, "small")])) == [b"s"]
    with pytest.raises(ExternalFault) as fault:
        list(reader.contents([lost]))
    assert fault.value.code == "git.missing_object"


@pytest.mark.parametrize("begun", [["small", "large", "last"], []])
def test_a_file_too_large_is_told_behind_what_could_be_read(
    repo: Repo, reader: Reader, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metadata.objects.MAX_BLOB_BYTES", 1_000)
    reader.begin([blob(repo, name) for name in begun])
    contents = reader.contents([blob(repo, name) for name in ("small", "large", "last")])
    assert next(contents) == b"s"
    with pytest.raises(InvalidInput) as refusal:
        next(contents)
    assert refusal.value.code == "git.file_too_large"


def test_more_is_begun_than_a_pipe_holds(tmp_path: Path) -> None:
    big = Repo(tmp_path / "big")
    contents = [bytes([number]) * 400_000 for number in range(12)]
    big.commit({str(number): content for number, content in enumerate(contents)})
    blobs = [blob(big, str(number)) for number in range(12)]
    with Repository(big.path / ".git").session() as reader:
        reader.begin(blobs)
        assert list(reader.contents(blobs)) == contents


def test_the_first_questions_of_two_commits_are_written_before_anything_asks(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, old = os.fspath(repo.path / ".git"), repo.git("rev-parse", "HEAD")
    new = repo.commit({".forceignore": "**/x"})
    spawned.answering_ahead(path, old, new)
    asked: list[str] = []
    monkeypatch.setattr(Reader, "_ask", lambda _self, names: asked.extend(names))
    with Repository(path).session() as reader:
        assert reader.commits([old, new]) == [old, new]
        assert reader.find(new, "sfdx-project.json") == b"{}"
        assert reader.find(new, "force-app/.forceignore") is None
        assert (reader.find(old, ".forceignore"), reader.find(new, ".forceignore")) == (
            None,
            b"**/x",
        )
    assert not asked


def test_the_signals_that_python_ignores_are_those_of_this_machine() -> None:
    import signal

    assert set(spawned.HARMLESS) == {signal.SIGPIPE, signal.SIGXFSZ}


def test_the_newer_commit_is_searched_while_git_still_compares(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = "force-app/main/default/classes"
    meta = f"{classes}/A.cls-meta.xml"
    old = repo.commit({"sfdx-project.json": PROJECT, f"{classes}/A.cls": "", meta: CLASS_META})
    new = repo.commit({".forceignore": "**/*.cls*"})
    searched = threading.Event()
    usual = Selection.out

    def out(selection: Selection, listing: Listing) -> set[str]:
        found = usual(selection, listing)
        searched.set()
        return found

    monkeypatch.setattr(Selection, "out", out)
    repository = Repository(repo.path / ".git")
    asked = objects.comparison(repository.run, old, new)
    late = Later(lambda: (searched.wait(20), asked.changes.result())[1])
    begun = time.monotonic()
    with repository.session():
        found = delta.of_pair(sides.opened(repository, asked._replace(changes=late)))
    assert found.removed == (ComponentKey("ApexClass", "A"),)
    assert time.monotonic() - begun < 15


def test_a_delta_begins_the_files_with_children_that_differ_and_no_others(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "force-app/main/default"
    labels, alike = f"{base}/labels/A.labels-meta.xml", f"{base}/workflows/A.workflow-meta.xml"
    meta = f"{base}/classes/A.cls-meta.xml"
    same = {"sfdx-project.json": PROJECT, alike: "<Workflow/>", f"{base}/classes/A.cls": ""}
    text = "<CustomLabels><labels><fullName>{}</fullName></labels></CustomLabels>"
    old = repo.commit({**same, labels: text.format("Old"), meta: CLASS_META})
    new = repo.commit({labels: text.format("New"), meta: f"{CLASS_META}\n"})
    begun: list[str] = []
    usual = Reader.begin

    def begin(reader: Reader, blobs: Sequence[str]) -> None:
        begun.extend(blobs)
        usual(reader, blobs)

    monkeypatch.setattr(Reader, "begin", begin)
    found = delta.between(Repository(repo.path / ".git"), old, new)
    assert ComponentKey("CustomLabel", "New") in found.changed
    assert sorted(begun) == sorted(repo.git("rev-parse", f"{sha}:{labels}") for sha in (old, new))
