"""Every kind of bad input, read as a build does: a code, the file, the reason, and bounded work."""

from __future__ import annotations

import io
import struct
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InvalidInput
from metadata import parts, zips
from metadata.commands import main
from metadata.components import ComponentKey
from metadata.delta import between
from metadata.mirrors import Mirror
from metadata.normal import NormalForm
from metadata.package import build
from metadata.source import read_commit
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT
from tests.metadata.test_bad_input import imported

MEGABYTE = 1 << 20
PLAIN, TREE_LINK, SUBMODULE = "100644", "120000", "160000"
FLOW = f"{HEAD}<Flow {NS}><label>Go</label></Flow>"
DEEP = "<a>" * 300 + "</a>" * 300
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"

Tree = dict[str, str]

BAD: dict[str, tuple[Tree, str, tuple[str, ...]]] = {
    "XML that is cut off": (
        {f"{BASE}/flows/Go.flow-meta.xml": "<Flow>\n<label>Go"},
        "metadata.malformed_xml", ("flows/Go.flow-meta.xml line 2",),
    ),
    "XML that is nested too deep": (
        {f"{BASE}/flows/Go.flow-meta.xml": DEEP},
        "metadata.malformed_xml", ("flows/Go.flow-meta.xml line 1", "depth"),
    ),
    "an entity that would grow to gigabytes": (
        {f"{BASE}/flows/Go.flow-meta.xml": '<!DOCTYPE F [<!ENTITY a "x">]><Flow>&a;</Flow>'},
        "metadata.doctype", ("flows/Go.flow-meta.xml",),
    ),
    "a project file that is cut off": (
        {"sfdx-project.json": '{"packageDirectories": [\n{'},
        "metadata.project_file", ("sfdx-project.json", "line 2"),
    ),
    "a package directory outside the repository": (
        {"sfdx-project.json": '{"packageDirectories": [{"path": "../../etc"}]}'},
        "metadata.project_file", ("sfdx-project.json", "../../etc"),
    ),
    "a replacement from outside the repository": (
        {
            "sfdx-project.json": PROJECT[:-1]
            + ', "replacements": [{"glob": "**", "stringToReplace": "a",'
            ' "replaceWithFile": "../../etc/passwd"}]}',
            f"{BASE}/flows/Go.flow-meta.xml": FLOW,
        },
        "metadata.replacement", ("sfdx-project.json", "../../etc/passwd"),
    ),
    "package directories that the commit lacks": (
        {"README.md": "words"}, "metadata.no_directory", ("force-app",),
    ),
    "names that differ only by case": (
        {f"{BASE}/flows/Go.flow-meta.xml": FLOW, f"{BASE}/flows/GO.flow-meta.xml": FLOW},
        "package.case_collision", ("GO", "Go", "differ only by upper and lower case"),
    ),
    "a component of two package directories": (
        {
            "sfdx-project.json": '{"packageDirectories": [{"path": "one"}, {"path": "two"}]}',
            "one/flows/Go.flow-meta.xml": FLOW,
            "two/flows/Go.flow-meta.xml": FLOW.replace("Go", "Stop"),
        },
        "metadata.duplicate", ("one/flows/Go.flow-meta.xml", "two/flows/Go.flow-meta.xml"),
    ),
    "a Git LFS pointer": (
        {f"{BASE}/classes/A.cls": POINTER, f"{BASE}/classes/A.cls-meta.xml": CLASS_META},
        "metadata.lfs", ("classes/A.cls", "Git LFS pointer"),
    ),
    "a UI bundle whose built files are not committed": (
        {
            f"{BASE}/uiBundles/shop/shop.uibundle-meta.xml": f"{HEAD}<UIBundle {NS}/>",
            f"{BASE}/uiBundles/shop/ui-bundle.json": '{"outputDir": "dist"}',
            f"{BASE}/uiBundles/shop/src/index.js": "1",
        },
        "metadata.ui_bundle", ("uiBundles/shop/ui-bundle.json", "“dist”", "commit what comes"),
    ),
    "a UI bundle that falls back to a file that is not there": (
        {
            f"{BASE}/uiBundles/shop/shop.uibundle-meta.xml": f"{HEAD}<UIBundle {NS}/>",
            f"{BASE}/uiBundles/shop/ui-bundle.json": '{"outputDir": "/dist/", "routing": '
            '{"fallback": "/index.html"}}',
            f"{BASE}/uiBundles/shop/dist/home.html": "1",
        },
        "metadata.ui_bundle", ("uiBundles/shop/ui-bundle.json", "/index.html"),
    ),
    "a resource with two contents": (
        {
            f"{BASE}/staticresources/A.resource-meta.xml": f"{HEAD}<StaticResource {NS}/>",
            f"{BASE}/staticresources/A.js": "1", f"{BASE}/staticresources/A.css": "2",
        },
        "metadata.two_contents", ("staticresources/A.",),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("tree", "code", "words"), BAD.values(), ids=BAD.keys())
def test_bad_commit_is_refused_by_file_and_reason_wherever_it_is_read(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tree: Tree,
    code: str,
    words: tuple[str, ...],
) -> None:
    [sha] = imported(tmp_path / "r", {"sfdx-project.json": PROJECT} | tree)
    mirror = Mirror(tmp_path / "r")
    refusal = refused(lambda: build(read_commit(mirror, sha), "64.0"))  # as build workers do
    assert refusal.code == code
    assert [word for word in words if word not in refusal.message] == []
    target = tmp_path / "out.zip"
    at = ["--repo", str(mirror.path), "--commit", sha, "--output", str(target)]
    assert main(["convert", *at]) == 2
    told = capsys.readouterr().err
    assert [word for word in words if word not in told] == []
    assert not target.exists()


def refused(call: Callable[[], object]) -> InvalidInput:
    """The refusal that a call ends with."""
    with pytest.raises(InvalidInput) as told:
        call()
    return told.value


def peak(call: Callable[[], object]) -> int:
    """The most bytes that Python held at once while a call ran."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("inside", [True, False], ids=["of itself", "of each other"])
def test_submodules_in_a_circle_are_refused_by_name_and_never_followed(
    tmp_path: Path, inside: bool
) -> None:
    [sha] = imported(tmp_path / "r", {"sfdx-project.json": PROJECT, f"{BASE}/a": "x"})
    [other] = imported(tmp_path / "o", {"sfdx-project.json": PROJECT, f"{BASE}/b": "x"})
    made = with_entry(tmp_path / "r", SUBMODULE, sha if inside else other, f"{BASE}/other")
    with_entry(tmp_path / "o", SUBMODULE, made, f"{BASE}/back")
    mirror = Mirror(tmp_path / "r")
    for call in (lambda: read_commit(mirror, made), lambda: between(mirror, sha, made)):
        refusal = refused(call)
        assert refusal.code == "metadata.link"
        assert f"{BASE}/other is a submodule" in refusal.message


def test_link_out_of_the_repository_is_refused_by_name(tmp_path: Path) -> None:
    [sha] = imported(tmp_path / "r", {"sfdx-project.json": PROJECT, f"{BASE}/a": "/etc/passwd"})
    git = ["git", f"--git-dir={tmp_path / 'r'}"]
    blob = printed(*git, "rev-parse", f"{sha}:{BASE}/a")
    made = with_entry(tmp_path / "r", TREE_LINK, blob, f"{BASE}/classes/A.cls")
    refusal = refused(lambda: read_commit(Mirror(tmp_path / "r"), made))
    assert refusal.code == "metadata.link"
    assert f"{BASE}/classes/A.cls is a symbolic link" in refusal.message


def with_entry(path: Path, mode: str, held: str, name: str) -> str:
    """A commit with one more entry, as no work tree would write it."""
    text = (
        "commit refs/heads/main\ncommitter A <a@b> 0 +0000\ndata 0\nfrom refs/heads/main^0\n"
        f"M {mode} {held} {name}\n"
    )
    git = ["git", f"--git-dir={path}"]
    subprocess.run([*git, "fast-import", "--quiet"], input=text.encode(), check=True)
    return printed(*git, "rev-parse", "main")


def printed(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def test_repository_of_half_a_million_files_is_refused_after_a_bounded_part_of_it(
    tmp_path: Path,
) -> None:
    """One directory of 1,000 files, 500 times: git names each path, and stores one tree."""
    files = {f"{n:03}.cls": "x" for n in range(1_000)}
    [small] = imported(tmp_path / "r", {f"a/{name}": "x" for name in files})
    git = ["git", f"--git-dir={tmp_path / 'r'}"]
    one = printed(*git, "rev-parse", f"{small}:a")
    many = "".join(f"040000 tree {one}\td{n:03}\n" for n in range(500))
    made = subprocess.run([*git, "mktree"], input=many, capture_output=True, text=True, check=True)
    tree = made.stdout.strip()
    person = ["-c", "user.name=A", "-c", "user.email=a@b.example"]
    sha = printed("git", *person, f"--git-dir={tmp_path / 'r'}", "commit-tree", tree, "-m", "many")
    mirror = Mirror(tmp_path / "r")
    told: list[InvalidInput] = []
    held = peak(lambda: told.append(refused(lambda: read_commit(mirror, sha))))
    assert told[0].code == "git.too_many_files"
    assert "200,000 files" in told[0].message
    assert held < 40 * MEGABYTE
    assert refused(lambda: between(mirror, small, sha)).code == "git.too_many_files"


def bomb(lie: int | None = None) -> bytes:
    """A zip of 100 kB that unpacks to 100 MB; ``lie`` is what it says instead."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("classes/A.cls", b"\0" * 100_000_000, compresslevel=1)
    content = bytearray(buffer.getvalue())
    if lie is not None:
        central = content.rindex(b"PK\x01\x02")
        content[central + 24 : central + 28] = struct.pack("<I", lie)
        content[22:26] = struct.pack("<I", lie)
    return bytes(content)


@pytest.mark.parametrize("lie", [None, 10], ids=["that says so", "that says 10 bytes"])
def test_bomb_is_never_unpacked(lie: int | None) -> None:
    content = bomb(lie)
    told: list[InvalidInput] = []

    def read() -> None:
        told.append(refused(lambda: zips.read(content, 50_000_000)))
        told.append(refused(lambda: parts.read(content, [ComponentKey("ApexClass", "A")])))

    assert peak(read) < 5 * MEGABYTE
    code = "package.too_large" if lie is None else "package.not_a_zip"
    assert [refusal.code for refusal in told] == [code, code]


def test_bomb_in_a_static_resource_is_compared_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metadata.normal.MAX_ARCHIVE", 50_000_000)
    key = ComponentKey("StaticResource", "Bomb")
    content = bomb()
    form = NormalForm({key: {"staticresources/Bomb.resource": content}})
    digests: list[str] = []
    assert peak(lambda: digests.append(form.component_digest(key))) < 5 * MEGABYTE
    other = NormalForm({key: {"staticresources/Bomb.resource": content + b"\0"}})
    assert other.component_digest(key) != digests[0]


def test_path_out_of_a_resource_is_refused_by_name() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../evil.cls", b"x")
    refusal = refused(lambda: zips.read(buffer.getvalue()))
    assert refusal.code == "package.unsafe_path"
    assert "../../evil.cls" in refusal.message
