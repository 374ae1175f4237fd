"""Search: what finds what, and how much it asks of the database."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard import search
from tests.support.company import Company, hex_of


def finds(text: str) -> dict[str, list[str]]:
    return {group.title: [hit.title for hit in group.hits] for group in search.find(text)}


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("october", "Releases", "October train"),
        (hex_of("October train")[:9], "Releases", "October train"),
        (f"A·{hex_of('October train')[:7]}", "Releases", "October train"),
        (f"sha256:{hex_of('October train')}", "Releases", "October train"),
        ("sales test", "Environments", "Sales TEST"),
        ("00D000000000001", "Environments", "Sales CI"),
        ("platform", "Teams", "Platform"),
        ("PRIYA", "People", "Priya Raman"),
        ("tomas@northwind", "People", "Tomás Ruiz"),
        ("v1.1", "Candidates", "Sales v1.1.0"),
        ("v1.1", "Branches and tags", "v1.1.0"),
        (hex_of("sales 3")[:8].upper(), "Commits", "SAL-12 Give renewal quotes the household"),
        ("SAL-1", "Work items", "Households on accounts"),
    ],
)
def test_words_find_the_thing_they_name(company: Company, text: str, kind: str, title: str) -> None:
    assert any(found.startswith(title) for found in finds(text)[kind])


@pytest.mark.parametrize("length", [15, 18])
def test_the_orgs_own_deploy_id_finds_the_deployment_in_both_spellings(
    company: Company, length: int
) -> None:
    step = company.deployments["running"].steps.exclude(remote_id="").get()
    group = search.find(step.remote_id[:length])[0]
    assert [hit.ref for hit in group.hits] == [company.deployments["running"].public_id]


@pytest.mark.parametrize("text", ["", " ", "x", "no such thing anywhere", "%", "_", "'; drop"])
def test_nothing_is_found_for_what_is_nowhere(company: Company, text: str) -> None:
    assert finds(text) == {}


def test_a_long_question_is_cut_and_answered(company: Company) -> None:
    assert finds("a" * 5_000) == {}


@pytest.mark.parametrize("spelling", ["{}", " {} ", "{lower}"])
def test_an_id_is_an_address(company: Company, spelling: str) -> None:
    release = company.releases["October train"]
    text = spelling.format(release.public_id, lower=release.public_id.lower())
    assert search.address_of(text) == release.get_absolute_url()


@pytest.mark.parametrize("text", ["R-999999", "X-1", "R-0", "R-", "release R-1", ""])
def test_what_is_no_id_of_anything_is_not_an_address(company: Company, text: str) -> None:
    assert search.address_of(text) is None


def test_search_asks_one_query_a_kind(
    company: Company, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(9):
        search.find("v1.1.0")
    with django_assert_max_num_queries(9):
        search.find(hex_of("sales 3")[:4])


def test_a_kind_shows_a_page_full_and_says_that_there_is_more(company: Company) -> None:
    commits = next(group for group in search.find("train") if group.title == "Deployments")
    assert len(commits.hits) <= search.SHOWN
    assert not commits.has_more
    many = next(group for group in search.find("northwind.example") if group.title == "People")
    assert len(many.hits) == search.SHOWN
    assert many.has_more


def test_the_page_repeats_the_question_and_never_runs_it(company: Company, client: Client) -> None:
    client.force_login(company.people["ana"])
    page = client.get("/search/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_id_leads_straight_to_its_page(company: Company, client: Client) -> None:
    client.force_login(company.people["ana"])
    release = company.releases["October train"]
    answer = client.get("/search/", {"q": release.public_id})
    assert (answer.status_code, answer["Location"]) == (302, release.get_absolute_url())
