"""``python -m metadata``: convert, delta and merge for teams' own CI."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import ExternalFault, InvalidInput
from metadata import held
from metadata.commands import main
from metadata.repository import Repository
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT, Repo, field
from tests.support.servers import ROOT

FIELDS = f"{BASE}/objects/Account/fields"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Two commits: a class and a field; then another field, and the class is gone."""
    made = Repo(tmp_path / "repo")
    made.commit(
        {
            "sfdx-project.json": PROJECT,
            f"{BASE}/classes/Foo.cls": "public class Foo {}",
            f"{BASE}/classes/Foo.cls-meta.xml": CLASS_META,
            f"{FIELDS}/Old__c.field-meta.xml": field("Old__c"),
        }
    )
    made.commit(
        {
            f"{BASE}/classes/Foo.cls": None,
            f"{BASE}/classes/Foo.cls-meta.xml": None,
            f"{FIELDS}/New__c.field-meta.xml": field("New__c"),
        }
    )
    return made


def metadata(
    *arguments: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a CI job does."""
    command = [sys.executable, "-m", "metadata", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


PLACES = (
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "America/New_York", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "99"},
)


def test_commit_gives_the_same_bytes_in_every_place(repo: Repo, tmp_path: Path) -> None:
    archive = f"{BASE}/staticresources"
    meta = f"<StaticResource {NS}><contentType>application/zip</contentType></StaticResource>"
    many = {f"{archive}/Many/{n}ı.txt": f"İ {n}\n" * 9 for n in range(9)}
    repo.commit({**many, f"{archive}/Many.resource-meta.xml": f"{HEAD}{meta}"})
    made = []
    for number, place in enumerate(PLACES):
        target = tmp_path / f"{number}.zip"
        done = metadata(
            "convert", "--repo", repo.path, "--commit", "HEAD", "--output", target, env=place
        )
        assert done.returncode == 0, done.stderr
        made.append(target.read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("commit", ["HEAD~1", "main^"])
def test_convert_writes_the_package_of_a_commit(repo: Repo, tmp_path: Path, commit: str) -> None:
    target = tmp_path / "out.zip"
    done = metadata("convert", "--repo", repo.path, "--commit", commit, "--output", target)
    assert (done.returncode, done.stderr) == (0, "")
    names = sorted(zipfile.ZipFile(target).namelist())
    assert names == [
        "classes/Foo.cls",
        "classes/Foo.cls-meta.xml",
        "objects/Account.object",
        "package.xml",
    ]


def test_delta_writes_what_changed_and_what_is_gone(repo: Repo, tmp_path: Path) -> None:
    target = tmp_path / "delta"
    done = metadata(
        "delta", "--repo", repo.path, "--from", "HEAD~1", "--to", "HEAD", "--output", target
    )
    assert done.returncode == 0, done.stderr
    changes = (target / "package" / "package.xml").read_text()
    assert "<members>Account.New__c</members>" in changes
    assert "Old__c" not in changes
    gone = (target / "destructiveChanges" / "destructiveChanges.xml").read_text()
    assert "<members>Foo</members>" in gone
    assert "Foo" not in changes
    packed = zipfile.ZipFile(target / "changes.zip").read("objects/Account.object").decode()
    assert "New__c" in packed
    assert "Old__c" not in packed


def test_full_ids_tags_and_short_ids_name_the_same_delta(repo: Repo, tmp_path: Path) -> None:
    """What git begins with before the arguments are read changes no outcome."""
    old, new = repo.git("rev-parse", "HEAD~1"), repo.git("rev-parse", "HEAD")
    repo.git("tag", "-a", "-m", "one", "one", old)
    made = []
    for number, name in enumerate((old, repo.git("rev-parse", "one"), "one", old[:12])):
        target = tmp_path / str(number)
        done = metadata(
            "delta", "--repo", repo.path, "--from", name, "--to", new, "--output", target
        )
        assert (done.returncode, done.stderr) == (0, "")
        files = [file for file in target.rglob("*.*") if file.is_file()]
        made.append({file.relative_to(target): file.read_bytes() for file in files})
    assert all(files == made[0] for files in made)
    assert b"New__c" in made[0][Path("package/package.xml")]


@pytest.mark.parametrize("unknown", ["f" * 40, "nowhere", "HEAD~99"])
def test_what_is_no_commit_is_refused_by_name(repo: Repo, tmp_path: Path, unknown: str) -> None:
    tree = repo.git("rev-parse", "HEAD^{tree}")
    for name in (unknown, tree):
        at = ("--repo", repo.path, "--from", name, "--to", repo.git("rev-parse", "HEAD"))
        done = metadata("delta", *at, "--output", tmp_path / "d")
        assert done.returncode == 2
        assert done.stderr == f"The repository has no commit “{name}”.\n"


def test_a_broken_repository_is_told(repo: Repo, tmp_path: Path) -> None:
    full = repo.git("rev-parse", "HEAD")
    (tmp_path / "HEAD").write_text("nothing")
    for names in ((full, full), ("HEAD~1", "HEAD")):
        at = ("--repo", tmp_path, "--from", names[0], "--to", names[1])
        done = metadata("delta", *at, "--output", tmp_path / "d")
        assert done.returncode == 3
        assert "not a git repository" in done.stderr


def test_delta_from_what_a_target_holds_cannot_be_narrowed(repo: Repo, tmp_path: Path) -> None:
    at = ("--repo", repo.path, "--base", tmp_path / "x", "--to", "HEAD", "--output", tmp_path / "d")
    done = metadata("delta", *at, "--package-dir", "force-app")
    assert done.returncode == 2
    assert "--base and --package-dir exclude each other" in done.stderr
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("as_zip", [True, False])
def test_delta_from_what_a_target_holds(repo: Repo, tmp_path: Path, as_zip: bool) -> None:
    package, contents = tmp_path / "old.zip", tmp_path / "old.json"
    at = ("--repo", repo.path)
    old = ("--commit", "HEAD~1", "--output", package, "--contents", contents)
    assert metadata("convert", *at, *old).returncode == 0
    base = package if as_zip else contents
    target = tmp_path / "delta"
    new = ("--to", "HEAD", "--output", target, "--pre-type", "ApexClass")
    done = metadata("delta", *at, "--base", base, *new)
    assert (done.returncode, done.stderr) == (0, "")
    changes = (target / "package" / "package.xml").read_text()
    assert "<members>Account.New__c</members>" in changes
    assert "Old__c" not in changes
    folder = target / "destructiveChanges"
    early = (folder / "destructiveChangesPre.xml").read_text()
    late = (folder / "destructiveChangesPost.xml").read_text()
    assert ("<members>Foo<" in early, "<members>Foo<" in late) == (True, False)
    packed = zipfile.ZipFile(target / "changes.zip").read("objects/Account.object").decode()
    assert ("New__c" in packed, "Old__c" in packed) == (True, False)


@pytest.mark.parametrize("content", [b"nothing", b"[]", b'{"ApexClass:A": 1}', b"PK\x03\x04"])
def test_base_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        held.read(content, "base")
    assert refusal.value.code in ("metadata.not_a_base", "package.not_a_zip")


@pytest.mark.parametrize("commit", ["v9", "--output=/etc/x", "HEAD:sfdx-project.json"])
def test_commit_that_is_none_is_refused_in_a_sentence(
    repo: Repo, tmp_path: Path, commit: str
) -> None:
    target = tmp_path / "out.zip"
    done = metadata("convert", "--repo", repo.path, f"--commit={commit}", "--output", target)
    assert done.returncode == 2
    assert "has no commit" in done.stderr
    assert not target.exists()


def labels(*names: str) -> str:
    """A labels file."""
    entries = "".join(
        f"<labels><fullName>{name}</fullName><value>{name}</value></labels>" for name in names
    )
    return f"{HEAD}<CustomLabels {NS}>{entries}</CustomLabels>"


def test_merge_keeps_what_both_sides_added(tmp_path: Path) -> None:
    sides = {"base": ("A",), "ours": ("A", "B"), "theirs": ("A", "C")}
    for name, contents in sides.items():
        (tmp_path / name).write_text(labels(*contents))
    done = metadata(
        "merge", *(tmp_path / name for name in sides), "--path", "labels/CustomLabels.labels"
    )
    assert done.returncode == 0, done.stderr
    merged = (tmp_path / "ours").read_text()
    assert all(f"<fullName>{name}</fullName>" in merged for name in "ABC")


def test_merge_of_one_label_changed_both_ways_is_a_named_conflict(tmp_path: Path) -> None:
    for name, value in (("base", "a"), ("ours", "b"), ("theirs", "c")):
        text = labels("A").replace("<value>A<", f"<value>{value}<")
        (tmp_path / name).write_text(text)
    done = metadata(
        "merge",
        *(tmp_path / name for name in ("base", "ours", "theirs")),
        "--path",
        "labels/CustomLabels.labels",
    )
    assert done.returncode == 1
    assert "both sides changed" in done.stderr


def test_git_merges_metadata_by_the_driver_of_the_documentation(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    path = "force-app/labels/CustomLabels.labels-meta.xml"
    repo.commit({path: labels("A"), ".gitattributes": "*-meta.xml merge=salesforce\n"})
    command = f"PYTHONPATH={ROOT} {sys.executable} -P -m metadata merge %O %A %B --path %P"
    repo.git("config", "merge.salesforce.driver", command)
    repo.git("checkout", "-q", "-b", "theirs")
    repo.commit({path: labels("A", "C")})
    repo.git("checkout", "-q", "main")
    repo.commit({path: labels("A", "B")})
    repo.git("merge", "-q", "-m", "both", "theirs")
    merged = repo.git("show", f"HEAD:{path}")
    assert all(f"<fullName>{name}</fullName>" in merged for name in "ABC")
    repo.git("checkout", "-q", "theirs")
    repo.commit({path: labels("A", "C").replace("<value>C<", "<value>c<")})
    repo.git("checkout", "-q", "main")
    repo.commit({path: labels("A", "B", "C").replace("<value>C<", "<value>ours<")})
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("merge", "-q", "theirs")
    assert repo.git("diff", "--name-only", "--diff-filter=U") == path
    assert "<<<<<<<" not in (repo.path / path).read_text()


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """Exit code and standard error of a command, run in this process."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as refusal:
        code = int(refusal.code or 0)
    return code, capsys.readouterr().err


def test_what_is_wrong_is_said_with_its_name(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.zip"

    def converted(*more: str | Path, at: Path = repo.path, commit: str = "HEAD") -> tuple[int, str]:
        return told(capsys, "convert", "--repo", at, "--commit", commit, "--output", out, *more)

    inner = repo.path / "force-app"
    assert converted(at=inner) == (
        2, f"{inner} is no Git repository. Name its top directory, or a bare repository.\n",
    )  # fmt: skip
    assert converted("--api-version", "next")[0] == 2
    assert "“next” is no API version" in converted("--api-version", "next")[1]
    (tmp_path / "cut").mkdir()
    repo.git("clone", "-q", "--depth", "1", repo.path.as_uri(), str(tmp_path / "cut"))
    code, said = converted(at=tmp_path / "cut", commit="HEAD~1")
    assert (code, said.count("It is a shallow clone")) == (2, 1)
    out.mkdir()
    assert converted() == (3, f"{out}: could not be written: Is a directory.\n")
    assert list(tmp_path.glob("*.part")) == []


def test_branches_are_named_as_people_name_them(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.zip"
    for name in ("feature/größe", "fix#12+more", "v1,2"):
        repo.git("branch", name)
        done = told(capsys, "convert", "--repo", repo.path, "--commit", name, "--output", out,
                    "--api-version", "63")  # fmt: skip
        assert done == (0, "")
    with zipfile.ZipFile(out) as package:
        assert b"<version>63.0</version>" in package.read("package.xml")
    for name in ("-x", "HEAD\nHEAD", ":/two", "a b", "HEAD^{tree}"):
        assert told(capsys, "convert", "--repo", repo.path, f"--commit={name}", "--output",
                    out)[0] == 2  # fmt: skip


def test_a_delta_leaves_nothing_of_an_earlier_one(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--repo", repo.path, "--from", "HEAD~1", "--to", "HEAD", "--output", tmp_path / "d")
    assert told(capsys, "delta", *common, "--pre-type", "CustomField")[0] == 0
    folder = tmp_path / "d" / "destructiveChanges"
    assert len(list(folder.iterdir())) == 4
    assert told(capsys, "delta", *common, "--no-zip")[0] == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"destructiveChanges.xml", "package.xml"}
    assert not (tmp_path / "d" / "changes.zip").exists()
    assert "“Filed” is no metadata type" in told(capsys, "delta", *common, "--pre-type", "Filed")[1]


def test_git_that_ends_early_says_why_and_no_object_is_called_lost(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'fatal: the disk is tired' >&2\nexit 128\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=os.pathsep)
    with pytest.raises(ExternalFault, match="the disk is tired") as fault:
        list(Repository(repo.path / ".git").blobs(["0" * 40]))
    assert fault.value.code == "git.failed"
