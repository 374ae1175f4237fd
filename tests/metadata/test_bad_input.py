"""Bad input: a refusal that names file and reason, bounded in time and memory, no traceback."""

from __future__ import annotations

import io
import json
import subprocess
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DomainError, InvalidInput
from metadata import huffman, inside, types, zips
from metadata.commands import main
from metadata.components import ComponentKey
from metadata.convert import ignore
from metadata.convert.commit import Converted, convert
from metadata.delta import Delta, between
from metadata.merge.files import Merged, merge
from metadata.mirrors import Mirror
from metadata.normal import NormalForm, digest_of, what_counts
from metadata.source import read_commit
from metadata.xml import canonical_file, parse
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT, Repo, field

FLOW = f"{HEAD}<Flow {NS}><label>Go</label></Flow>"


def imported(path: Path, *trees: Mapping[str, str | bytes]) -> list[str]:
    """Commits of any paths, those that no work tree could hold among them."""
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
    parts: list[bytes] = []
    for tree in trees:
        parts.append(b"commit refs/heads/main\ncommitter A <a@b> 0 +0000\ndata 0\ndeleteall\n")
        for name, content in tree.items():
            raw = content.encode() if isinstance(content, str) else content
            quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            parts.append(f'M 100644 inline "{quoted}"\ndata {len(raw)}\n'.encode() + raw + b"\n")
    git = ["git", f"--git-dir={path}"]
    subprocess.run([*git, "fast-import", "--quiet"], input=b"".join(parts), check=True)
    listed = subprocess.run(
        [*git, "rev-list", "--reverse", "main"], capture_output=True, check=True
    )
    return listed.stdout.decode().split()


def test_submodule_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    sha = repo.commit({"sfdx-project.json": PROJECT, f"{BASE}/flows/Go.flow-meta.xml": FLOW})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{sha},{BASE}/other")
    repo.git("commit", "-q", "-m", "a submodule of itself")
    with pytest.raises(InvalidInput, match=f"{BASE}/other is a submodule") as refusal:
        convert(Mirror(repo.path / ".git"), repo.git("rev-parse", "HEAD"))
    assert refusal.value.code == "metadata.link"


@pytest.mark.parametrize("name", ["a\\b.cls", "a\nb.cls", "a\x01b.cls"])
def test_name_that_no_package_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    tree = {"sfdx-project.json": PROJECT, f"{BASE}/classes/{name}": "x"}
    [sha] = imported(tmp_path / "r", tree)
    with pytest.raises(InvalidInput) as refusal:
        convert(Mirror(tmp_path / "r"), sha)
    assert refusal.value.code == "metadata.path"


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metadata.objects.MAX_FILES", 3)
    tree = {"sfdx-project.json": PROJECT} | {f"{BASE}/a{n}": "x" for n in range(9)}
    one, two = imported(tmp_path / "r", {"a": "b"}, tree)
    mirror = Mirror(tmp_path / "r")
    for call in (lambda: convert(mirror, two), lambda: between(mirror, one, two)):
        with pytest.raises(InvalidInput) as refusal:
            call()
        assert refusal.value.code == "git.too_many_files"


def test_more_than_a_deployment_can_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metadata.convert.selection.MAX_BYTES", 500)
    tree = {"sfdx-project.json": PROJECT, f"{BASE}/classes/A.cls": "x" * 600}
    [sha] = imported(tmp_path / "r", tree)
    with pytest.raises(InvalidInput) as refusal:
        convert(Mirror(tmp_path / "r"), sha)
    assert refusal.value.code == "metadata.too_large"


def test_archive_that_would_unpack_to_gigabytes_counts_as_it_is() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}", b"\0" * 50_000_000, compresslevel=1)
    key = ComponentKey("StaticResource", "Bomb")
    form = NormalForm({key: {"staticresources/Bomb.resource": buffer.getvalue()}})
    assert len(form.component_digest(key)) == 64


def test_file_that_reads_as_an_archive_counts_is_another_content() -> None:
    key, path = ComponentKey("StaticResource", "Kit"), "staticresources/Kit.resource"
    archive = zips.archive({"a.js": b"var a;\n"})
    counts = what_counts(key, path, archive)
    bare = counts.partition(b"\0")[2]
    texts = [archive, bare, counts, what_counts(key, path, counts), b"file\0", b"file\0file\0"]
    found = {digest_of(key, {path: text}) for text in texts}
    assert len(found) == len(texts)


@pytest.mark.parametrize("text", [b"", b"a", b"ab" * 40, bytes(range(256)) * 3])
def test_our_compression_reads_back(text: bytes) -> None:
    assert zlib.decompress(huffman.deflate(text), -15) == text


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text("ab <\n", max_size=400).map(str.encode),
        st.lists(st.tuples(st.integers(0, 255), st.integers(1, 4_000)), max_size=6).map(
            lambda runs: b"".join(bytes([sign]) * count for sign, count in runs)
        ),
    )
)
def test_compression_by_hand_is_the_one_by_zlib(content: bytes) -> None:
    assert huffman._by_hand(content) == huffman._by_zlib(content)


