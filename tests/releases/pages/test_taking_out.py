"""A candidate leaves a release on its page; the rest is composed anew, before and after the first
release to production.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from environments.models import Snapshot
from jobs import registry, runner
from jobs.models import Work
from metadata.components import ComponentKey
from metadata.layout import read
from metadata.normal import NormalForm
from releases.models import Candidate, KnownTest, Release
from releases.selectors import changes, marks, testing
from releases.services import releases
from tests.metadata.repositories import CLASS_META
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company, acting
from tests.support.company.reading import kept
from tests.support.company.trains import went_out
from tests.support.company.work import packaged
from tests.support.databases import as_role
from tests.support.moves import reach


def classes(**bodies: str) -> NormalForm:
    """A package of Apex classes by name."""
    files = {}
    for name, body in bodies.items():
        files[f"classes/{name}.cls"] = f"public class {name} {{ {body} }}\n".encode()
        files[f"classes/{name}.cls-meta.xml"] = CLASS_META.encode()
    return read(files)


PRODUCTION = classes(Base="", Tier="Integer points = 1;")
SALES = classes(Area="", Tier="Integer points = 2;")
SERVICE = classes(CaseReopen="Area area = new Area();")


def offered(company: Company, slug: str, tag: str, form: NormalForm) -> Candidate:
    """A team's candidate with this content."""
    lead = company.people["priya" if slug == "sales" else "tomas"]
    row = Candidate.objects.create(
        repository=company.repositories[slug],
        team=company.teams[slug],
        tag=tag,
        sha=company.commits[f"{slug} 2"].sha,
        created_by=lead,
    )
    packaged(row, artefact=kept(form))
    reach(row, "offered")
    return row


def composed(release: Release, production: NormalForm = PRODUCTION) -> list[str]:
    """Let production's snapshot arrive and the build worker compose; what the release brings."""
    release.refresh_from_db()
    assert release.state == "composing"
    artefact = kept(production)
    assert release.base_snapshot is not None
    rows = Snapshot.objects.filter(pk=release.base_snapshot.pk)
    with as_role("deploy"):
        rows.update(state="retrieving")
        rows.update(
            state="done",
            blob=artefact.blob,
            content_digest=artefact.digest,
            taken_at=artefact.created_at,
        )
    registry.autodiscover()
    work = Work.objects.get(kind=releases.COMPOSE_KIND, subject_id=release.pk)
    with as_role("build"):
        runner.advance("build", [work.pk])
    release.refresh_from_db()
    assert release.state == "composed", release.state_note
    brought = release.changes.filter(artefact=release.artefact).exclude(kind="unchanged")
    return sorted(brought.values_list("name", flat=True))


@pytest.mark.parametrize("first", [True, False], ids=["before-the-first-release", "after-it"])
def test_what_is_taken_out_leaves_the_package_and_who_needs_it_is_named(
    company: Company, as_person: Looks, tmp_path: Path, settings: Any, *, first: bool
) -> None:
    settings.GATEHOUSE = dataclasses.replace(settings.GATEHOUSE, mirrors_dir=tmp_path)
    if not first:
        went_out(company, offered(company, "sales", "v0.1.0", PRODUCTION))
    sales = offered(company, "sales", "v2.0.0", SALES)
    service = offered(company, "service", "v2.0.0", SERVICE)
    with acting(company.people["marek"]):
        release = releases.create(title="Callbacks", bump="minor")
        for row in (sales, service):
            releases.add_candidate(release_id=release.pk, candidate_id=row.pk)
    browser = as_person("marek")
    browser.post(reverse("releases:release_compose", kwargs={"pk": release.pk}))
    gone = [] if first else ["Base"]
    assert composed(release) == sorted(["Area", "CaseReopen", "Tier", *gone])
    keys = {"pk": release.pk, "candidate_pk": sales.pk}
    address = reverse("releases:release_remove", kwargs=keys)
    said = words(page_of(browser, address))
    assert "CaseReopen names" in said
    assert "Area" in said
    answer = browser.post(address, follow=True)
    assert "A worker composes the rest now" in answer.content.decode()
    assert composed(release) == ["CaseReopen"]


def test_composed_anew_it_shows_what_it_changes_in_production_as_that_is_now(
    company: Company, tmp_path: Path, settings: Any
) -> None:
    """The artefact is the same one: only production has moved on."""
    settings.GATEHOUSE = dataclasses.replace(settings.GATEHOUSE, mirrors_dir=tmp_path)
    key = ComponentKey("ApexTrigger", "Renewals")
    trigger = {"triggers/Renewals.trigger": b"trigger Renewals on Case (before insert) {}"}
    brings = NormalForm({**SALES, key: trigger})
    sales = offered(company, "sales", "v2.0.0", brings)
    with acting(company.people["marek"]):
        release = releases.create(title="Renewals", bump="minor")
        releases.add_candidate(release_id=release.pk, candidate_id=sales.pk)
        releases.compose(release_id=release.pk)
    composed(release, brings)
    artefact = release.artefact
    assert (changes.rows_of(release), marks.of(release)) == ([], ())
    with acting(company.people["marek"]):
        releases.reopen(release_id=release.pk, reason="production moved on")
        releases.compose(release_id=release.pk)
    moved = {"triggers/Renewals.trigger": b"trigger Renewals on Case (before insert) { mended(); }"}
    composed(release, NormalForm({**brings, key: moved}))
    assert release.artefact == artefact
    assert [row.name for row in changes.rows_of(release)] == ["Renewals"]
    assert changes.table(release).same == len(SALES)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT releases_marks(id, artefact_id) FROM releases_release WHERE id = %s",
            [release.pk],
        )
        assert tuple(cursor.fetchone()[0]) == marks.of(release) == ("automation", "busy_flow")
    assert KnownTest.objects.filter(release=release).count() == 2 * testing.known(release).count()
