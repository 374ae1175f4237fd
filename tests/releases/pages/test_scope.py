"""A release carries the candidates' whole packages, or only what differs from production."""

from __future__ import annotations

from typing import cast

import pytest
from django.urls import reverse

from core import blobs
from core.errors import NotNow
from jobs.registry import Claim
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from metadata.package import read_zip
from releases.models import Release, ReleaseChange
from releases.services import packaging, releases
from releases.states import ReleaseState
from releases.workers import composing
from tests.factories import releases as make
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company, acting
from tests.support.databases import as_role
from tests.support.moves import reach

NS = "xmlns='http://soap.sforce.com/2006/04/metadata'"
META = f"<ApexClass {NS}><status>Active</status></ApexClass>".encode()


class Held:
    """A claim that nobody takes away."""

    def guard(self) -> None:
        """Hold."""


def form(**codes: str) -> NormalForm:
    return NormalForm(
        {
            ComponentKey("ApexClass", name): {
                f"classes/{name}.cls": f"class {name} {{{code}}}".encode(),
                f"classes/{name}.cls-meta.xml": META,
            }
            for name, code in codes.items()
        }
    )


@pytest.mark.parametrize(
    ("scope", "carried"),
    [("whole", {"New", "Other", "Same"}), ("delta", {"New", "Other"})],
)
def test_package_of_a_release_holds_what_was_chosen(
    company: Company, as_person: Looks, scope: str, carried: set[str]
) -> None:
    sent = {"title": "Small train", "bump": "patch", "scope": scope}
    assert as_person("marek").post(reverse("releases:new"), sent).status_code == 302
    release = Release.objects.get(title="Small train")
    with as_role("build"):
        production = packaging.form_of(packaging.keep(form(Same="", Other="")))
        artefact = packaging.keep(form(Same="", Other="int a;", New=""))
    candidate = make.offered(company, "sales", "v9", artefact=artefact)
    with acting(company.people["marek"]):
        releases.add_candidate(release_id=release.pk, candidate_id=candidate.pk)
    reach(release, ReleaseState.COMPOSING)
    with acting(company.people["marek"]), as_role("build"):
        composing._compose(cast(Claim, Held()), release, production)
    release.refresh_from_db()
    assert release.artefact is not None
    assert {key.name for key in read_zip(blobs.get(release.artefact.blob))} == carried
    assert {row.name for row in ReleaseChange.objects.filter(release=release)} == {
        "New", "Other", "Same",
    }  # fmt: skip
    shown = words(page_of(as_person("marek"), release.get_absolute_url()))
    assert str(release.get_scope_display()) in shown
    other = ({"whole", "delta"} - {scope}).pop()
    with acting(company.people["marek"]), pytest.raises(NotNow) as refusal:
        releases.edit(release_id=release.pk, scope=other)
    assert refusal.value.code == "release.scope_composed"


def test_draft_may_change_its_mind_and_saying_nothing_changes_nothing(
    company: Company, as_person: Looks
) -> None:
    with acting(company.people["marek"]):
        release = releases.create(title="Undecided", bump="patch", scope="delta")
    edit = reverse("releases:release_edit", kwargs={"pk": release.pk})
    assert as_person("marek").post(edit, {"title": "Undecided"}).status_code == 302
    release.refresh_from_db()
    assert release.scope == "delta"
    sent = {"title": "Undecided", "scope": "whole"}
    assert as_person("marek").post(edit, sent).status_code == 302
    release.refresh_from_db()
    assert release.scope == "whole"