def test_archive_above_the_limit_is_the_same_whatever_zlib_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("metadata.zips.MAX_RESOURCE", 3_500)
    files = {"a.js": b"var a = 1;\n" * 400, "b.png": b"\x89PNG" * 40, "c": b"x"}
    assert huffman.trusted()
    made = zips.archive(files)
    assert len(made) < 3_500
    assert zips.read(made) == files
    monkeypatch.setattr("metadata.huffman._KNOWN", "what another zlib makes")
    huffman.trusted.cache_clear()
    assert not huffman.trusted()
    assert zips.archive(files) == made
    huffman.trusted.cache_clear()


def test_names_that_differ_only_by_case_make_no_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repo(tmp_path / "r")
    repo.commit(
        {
            "sfdx-project.json": PROJECT,
            f"{BASE}/classes/A.cls": "a",
            f"{BASE}/classes/A.cls-meta.xml": CLASS_META,
            f"{BASE}/more/classes/a.cls": "a",
            f"{BASE}/more/classes/a.cls-meta.xml": CLASS_META,
        }
    )
    target = tmp_path / "out.zip"
    at = ["convert", "--repo", str(repo.path), "--commit", "HEAD", "--output", str(target)]
    assert main(at) == 2
    assert "classes/A.cls and classes/a.cls differ only by" in capsys.readouterr().err
    assert not target.exists()


def test_archive_that_needs_another_zlib_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metadata.zips.MAX_RESOURCE", 300)
    files = {"a.js": b"var a = 1;\n" * 400}
    assert zips.read(zips.archive(files)) == files
    monkeypatch.setattr("metadata.huffman._SEARCHED", "what another zlib makes")
    huffman.searches_as_known.cache_clear()
    with pytest.raises(InvalidInput) as refusal:
        zips.archive(files)
    assert refusal.value.code == "package.zlib_differs"
    huffman.searches_as_known.cache_clear()


HALVES: dict[str, dict[str, str]] = {
    "the content is gone": {f"{BASE}/classes/A.cls-meta.xml": CLASS_META},
    "the meta file is gone": {f"{BASE}/classes/A.cls": "a"},
}


@pytest.mark.parametrize("left", HALVES.values(), ids=HALVES.keys())
def test_half_of_a_pair_is_a_change_that_no_package_can_be_made_of(
    tmp_path: Path, left: dict[str, str]
) -> None:
    whole = {f"{BASE}/classes/A.cls": "a", f"{BASE}/classes/A.cls-meta.xml": CLASS_META}
    project = {"sfdx-project.json": PROJECT}
    one, two = imported(tmp_path / "r", project | whole, project | left)
    mirror = Mirror(tmp_path / "r")
    found = between(mirror, one, two)
    assert ([str(key) for key in found.changed], found.removed) == (["ApexClass:A"], ())
    with pytest.raises(InvalidInput) as refusal:
        convert(mirror, two)
    assert refusal.value.code in ("metadata.no_meta", "metadata.no_content")


def test_child_is_called_as_its_content_says(tmp_path: Path) -> None:
    path = f"{BASE}/objects/Trip__c/fields/Old__c.field-meta.xml"
    project = {"sfdx-project.json": PROJECT}
    one, two = imported(tmp_path / "r", project, project | {path: field("New__c")})
    found = between(Mirror(tmp_path / "r"), one, two)
    assert [str(key) for key in found.changed] == ["CustomField:Trip__c.New__c"]


PIECES = st.sampled_from(
    ["force-app", "main", "objects", "A__c", "fields", "lwc", "classes", "reports", "x.cls",
     "x.cls-meta.xml", "A__c.object-meta.xml", "B.field-meta.xml", "r.report-meta.xml",
     "a.odd-meta.xml", "-meta.xml", ".forceignore", "sfdx-project.json", "package.xml", "labels",
     "L.labels-meta.xml",
     "staticresources", "s.resource-meta.xml", "documents", "digitalExperiences", "site"]
)  # fmt: skip
CONTENTS = st.one_of(
    st.sampled_from(
        [PROJECT, '{"packageDirectories":[{"path":"."}]}', "{}", "[]", "\ufeff{", FLOW, CLASS_META,
         f"{HEAD}<CustomLabels {NS}><labels/></CustomLabels>", "<a", "<a>" * 500, "!**", "[", "\\"]
    ),
    st.text(max_size=30),
)  # fmt: skip
TREES = st.dictionaries(
    st.lists(PIECES, min_size=1, max_size=6).map("/".join), CONTENTS, min_size=1, max_size=8
).filter(
    lambda tree: not any(one != two and two.startswith(f"{one}/") for one in tree for two in tree)
)


