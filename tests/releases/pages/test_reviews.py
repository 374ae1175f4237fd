"""How a release went is written down afterwards, by whom it concerns, and stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from governance.models import AuditEvent
from releases.evidence.record import change_record
from releases.evidence.telling import sections
from releases.models import Deployment, Release, ReleaseReview
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company
from tests.support.databases import as_role

SAID = {
    "outcome": "with_problems",
    "review": "Renewals were priced right; the layout of quotes lost a field for an hour.",
    "incidents": "INC-4711",
}


def address(release: Release) -> str:
    return reverse("releases:release_review", kwargs={"pk": release.pk})


@pytest.mark.parametrize("who", ["marek", "ana"])
def test_managers_and_the_board_write_it_and_everybody_reads_it(
    company: Company, as_person: Looks, who: str
) -> None:
    release = company.releases["September train"]
    client = as_person(who)
    assert "Review how it went" in words(page_of(client, release.get_absolute_url()))
    answer = client.post(address(release), SAID)
    assert answer.status_code == 302, answer.content.decode()
    page = words(page_of(as_person("lena"), release.get_absolute_url()))
    assert "It did, and brought problems" in page
    assert "the layout of quotes lost a field" in page
    assert "INC-4711" in page
    assert "Review how it went" not in page
    event = AuditEvent.objects.filter(event="release.reviewed").latest("pk")
    assert (event.subject_ref, event.actor_id) == (release.public_id, company.people[who].pk)


@pytest.mark.parametrize(
    ("change", "words_of_it"),
    [
        ({"outcome": "splendid"}, "Select a valid choice"),
        ({"review": "It went well."}, "Say what came of it"),
        ({"review": ""}, "required"),
    ],
)
def test_what_says_nothing_is_refused_and_loses_nothing(
    company: Company, as_person: Looks, change: dict[str, str], words_of_it: str
) -> None:
    release = company.releases["September train"]
    answer = as_person("marek").post(address(release), {**SAID, **change})
    assert answer.status_code == 422
    told = answer.content.decode()
    assert words_of_it in told
    assert "INC-4711" in told
    assert not ReleaseReview.objects.exists()


@pytest.mark.parametrize("who", ["lena", "priya", "paul"])
def test_others_are_refused(company: Company, as_person: Looks, who: str) -> None:
    answer = as_person(who).post(address(company.releases["September train"]), SAID)
    assert answer.status_code == 403
    assert not ReleaseReview.objects.exists()


def test_a_release_that_has_not_run_is_not_reviewed(company: Company, as_person: Looks) -> None:
    release = company.releases["October train"]
    assert "Review how it went" not in words(
        page_of(as_person("marek"), release.get_absolute_url())
    )
    answer = as_person("marek").post(address(release), SAID)
    assert answer.status_code == 409
    assert "has not run on production" in answer.content.decode()


def test_a_second_review_adds_to_the_first_and_neither_changes(
    company: Company, as_person: Looks
) -> None:
    release = company.releases["September train"]
    as_person("marek").post(address(release), SAID)
    as_person("ana").post(address(release), {**SAID, "outcome": "as_meant"})
    assert [row.outcome for row in ReleaseReview.objects.filter(release=release)] == [
        "with_problems",
        "as_meant",
    ]
    for statement in (
        "UPDATE releases_releasereview SET review = 'All was well, nothing to see.'",
        "DELETE FROM releases_releasereview",
        "TRUNCATE releases_releasereview",
    ):
        with (
            pytest.raises(DatabaseError, match=r"append-only|permission denied"),
            transaction.atomic(),
            as_role("web"),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def record_of(release: Release) -> dict[str, Any]:
    row = Deployment.objects.filter(release=release, environment__stage="PRD").latest("pk")
    return change_record(row.pk)


def test_the_record_tells_reviews_back_outs_and_tests_left_out(
    company: Company, as_person: Looks
) -> None:
    release = company.releases["September train"]
    record = record_of(release)
    assert record["after"]["post_implementation_review"] == "not recorded"
    assert str(record["risk"]["last_proven_back_out"]).startswith("none")
    assert record["tests"]["accepted_exceptions"] == "none"
    as_person("ana").post(address(release), SAID)
    as_person("marek").post(address(release), {**SAID, "incidents": ""})
    after = record_of(release)["after"]
    assert after["related_incidents"] == ["INC-4711"]
    by_ana, by_marek = after["post_implementation_review"]
    assert by_ana["reviewed_by"]["name"] == "Ana Keller"
    assert by_ana["reviewer_had_no_hand_in_it"] is True
    assert by_marek["reviewer_had_no_hand_in_it"] is False
    tables = {table.title for told in sections(record_of(release)) for table in told.tables}
    assert "Post-implementation reviews" in tables
