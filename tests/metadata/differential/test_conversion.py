"""Our conversion against Salesforce's own, on real projects: every difference has a reason here.

Known differences, where ours is right:
- text at the ends of an element is kept (the official converter trims it when it puts files
  together), so texts are compared trimmed;
- an expanded archive is written without the present time, so archives are compared by content;
- a text that holds a character reference as people see it (``&amp;#8212;``) stays that text, where
  the official converter turns it into the character;
- a translation whose frame lies in two package directories keeps both frames.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from core.errors import InvalidInput
from metadata import layout, manifest
from metadata.convert.commit import Converted
from metadata.convert.commit import convert as ours
from metadata.mirrors import Mirror
from tests.metadata.differential import official

WHY_NOT = official.missing()
pytestmark = [
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "present"),
    pytest.mark.timeout(400),
]


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
    try:
        converted = ours(mirror, sha)
    except InvalidInput as refusal:
        if refusal.code in ("metadata.none", "metadata.ambiguous"):
            pytest.skip("this is no Salesforce project, or several")
        if refusal.code != "metadata.duplicate":
            raise
        pytest.skip(f"the official converter takes one of two by chance: {refusal.message}")
    if converted.layout.name != "source":
        pytest.skip("the project is in metadata format")
    official.check_out(mirror, sha, tmp_path / "project")
    directories = converted.layout.directories
    theirs = official.convert(tmp_path / "project", tmp_path / "output", directories)
    assert set(converted.files) == set(theirs.files)
    differing = [
        name
        for name, content in converted.files.items()
        if not same(name, content, theirs.files[name])
        and not two_frames(converted, mirror, sha, name)
    ]
    assert differing == []
    form = layout.read(converted.files, converted.origins)
    members = manifest.of_files(converted.files, form, converted.registry)
    assert {name: set(listed) for name, listed in members.items()} == theirs.manifest