def told(call: Callable[[], Any]) -> Any:
    """What a call answers; a refusal has to say something."""
    try:
        return call()
    except DomainError as fault:
        refusal = fault
    assert refusal.code.partition(".")[0] in ("metadata", "package", "git")
    assert refusal.message.endswith(".")
    return refusal


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(TREES, TREES)
def test_any_tree_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, str], two: dict[str, str]
) -> None:
    place = tmp_path_factory.mktemp("fuzz") / "r"
    project = {"sfdx-project.json": '{"packageDirectories":[{"path":"force-app"}]}'}
    old, new = imported(place, project | one, project | two)
    mirror = Mirror(place)
    converted = told(lambda: convert(mirror, new))
    if isinstance(converted, Converted):
        assert converted.files.keys() == converted.origins.keys()
        assert {*converted.origins.values(), *converted.passed_over} <= mirror.tree(new).keys()
    form = told(lambda: read_commit(mirror, new))
    if isinstance(form, NormalForm):
        assert isinstance(converted, Converted), "what cannot be converted cannot be read"
        assert NormalForm.from_files(form.files()).digest() == form.digest()
    found = told(lambda: between(mirror, old, new))
    if isinstance(found, Delta):
        assert not {*found.changed} & {*found.removed}
        assert told(lambda: between(mirror, new, new)).changed == ()


TAGS = st.sampled_from(["fields", "fullName", "labels", "value", "x:y", "Flow"])
XML = st.recursive(
    st.one_of(st.text("ab<&\n ", max_size=5), st.just("<!-- c -->"), st.just("<![CDATA[x]]>")),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", TAGS, st.lists(inner, max_size=3)
    ),
    max_leaves=8,
).map(lambda text: f"<CustomObject {NS}>{text}</CustomObject>".encode())


@settings(max_examples=40, deadline=None)
@given(XML, XML, XML)
def test_any_xml_is_merged_or_refused(base: bytes, ours: bytes, theirs: bytes) -> None:
    merged = told(lambda: merge(base, ours, theirs))
    if isinstance(merged, Merged):
        parse(merged.content, "the merged file")
        one_sided = merge(ours, ours, theirs)
        assert one_sided.clean
        wanted = canonical_file(theirs, "theirs")
        assert canonical_file(one_sided.content, "merged") == wanted
        assert inside.changed(ours, ours) == frozenset()


@pytest.mark.parametrize("line", ["**/" * 160 + "x", "*a" * 12 + "*b", "**/*a*/" * 60 + "x"])
def test_patterns_that_could_take_endless_time_are_decided_at_once(line: str) -> None:
    rules = ignore.rules(".forceignore", line.encode())
    began = time.process_time()
    for path in (
        "/".join(["aaaaaaaa"] * 60),
        f"force-app/classes/{'a' * 90}.cls",
        "a/" * 150 + "c",
    ):
        assert not rules.ignores(path)
    assert time.process_time() - began < 2


def test_replacements_are_bounded_in_time_and_size(tmp_path: Path) -> None:
    project = json.loads(PROJECT)
    project["replacements"] = [
        {"glob": "*A" * 12 + "*b", "stringToReplace": "x", "replaceWithFile": "value.txt"},
        {"glob": "**/**/" * 60 + "A?.cls", "stringToReplace": "x", "replaceWithFile": "value.txt"},
    ]
    repo = Repo(tmp_path / "r")
    name = f"{BASE}/classes/{'A' * 60}.cls"
    files: dict[str, str | bytes | None] = {
        "sfdx-project.json": json.dumps(project),
        "value.txt": "y" * 1_000_000,
        name: "x" * 200,
        f"{name}-meta.xml": CLASS_META,
    }
    sha = repo.commit(files)
    mirror = Mirror(repo.path / ".git")
    assert convert(mirror, sha).files[f"classes/{'A' * 60}.cls"] == b"x" * 200
    small = {f"{BASE}/classes/AB.cls": "x", f"{BASE}/classes/AB.cls-meta.xml": CLASS_META}
    assert len(convert(mirror, repo.commit({**small})).files["classes/AB.cls"]) == 1_000_000
    with pytest.raises(InvalidInput, match=r"AB\.cls larger than 64 MB") as refusal:
        convert(mirror, repo.commit({f"{BASE}/classes/AB.cls": "x" * 200}))
    assert refusal.value.code == "metadata.replacement"


@pytest.mark.parametrize(
    "customizations",
    [
        {"types": 7},
        {"types": {"x": 5}},
        {"suffixes": {"x": 5}},
        {"types": {"x": {"name": "X", "directoryName": "xs", "suffix": 5}}},
        {"types": {"x": {"name": "X", "directoryName": "xs", "children": {"types": {"y": 1}}}}},
        {"types": {"x": {"directoryName": "xs"}}},
    ],
)
def test_customizations_that_are_no_registry_are_refused(customizations: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        types.for_project((), customizations)
    assert refusal.value.code == "metadata.project_file"
