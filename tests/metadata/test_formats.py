"""Both repository formats become the same normal form, and a package reads back as itself."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from metadata.components import ComponentKey
from metadata.convert.commit import convert
from metadata.mirrors import Mirror
from metadata.normal import NormalForm
from metadata.package import build, listing_digest_of_zip, open_zip, read_zip, write_zip
from metadata.source import read_commit
from tests.metadata.repositories import (
    BASE,
    CLASS_META,
    HEAD,
    MANIFEST,
    NS,
    PROJECT,
    Repo,
    field,
    nested_field,
)

OBJECT = f"{HEAD}<CustomObject {NS}><label>Trip</label><sharingModel>Private</sharingModel>"
SOURCE = {
    "sfdx-project.json": PROJECT,
    f"{BASE}/classes/Foo.cls": "public class Foo {}",
    f"{BASE}/classes/Foo.cls-meta.xml": CLASS_META,
    f"{BASE}/objects/Trip__c/Trip__c.object-meta.xml": f"{OBJECT}</CustomObject>",
    f"{BASE}/objects/Trip__c/fields/To__c.field-meta.xml": field("To__c"),
    f"{BASE}/objects/Account/fields/Region__c.field-meta.xml": field("Region__c"),
    f"{BASE}/lwc/tile/tile.js": "export default 1;",
    f"{BASE}/lwc/tile/tile.js-meta.xml": f"{HEAD}<LightningComponentBundle {NS}/>",
    f"{BASE}/labels/CustomLabels.labels-meta.xml": (
        f"{HEAD}<CustomLabels {NS}><labels><fullName>Hi</fullName><value> Hé &amp; ho </value>"
        "</labels></CustomLabels>"
    ),
    f"{BASE}/flows/Go.flow-meta.xml": f"{HEAD}<Flow {NS}><label>Go</label></Flow>",
}
PACKAGE = {
    "src/package.xml": MANIFEST,
    "src/classes/Foo.cls": "public class Foo {}",
    "src/classes/Foo.cls-meta.xml": CLASS_META,
    "src/objects/Trip__c.object": (f"{OBJECT}{nested_field('To__c')}</CustomObject>"),
    "src/objects/Account.object": (
        f"{HEAD}<CustomObject {NS}>\n  {nested_field('Region__c')}\n</CustomObject>"
    ),
    "src/lwc/tile/tile.js": "export default 1;",
    "src/lwc/tile/tile.js-meta.xml": f"{HEAD}<LightningComponentBundle {NS}/>",
    "src/labels/CustomLabels.labels": SOURCE[f"{BASE}/labels/CustomLabels.labels-meta.xml"],
    "src/flows/Go.flow": f"{HEAD}<Flow {NS}><label>Go</label></Flow>",
}
KEYS = [
    "ApexClass:Foo",
    "CustomField:Account.Region__c",
    "CustomField:Trip__c.To__c",
    "CustomLabel:Hi",
    "CustomObject:Trip__c",
    "Flow:Go",
    "LightningComponentBundle:tile",
]


def read(tmp_path: Path, files: dict[str, str]) -> NormalForm:
    """Commit files and read them back."""
    repo = Repo(tmp_path / "repo")
    return read_commit(Mirror(repo.path / ".git"), repo.commit(files))


def test_source_and_metadata_format_give_the_same_normal_form(tmp_path: Path) -> None:
    source = read(tmp_path / "a", SOURCE)
    package = read(tmp_path / "b", PACKAGE)
    assert [str(key) for key in source] == KEYS
    assert source.component_digests() == package.component_digests()
    assert build(source, "64.0").digest == build(package, "64.0").digest


def test_package_reads_back_as_the_same_normal_form_with_its_own_identity(tmp_path: Path) -> None:
    form = read(tmp_path, SOURCE)
    package = build(form, "64.0")
    assert read_zip(package.zip_bytes).component_digests() == form.component_digests()
    assert listing_digest_of_zip(package.zip_bytes) == package.digest
    assert build(form, "64.0").zip_bytes == package.zip_bytes
    assert package.manifest["CustomField"] == ["Account.Region__c", "Trip__c.To__c"]
    assert "Account" not in package.manifest["CustomObject"]
    files = open_zip(package.zip_bytes)
    assert files["labels/CustomLabels.labels"].count(b" H\xc3\xa9 &amp; ho ") == 1


def test_white_space_between_elements_and_order_of_children_do_not_matter(tmp_path: Path) -> None:
    first = f"{OBJECT}{nested_field('A__c')}{nested_field('B__c')}</CustomObject>"
    second = f"{OBJECT}\n\t{nested_field('B__c')}\n\n{nested_field('A__c')}</CustomObject>"
    one = read(tmp_path / "a", {"src/package.xml": MANIFEST, "src/objects/Trip__c.object": first})
    two = read(tmp_path / "b", {"src/package.xml": MANIFEST, "src/objects/Trip__c.object": second})
    assert one.component_digests() == two.component_digests()


def test_profile_entries_in_another_order_are_the_same_profile(tmp_path: Path) -> None:
    entry = "<fieldPermissions><editable>true</editable><field>{}</field></fieldPermissions>"
    texts = [entry.format(name) for name in ("Account.A__c", "Account.B__c")]
    forms = [
        read(
            tmp_path / str(number),
            {
                "src/package.xml": MANIFEST,
                "src/profiles/Admin.profile": f"{HEAD}<Profile {NS}>{''.join(order)}</Profile>",
            },
        )
        for number, order in enumerate([texts, texts[::-1]])
    ]
    assert forms[0].component_digests() == forms[1].component_digests()


def test_tree_of_a_normal_form_reads_back(tmp_path: Path) -> None:
    form = read(tmp_path, SOURCE)
    assert NormalForm.from_files(form.files()).component_digests() == form.component_digests()


def test_static_resource_folder_becomes_the_same_archive_every_time(tmp_path: Path) -> None:
    meta = f"{HEAD}<StaticResource {NS}><contentType>application/zip</contentType></StaticResource>"
    files = {
        "sfdx-project.json": PROJECT,
        f"{BASE}/staticresources/Kit.resource-meta.xml": meta,
        f"{BASE}/staticresources/Kit/css/a.css": "a{}",
        f"{BASE}/staticresources/Kit/b.js": "1",
    }
    one, two = read(tmp_path / "a", files), read(tmp_path / "b", files)
    assert one.digest() == two.digest()
    content = one[ComponentKey("StaticResource", "Kit")]["staticresources/Kit.resource"]
    assert sorted(zipfile.ZipFile(io.BytesIO(content)).namelist()) == ["b.js", "css/a.css"]


@pytest.mark.parametrize("inside", ["src/staticresources", "staticresources"])
def test_static_resources_inside_of_an_archive_are_files_of_it(tmp_path: Path, inside: str) -> None:
    meta = f"{HEAD}<StaticResource {NS}><contentType>application/zip</contentType></StaticResource>"
    base = f"{BASE}/staticresources"
    files = {
        "sfdx-project.json": PROJECT,
        f"{base}/Kit.resource-meta.xml": meta,
        f"{base}/Kit/{inside}/Logo.resource": "l",
        f"{base}/Kit/{inside}/Logo.resource-meta.xml": meta,
        f"{base}/Kit/{inside}/icons/a.svg": "a",
    }
    form = read(tmp_path / "a", files)
    assert [str(key) for key in form] == ["StaticResource:Kit"]
    content = form[ComponentKey("StaticResource", "Kit")]["staticresources/Kit.resource"]
    names = ("Logo.resource", "Logo.resource-meta.xml", "icons/a.svg")
    assert sorted(zipfile.ZipFile(io.BytesIO(content)).namelist()) == [
        f"{inside}/{name}" for name in names
    ]


def test_static_resource_file_is_kept_byte_by_byte(tmp_path: Path) -> None:
    meta = f"{HEAD}<StaticResource {NS}><contentType>text/plain</contentType></StaticResource>"
    form = read(
        tmp_path,
        {
            "sfdx-project.json": PROJECT,
            f"{BASE}/staticresources/Note.resource-meta.xml": meta,
            f"{BASE}/staticresources/Note.txt": "  x\r\n",
        },
    )
    files = form[ComponentKey("StaticResource", "Note")]
    assert files["staticresources/Note.resource"] == b"  x\r\n"


REFUSED = {
    "malformed XML names file and line": (
        {f"{BASE}/flows/Go.flow-meta.xml": f"{HEAD}<Flow {NS}>\n<label>Go</Flow>"},
        "metadata.malformed_xml",
        "flows/Go.flow-meta.xml line 3",
    ),
    "an unknown type is named": (
        {f"{BASE}/odd/X.oddity-meta.xml": f"{HEAD}<Oddity {NS}/>"},
        "metadata.unsupported_type",
        "X.oddity-meta.xml",
    ),
    "a component defined twice": (
        {f"{BASE}/a/Go.flow-meta.xml": f"{HEAD}<Flow {NS}/>",
         f"{BASE}/b/Go.flow-meta.xml": f"{HEAD}<Flow {NS}><label>Go</label></Flow>"},
        "metadata.duplicate",
        "b/Go.flow-meta.xml",
    ),
    "a document type": (
        {f"{BASE}/flows/Go.flow-meta.xml": '<!DOCTYPE a [<!ENTITY e "x">]><Flow>&e;</Flow>'},
        "metadata.doctype",
        "Go.flow-meta.xml",
    ),
    "a Git LFS pointer": (
        {f"{BASE}/classes/A.cls": "version https://git-lfs.github.com/spec/v1\noid x\n"},
        "metadata.lfs",
        "A.cls",
    ),
    "a resource without its meta file": (
        {f"{BASE}/staticresources/a.js": "1"},
        "metadata.no_meta",
        "a.js",
    ),
    "a project file that is no JSON": (
        {"sfdx-project.json": "{"},
        "metadata.project_file",
        "sfdx-project.json",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_refused_by_name(
    tmp_path: Path, files: dict[str, str], code: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(tmp_path, {"sfdx-project.json": PROJECT, **files})
    assert refusal.value.code == code
    assert words in refusal.value.message


def test_repository_without_salesforce_metadata_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(tmp_path, {"README.md": "hello"})
    assert refusal.value.code == "metadata.none"


def test_symbolic_link_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit({"sfdx-project.json": PROJECT, f"{BASE}/classes/A.cls": "x"})
    (repo.path / f"{BASE}/classes/B.cls").symlink_to("/etc/passwd")
    sha = repo.commit({})
    with pytest.raises(InvalidInput) as refusal:
        read_commit(Mirror(repo.path / ".git"), sha)
    assert refusal.value.code == "metadata.link"


def test_files_that_are_ignored_or_no_metadata_are_passed_over(tmp_path: Path) -> None:
    form = read(
        tmp_path,
        {
            **SOURCE,
            ".forceignore": "**/__tests__/**\n*.report-meta.xml",
            f"{BASE}/lwc/tile/__tests__/tile.test.js": "no",
            f"{BASE}/reports/F/R.report-meta.xml": "<Report/>",
            f"{BASE}/README.md": "words",
            f"{BASE}/.hidden": "x",
        },
    )
    assert [str(key) for key in form] == KEYS
    assert all(
        "__tests__" not in path for path in form[ComponentKey("LightningComponentBundle", "tile")]
    )


@pytest.mark.parametrize("path", ["../x", "/x", "a\\b", "a//b", "a/../../x"])
def test_zip_with_an_unsafe_path_is_refused(path: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(path), b"x")
    with pytest.raises(InvalidInput) as refusal:
        open_zip(buffer.getvalue())
    assert refusal.value.code == "package.unsafe_path"


def test_zip_over_the_limits_is_refused_with_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_zip({"a": b"0" * 5000, "b": b"1"})
    monkeypatch.setattr("metadata.zips.MAX_UNZIPPED", 4000)
    with pytest.raises(InvalidInput, match="at most 4,000") as refusal:
        open_zip(content)
    assert refusal.value.code == "package.too_large"
    monkeypatch.setattr("metadata.zips.MAX_UNZIPPED", 10_000)
    monkeypatch.setattr("metadata.zips.MAX_FILES", 1)
    with pytest.raises(InvalidInput, match="2 files"):
        open_zip(content)


def test_something_that_is_no_zip_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        open_zip(b"<html>")
    assert refusal.value.code == "package.not_a_zip"


def test_names_that_differ_only_by_case_are_refused() -> None:
    entry = {"classes/Foo.cls": b"x"}
    form = NormalForm(
        {
            ComponentKey("ApexClass", "Foo"): entry,
            ComponentKey("ApexClass", "FOO"): {"classes/FOO.cls": b"y"},
        }
    )
    with pytest.raises(InvalidInput) as refusal:
        build(form, "64.0")
    assert refusal.value.code == "package.case_collision"


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="/\\\0"),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in (".", ".."))


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=5))
def test_any_names_and_bytes_survive_zip_and_tree(contents: dict[str, bytes]) -> None:
    files = {f"classes/{name}": data for name, data in contents.items()}
    assert open_zip(write_zip(files)) == files
    form = NormalForm(
        {ComponentKey("ApexClass", name): {"classes/x": data} for name, data in contents.items()}
    )
    assert NormalForm.from_files(form.files()).component_digests() == form.component_digests()


@given(st.data())
def test_zip_with_other_bytes_is_what_it_was_or_refused(data: st.DataObject) -> None:
    files = {"classes/A.cls": b"class A {}" * 9, "classes/B.cls": b"\x89" * 30}
    damaged = bytearray(write_zip(files))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    found, code = files, ""
    try:
        found = open_zip(bytes(damaged))
    except InvalidInput as refusal:
        code = refusal.code
    assert sorted(found.values()) == sorted(files.values()), "every content has its checksum"
    assert code in ("", "package.not_a_zip", "package.unsafe_path", "package.too_large")


@given(st.binary(max_size=300))
def test_any_bytes_that_are_no_zip_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        open_zip(data)
    assert refusal.value.code == "package.not_a_zip"


def test_a_mark_of_byte_order_goes_along_and_changes_nothing(tmp_path: Path) -> None:
    """The official converter copies it as well, and leaves it out of what it puts together."""
    forms = []
    for number, mark in enumerate(("", "\ufeff")):
        repo = Repo(tmp_path / str(number))
        sha = repo.commit({path: f"{mark}{content}" for path, content in SOURCE.items()})
        mirror = Mirror(repo.path / ".git")
        forms.append(read_commit(mirror, sha))
        kept = {
            path
            for path, content in convert(mirror, sha).files.items()
            if content.startswith(b"\xef\xbb\xbf")
        }
        copied = {"classes/Foo.cls", "classes/Foo.cls-meta.xml", "flows/Go.flow"}
        copied |= {"lwc/tile/tile.js", "lwc/tile/tile.js-meta.xml"}
        assert kept == (copied if mark else set())
    script = ComponentKey("LightningComponentBundle", "tile")
    digests = [form.only(form.keys() - {script}).component_digests() for form in forms]
    assert digests[0] == digests[1]
