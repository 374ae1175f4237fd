"""A commit that no package can be made of: the build worker says why, and the page shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.models import Work
from jobs.runner import advance
from jobs.wake import wake
from metadata.mirrors import Mirror
from releases.models import Build
from releases.services import builds
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT
from tests.metadata.test_bad_input import imported
from tests.metadata.test_refusals import POINTER, SUBMODULE, with_entry
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company
from tests.support.databases import as_role

META = f"{BASE}/classes/A.cls-meta.xml"

REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "a Git LFS pointer": (
        {f"{BASE}/classes/A.cls": POINTER, META: CLASS_META},
        f"{BASE}/classes/A.cls is a Git LFS pointer",
    ),
    "a component of two package directories": (
        {
            f"{BASE}/one/flows/Go.flow-meta.xml": f"{HEAD}<Flow {NS}/>",
            f"{BASE}/two/flows/Go.flow-meta.xml": f"{HEAD}<Flow {NS}><label>B</label></Flow>",
        },
        f"by {BASE}/one/flows/Go.flow-meta.xml and by {BASE}/two/flows/Go.flow-meta.xml",
    ),
    "a submodule of itself": (
        {f"{BASE}/classes/A.cls": "class A {}", META: CLASS_META},
        f"{BASE}/other is a submodule",
    ),
}


@pytest.mark.parametrize(("tree", "words_of_it"), REFUSED.values(), ids=REFUSED.keys())
def test_refusal_of_a_build_names_file_and_reason_on_its_page(
    company: Company,
    as_person: Looks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tree: dict[str, str],
    words_of_it: str,
) -> None:
    [sha] = imported(tmp_path / "r", {"sfdx-project.json": PROJECT} | tree)
    if "submodule" in words_of_it:
        sha = with_entry(tmp_path / "r", SUBMODULE, sha, f"{BASE}/other")
    monkeypatch.setattr("releases.gateways.mirror_of", lambda _repository: Mirror(tmp_path / "r"))
    row = Build.objects.create(repository=company.repositories["sales"], sha=sha, branch="main")
    wake(builds.KIND, row.pk)
    work = Work.objects.get(kind=builds.KIND, subject_id=row.pk)
    with as_role("build"):
        advance("build", [work.pk])
    row.refresh_from_db()
    assert (row.state, row.artefact) == ("failed", None)
    assert words_of_it in row.message
    assert words_of_it in words(page_of(as_person("lena"), row.get_absolute_url()))
