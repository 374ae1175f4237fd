"""Lists: filters in the address, keyset paging, files."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from releases.selectors import paging
from tests.factories import releases as more
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company

RELEASES = "/releases/"
DEPLOYMENTS = "/deployments/"


def names(page: Any) -> list[str]:
    """Public ids of the rows."""
    return [words(link) for link in page.xpath("//tbody/tr/th//a[@class='ref']")]


def link(page: Any, label: str) -> str | None:
    """Address of the link to the neighbouring page."""
    found = [part for part in page.xpath("//nav[@class='pager']//a") if label in words(part)]
    return found[0].get("href") if found else None


def lines(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


class TestReleases:
    """The list of releases."""

    def test_shows_the_newest_first_with_state_and_teams(
        self, company: Company, as_person: Looks
    ) -> None:
        page = page_of(as_person("ana"), RELEASES)
        titles = ("November train", "October train", "September train")
        assert names(page) == [company.releases[title].public_id for title in titles]
        row = words(page.xpath("//tbody/tr")[1])
        assert "Waiting for approval" in row
        assert "Sales, Service" in row

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("state=open", ["November train", "October train"]),
            ("state=submitted", ["October train"]),
            ("state=deployed", ["September train"]),
            ("team=service", ["October train"]),
            ("team=nobody", []),
            ("q=october", ["October train"]),
            ("q=1.0", ["September train"]),
            ("q=nothing", []),
            ("state=nonsense", ["November train", "October train", "September train"]),
        ],
    )
    def test_is_filtered_by_the_address(
        self, company: Company, as_person: Looks, asked: str, found: list[str]
    ) -> None:
        page = page_of(as_person("ana"), f"{RELEASES}?{asked}")
        assert names(page) == [company.releases[title].public_id for title in found]

    def test_is_searched_by_public_id_and_digest(self, company: Company, as_person: Looks) -> None:
        release = company.releases["October train"]
        assert release.artefact is not None
        for query in (release.public_id, release.artefact.digest.removeprefix("sha256:")[:9]):
            assert names(page_of(as_person("ana"), f"{RELEASES}?q={query}")) == [release.public_id]

    def test_pages_lead_there_and_back_and_keep_the_filter(
        self, company: Company, as_person: Looks
    ) -> None:
        more.past_releases(company, 65)
        client = as_person("ana")
        first = page_of(client, f"{RELEASES}?state=closed")
        assert link(first, "Newer") is None
        second = page_of(client, RELEASES + str(link(first, "Older")))
        third = page_of(client, RELEASES + str(link(second, "Older")))
        assert [len(names(page)) for page in (first, second, third)] == [30, 30, 5]
        assert len({*names(first), *names(second), *names(third)}) == 65
        assert link(third, "Older") is None
        assert names(page_of(client, RELEASES + str(link(third, "Newer")))) == names(second)
        assert names(page_of(client, RELEASES + str(link(second, "Newer")))) == names(first)

    def test_the_file_has_what_the_list_has(self, company: Company, as_person: Looks) -> None:
        answer = as_person("paul").get(reverse("releases:list_csv"), {"state": "submitted"})
        assert [line["Title"] for line in lines(answer)] == ["October train"]

    def test_offered_candidates_that_nobody_took_are_told(
        self, company: Company, as_person: Looks
    ) -> None:
        candidate = more.offered(company, "service", "v3.0.0")
        said = words(page_of(as_person("marek"), RELEASES))
        assert "1 offered candidate is in no release." in said
        assert candidate.public_id in said

    def test_only_release_managers_open_releases_and_others_read_why(
        self, company: Company, as_person: Looks
    ) -> None:
        page = page_of(as_person("lena"), RELEASES)
        assert "release manager" in words(page.get_element_by_id("why-new"))
        assert as_person("lena").get(reverse("releases:new")).status_code == 403

    def test_asks_a_fixed_number_of_queries(
        self, company: Company, as_person: Looks, django_assert_max_num_queries: Any
    ) -> None:
        client = as_person("marek")
        with django_assert_max_num_queries(24, connection=connection) as before:
            client.get(RELEASES)
        more.past_releases(company, 40)
        with django_assert_max_num_queries(len(before.captured_queries), connection=connection):
            client.get(RELEASES)


class TestDeployments:
    """The list of deployments."""

    def test_is_filtered_by_state_purpose_and_environment(
        self, company: Company, as_person: Looks
    ) -> None:
        client = as_person("ana")
        unknown = company.deployments["unknown"].public_id
        assert names(page_of(client, f"{DEPLOYMENTS}?state=unknown")) == [unknown]
        live = names(page_of(client, f"{DEPLOYMENTS}?state=live"))
        assert company.deployments["running"].public_id in live
        prepared = page_of(client, f"{DEPLOYMENTS}?purpose=prepare")
        assert len(names(prepared)) == 2
        org = company.orgs["Rehearsal"]
        there = page_of(client, f"{DEPLOYMENTS}?environment={org.public_id}")
        assert len(names(there)) == 2
        assert "Deployments to Rehearsal" in words(there.xpath("//h1")[0])

    @pytest.mark.parametrize("query", ["{id}", "service v1.0.0", "Service TEST", "{sha}"])
    def test_is_searched_by_what_people_know(
        self, company: Company, as_person: Looks, query: str
    ) -> None:
        running = company.deployments["running"]
        asked = query.format(id=running.public_id, sha=running.artefact.digest[7:15])
        if asked == "service v1.0.0":
            asked = "v1.0.0"
        page = page_of(as_person("ana"), f"{DEPLOYMENTS}?q={asked}")
        assert running.public_id in names(page)
        assert company.deployments["unknown"].public_id not in names(page)

    def test_an_id_of_something_without_deployments_finds_none(
        self, company: Company, as_person: Looks
    ) -> None:
        page = page_of(as_person("ana"), f"{DEPLOYMENTS}?q=P-1")
        assert "No deployment matches." in words(page)

    def test_the_file_tells_times_and_who_asked(self, company: Company, as_person: Looks) -> None:
        answer = as_person("paul").get(reverse("releases:deployments_csv"), {"state": "failed"})
        (line,) = lines(answer)
        assert line["State"] == "Failed"
        assert line["Asked by"] == "Marek Novák"
        assert line["Seconds"] == "720"

    def test_asks_a_fixed_number_of_queries(
        self, company: Company, as_person: Looks, django_assert_max_num_queries: Any
    ) -> None:
        client = as_person("marek")
        with django_assert_max_num_queries(24, connection=connection) as before:
            client.get(DEPLOYMENTS)
        more.past_deployments(company, 25)
        with django_assert_max_num_queries(len(before.captured_queries), connection=connection):
            client.get(DEPLOYMENTS)


@pytest.mark.parametrize("text", ["", "x", "-1", "٣", "1" * 19, "1.5", "1 OR 1=1"])
def test_what_is_no_key_means_the_first_page(text: str) -> None:
    assert paging.Place.read(text, text) == paging.Place()
