"""Our conversion against Salesforce's own, on real projects: every difference has a reason here.

Known differences, where ours is right:
- text at the ends of an element is kept (the official converter trims it when it puts files
  together), so texts are compared trimmed;
- an expanded archive is written without the present time, so archives are compared by content;
- a text that holds a character reference as people see it (``&amp;#8212;``) stays that text, where
  the official converter turns it into the character;
- a translation whose frame lies in two package directories keeps both frames;
- a child is listed under the ``fullName`` in its file, as the platform goes by that;
- an object without anything of its own is listed, since its file is in the package;
- a bundle inside of a bundle is listed, since its files are in the package;
- children that only a project's own ``registryCustomizations`` call unnamed are listed one by one;
- a text from an environment variable is not put in (the official converter needs the variable);
- a package directory that the commit lacks is told (the official converter refuses).

A refusal of ours is a difference too, unless the official converter refuses as well or the code is
in ``REFUSED`` with the reason.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from lxml import etree

from core.errors import InvalidInput
from metadata import layout, manifest
from metadata.convert.commit import Converted
from metadata.convert.commit import convert as ours
from metadata.mirrors import Mirror
from metadata.projects import Layout
from tests.metadata.differential import official
from tests.metadata.differential.official import Official

WHY_NOT = official.missing()
pytestmark = [
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "present"),
    pytest.mark.timeout(400),
]


REFUSED = {
    "metadata.duplicate": "the official converter takes one of two definitions by chance",
    "metadata.two_contents": "the official converter takes one of two contents by chance",
    "metadata.lfs": "the official converter sends the pointer in place of the content",
    "metadata.link": "the official converter follows links out of the repository",
    "metadata.no_meta": "the platform takes no content without its meta file",
    "metadata.malformed_xml": "the platform cannot read the file either",
}
"""Codes of our refusals of what the official converter takes, and why ours are right."""

TAKEN = {
    "replaceWithEnv": "no environment is read here: the text stays, and a warning says so",
    "sfdcLoginUrl": "where people log in has no part in a conversion",
}
"""Words of the official converter's refusals of what ours takes, and why."""

_PARSER = etree.XMLParser(resolve_entities=False, remove_comments=True, remove_blank_text=True)


def same(path: str, one: bytes, two: bytes) -> bool:
    """Whether two files say the same."""
    one = one.replace(b"&amp;#", b"&#")
    if one == two.replace(b"&amp;#", b"&#"):
        return True
    if path.endswith(".resource") and one[:2] == two[:2] == b"PK":
        return unpacked(one) == unpacked(two)
    try:
        return trimmed(one) == trimmed(two.replace(b"&amp;#", b"&#"))
    except etree.XMLSyntaxError:
        return False


def unpacked(content: bytes) -> dict[str, bytes]:
    """Files of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {e.filename: archive.read(e) for e in archive.infolist() if not e.is_dir()}


def trimmed(content: bytes) -> bytes:
    """Canonical XML without blanks at the ends of texts."""
    root = etree.fromstring(content, _PARSER)
    for node in root.iter(etree.Element):
        node.text = (node.text or "").strip() or None
        node.tail = None
    return etree.tostring(root, method="c14n", with_comments=False)


def two_frames(converted: Converted, mirror: Mirror, sha: str, path: str) -> bool:
    """Whether a translation's own file lies in several package directories."""
    name = path.removeprefix("objectTranslations/").removesuffix(".objectTranslation")
    wanted = f"/{name}/{name}.objectTranslation-meta.xml"
    found = [own for own in mirror.tree(sha) if f"/{own}".endswith(wanted)]
    return path.startswith("objectTranslations/") and len(found) > 1


@pytest.mark.parametrize("path", official.projects(), ids=lambda path: path.parent.name)
def test_conversion_is_the_official_one(path: Path, tmp_path: Path) -> None:
    mirror = Mirror(path)
    sha = official.head(mirror)
    if not sha:
        pytest.skip("the project has no main branch")
    form = _form(mirror, sha)
    if form.name != "source":
        pytest.skip("the project is in metadata format")
    project = tmp_path / "project"
    if official.check_out(mirror, sha, project):
        mirror, sha = official.committed(project, tmp_path / "whole.git")
    directories = tuple(own for own in form.directories if (project / own).is_dir())
    refused = ""
    try:
        converted = ours(mirror, sha)
        held = layout.read(converted.files, converted.origins)
    except InvalidInput as refusal:
        refused = f"{refusal.code}: {refusal.message}"
    try:
        theirs = official.convert(project, tmp_path / "output", directories)
    except RuntimeError as fault:
        if not refused and not any(words in str(fault) for words in TAKEN):
            raise
        return
    if refused:
        why = REFUSED.get(refused.partition(":")[0])
        assert why, refused
        pytest.skip(f"{why}: {refused}")
    assert set(converted.files) == set(theirs.files)
    differing = [
        name
        for name, content in converted.files.items()
        if not same(name, content, theirs.files[name])
        and not two_frames(converted, mirror, sha, name)
    ]
    assert differing == []
    members = manifest.of_files(converted.files, held, converted.registry)
    ours_only, theirs_only = _apart(members, theirs.manifest)
    assert [one for one in ours_only if not _forgotten(converted, theirs, one)] == []
    assert [one for one in theirs_only if not _unnamed(converted, one, ours_only)] == []


Members = set[tuple[str, str]]


def _apart(one: Mapping[str, Iterable[str]], two: Mapping[str, Iterable[str]]) -> list[Members]:
    """What only the one and what only the other manifest lists."""
    first, second = ({(kind, name) for kind, names in side.items() for name in names}
                     for side in (one, two))  # fmt: skip
    return [first - second, second - first]


def _forgotten(converted: Converted, theirs: Official, member: tuple[str, str]) -> bool:
    """Whether the official converter does not list what its own package holds."""
    kind, name = member
    if kind == "CustomObject":
        return b"<fullName>" not in theirs.files.get(f"objects/{name}.object", b"<fullName>")
    inside = kind == "LightningComponentBundle" and f"lwc/{name}/{name}.js" in theirs.files
    return inside or _named_inside(converted, member)


def _named_inside(converted: Converted, member: tuple[str, str]) -> bool:
    """Whether a child's name stands in its parent's file."""
    parent, _, name = member[1].partition(".")
    wanted = f"<fullName>{name}</fullName>".encode()
    files = [
        path for path in converted.files if path.rpartition("/")[2].partition(".")[0] == parent
    ]
    return bool(name) and any(wanted in converted.files[path] for path in files)


def _unnamed(converted: Converted, member: tuple[str, str], ours_only: Members) -> bool:
    """Whether the official converter lists what has another name in its file, or its parent."""
    if _named_inside(converted, member):
        return False
    parent = member[1].partition(".")[0]
    return any(name.partition(".")[0] == parent for _kind, name in ours_only)


def _form(mirror: Mirror, sha: str) -> Layout:
    try:
        return mirror.format(sha)
    except InvalidInput as refusal:
        pytest.skip(f"this is no Salesforce project, or several: {refusal.message}")
