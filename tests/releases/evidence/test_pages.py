"""The pages: asking, downloading, sampling, walking through, explaining."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from governance.models import AuditEvent
from releases.evidence import sampling
from releases.models import AuditSample, Deployment, EvidencePack, OrgDeployment
from tests.releases.evidence.conftest import made
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company

EVIDENCE = "/evidence/"


def newest(event: str) -> AuditEvent:
    return AuditEvent.objects.filter(event=event).latest("pk")


def test_pack_of_a_release_is_one_click_and_leaves_its_traces(
    company: Company, as_person: Looks
) -> None:
    release = company.releases["October train"]
    auditor = as_person("paul")
    assert "Evidence pack" in words(page_of(auditor, release.get_absolute_url()))
    auditor.post(reverse("releases:evidence_release", kwargs={"pk": release.pk}))
    pack = EvidencePack.objects.latest("pk")
    assert (pack.release, pack.state) == (release, "queued")
    made(pack)
    assert pack.state == "ready", pack.message
    page = words(page_of(auditor, pack.get_absolute_url()))
    assert "Ready" in page
    answer: Any = auditor.post(reverse("releases:evidence_download", kwargs={"pk": pack.pk}))
    content = b"".join(answer.streaming_content)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        folder = f"evidence-{release.public_id}/"
        assert all(name.startswith(folder) for name in packed.namelist())
        listed = packed.read(f"{folder}population.csv").decode()
    told = {row["change"] for row in csv.DictReader(io.StringIO(listed))}
    assert told == {row.public_id for row in release.deployments.all()}
    assert newest("evidence.requested").actor_name == "Paul Weiss"
    assert newest("evidence.made").actor_kind == "worker"
    assert newest("evidence.downloaded").actor_name == "Paul Weiss"
    assert release.public_id in newest("evidence.downloaded").related


@pytest.mark.parametrize("who", ["priya", "lena"])
def test_people_of_teams_get_no_evidence(company: Company, as_person: Looks, who: str) -> None:
    client = as_person(who)
    pack = EvidencePack.objects.latest("pk")
    assert client.get(EVIDENCE).status_code == 403
    assert client.get(pack.get_absolute_url()).status_code == 403
    release = company.releases["October train"]
    asked = client.post(reverse("releases:evidence_release", kwargs={"pk": release.pk}))
    assert asked.status_code == 403
    assert "Evidence pack" not in words(page_of(client, release.get_absolute_url()))


def test_auditor_reads_and_changes_nothing(company: Company, as_person: Looks) -> None:
    auditor = as_person("paul")
    row = OrgDeployment.objects.latest("pk")
    explain = reverse("releases:reported_explain", kwargs={"pk": row.pk})
    assert auditor.post(explain, {"explanation": "me"}).status_code == 403


def test_period_that_ends_before_it_begins_is_refused_beside_the_form(
    company: Company, as_person: Looks
) -> None:
    answer = as_person("paul").post(EVIDENCE, {"since": "2026-10-02", "until": "2026-10-01"})
    assert answer.status_code == 422
    assert "before the first one" in answer.content.decode()


def test_sample_is_drawn_by_the_seed_and_anybody_can_draw_it_again(
    company: Company, as_person: Looks
) -> None:
    sample = AuditSample.objects.latest("pk")
    writing = Deployment.objects.filter(environment__track__kind="production").exclude(
        purpose="prepare"
    )
    names = [row.public_id for row in writing]
    again = sorted(names, key=lambda name: sampling.key_of(name, "walnut"))[:3]
    assert sample.picked == again
    page = words(page_of(as_person("paul"), sample.get_absolute_url()))
    assert "walnut" in page
    assert "Drawn again: the same" in page
    answer: Any = as_person("paul").get(reverse("releases:sample_csv", kwargs={"pk": sample.pk}))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["change"] for row in rows] == again
    assert newest("evidence.sample_drawn").actor_name == "Paul Weiss"


def test_other_seed_gives_another_sample() -> None:
    names = [f"D-{number}" for number in range(200)]
    assert sampling.draw(names, "a", 20) != sampling.draw(names, "b", 20)
    assert sampling.draw(names[::-1], "a", 20) == sampling.draw(names, "a", 20)


def test_walk_through_tells_one_change_and_that_an_auditor_looked(
    company: Company, as_person: Looks
) -> None:
    row = Deployment.objects.filter(release=company.releases["October train"]).latest("pk")
    address = reverse("releases:walkthrough", kwargs={"pk": row.pk})
    before = AuditEvent.objects.filter(event="evidence.opened").count()
    as_person("ana").get(address)
    assert AuditEvent.objects.filter(event="evidence.opened").count() == before
    page = words(page_of(as_person("paul"), address))
    request = row.approval
    assert request is not None
    for wanted in (
        "Segregation of duties",
        "Marek Novák",
        request.public_id,
        "SAL-12",
        "not recorded",
    ):
        assert wanted in page
    assert newest("evidence.opened").subject_ref == row.public_id
    paper = as_person("paul").get(reverse("releases:record_pdf", kwargs={"pk": row.pk}))
    assert paper.content.startswith(b"%PDF")


def test_attempt_on_an_unprotected_org_has_no_walk_through(
    company: Company, as_person: Looks
) -> None:
    row = company.deployments["running"]
    answer = as_person("paul").get(reverse("releases:walkthrough", kwargs={"pk": row.pk}))
    assert answer.status_code == 404


def test_unexplained_change_stands_on_home_until_it_is_explained(
    company: Company, as_person: Looks
) -> None:
    assert "unexplained change" in words(page_of(as_person("ana"), "/"))
    row = OrgDeployment.objects.latest("pk")
    explain = reverse("releases:reported_explain", kwargs={"pk": row.pk})
    as_person("marek").post(explain, {"explanation": "Hotfix of INC-12 by Ada."})
    assert "unexplained change" not in words(page_of(as_person("ana"), "/"))
    row.refresh_from_db()
    assert row.explained_by == company.people["marek"]
    again = as_person("marek").post(explain, {"explanation": "Again."})
    assert again.status_code == 409


def test_cells_that_a_spreadsheet_would_run_are_defused(company: Company, as_person: Looks) -> None:
    release = company.releases["October train"]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE releases_release SET title = %s WHERE id = %s",
            ["=cmd|' /C calc'!A0", release.pk],
        )
    as_person("paul").post(reverse("releases:evidence_release", kwargs={"pk": release.pk}))
    pack = made(EvidencePack.objects.latest("pk"))
    answer: Any = as_person("paul").post(
        reverse("releases:evidence_download", kwargs={"pk": pack.pk})
    )
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as packed:
        folder = f"evidence-{release.public_id}/"
        listed = packed.read(f"{folder}population.csv").decode()
    titles = {row["title"] for row in csv.DictReader(io.StringIO(listed))}
    assert titles == {"'=cmd|' /C calc'!A0"}
