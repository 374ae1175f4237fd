"""The first page: four answers, in order, for the person who asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html

from dashboard import pipeline
from environments.rules import Standing, StandingFacts, standing
from environments.states import Connection, HoldState
from governance.models import Team
from tests.support.company import Company


def page_of(client: Client, **headers: str) -> Any:
    answer = client.get("/", headers=headers)
    assert answer.status_code == 200
    return html.fromstring(answer.content)


def text_of(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_the_first_screen_answers_four_questions_in_order(company: Company, client: Client) -> None:
    client.force_login(company.people["ana"])
    heads = [text_of(head).rstrip(" 0123456789") for head in page_of(client).xpath("//main//h2")]
    assert heads == [
        "Waiting for you",
        "Running",
        "Next window",
        "Environments",
        "Needs attention",
    ]


def test_a_board_member_sees_the_release_that_needs_a_decision(
    company: Company, client: Client
) -> None:
    client.force_login(company.people["ana"])
    page = page_of(client)
    release = company.releases["October train"]
    rows = page.xpath("//section[@id='waiting']//li")
    assert any(release.public_id in text_of(row) for row in rows)
    assert text_of(page.xpath("//*[@id='inbox']/*[@class='badge']")[0]) == str(len(rows))


def test_a_developer_of_a_contributing_team_is_not_asked_to_approve(
    company: Company, client: Client
) -> None:
    client.force_login(company.people["lena"])
    page = page_of(client)
    assert "Approve" not in text_of(page.xpath("//section[@id='waiting']")[0])


def test_what_runs_is_shown_with_native_progress(company: Company, client: Client) -> None:
    client.force_login(company.people["ana"])
    running = company.deployments["running"]
    row = next(
        row
        for row in page_of(client).xpath("//ul[@class='rows']/li[.//progress]")
        if running.public_id in text_of(row)
    )
    assert row.xpath(".//progress/@value | .//progress/@max") == ["796", "1284"]
    assert "796 of 1,284" in text_of(row)


def test_the_picture_is_a_nested_list_of_tracks_stages_and_edges(
    company: Company, client: Client
) -> None:
    client.force_login(company.people["ana"])
    picture = page_of(client).xpath("//div[@class='pipeline']")[0]
    tracks = picture.xpath("./ol/li//li[@class='track']")
    assert [text_of(track.xpath("./h3")[0]) for track in tracks] == ["Sales", "Service"]
    assert [text_of(node) for node in tracks[0].xpath(".//*[@class='node-name']")] == [
        "DEV",
        "CI",
        "TEST",
    ]
    production = picture.xpath("./ol/li[@class='main-track']")[0]
    assert [text_of(node) for node in production.xpath(".//*[@class='node-name']")] == [
        "CI",
        "PRE-PRD",
        "PRD",
    ]
    assert production.xpath(".//*[@data-gate='closed']")


def test_the_live_part_alone_is_answered_to_htmx_and_brings_the_inbox_along(
    company: Company, client: Client
) -> None:
    client.force_login(company.people["ana"])
    answer = client.get("/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer
    part = html.fromstring(f"<div>{answer}</div>")
    assert part.xpath("//*[@id='live']/@hx-get") == ["/"]
    assert part.xpath("//*[@id='inbox']/@hx-swap-oob") == ["true"]


def test_the_page_asks_again_often_only_while_something_runs(
    company: Company, client: Client
) -> None:
    client.force_login(company.people["ana"])
    assert page_of(client).xpath("//*[@id='live']/@hx-trigger") == ["every 3s"]


@pytest.mark.usefixtures("db")
def test_an_empty_installation_says_what_would_appear(client: Client) -> None:
    from governance.models import Membership, User

    team = Team.objects.create(slug="platform", name="Platform", owns_production=True)
    person = User.objects.create(email="ana@northwind.example", full_name="Ana Keller")
    Membership.objects.create(user=person, team=team, role="board_member")
    client.force_login(person)
    page = page_of(client)
    assert len(page.xpath("//main//div[@class='empty']")) == 5
    assert page.xpath("//*[@id='live']/@hx-trigger") == ["every 15s"]


def test_somebody_who_is_not_signed_in_is_asked_to(db: None, client: Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/")


def test_thirty_teams_cost_no_more_queries_than_two(company: Company, client: Client) -> None:
    client.force_login(company.people["ana"])
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    for number in range(30):
        Team.objects.create(slug=f"team-{number}", name=f"Team {number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/")
    assert len(many) == len(few)
    # One gate in it: it asks three small questions where one statement took longer to plan.
    assert len(few) <= 61, "\n".join(query["sql"][:160] for query in few.captured_queries)


EVERY_STANDING: list[Standing] = [
    standing(
        StandingFacts(
            retired=retired,
            has_credential=has_credential,
            in_use_by=in_use_by,
            checking=checking,
            connection=connection_state,
            connection_message="",
            hold_state=hold_state,
            hold_note="",
        )
    )
    for retired in (True, False)
    for has_credential in (True, False)
    for in_use_by in ("", "D-1087")
    for checking in (True, False)
    for connection_state in Connection
    for hold_state in HoldState
]


def test_every_word_of_an_environment_fits_a_node() -> None:
    words = {pipeline.short_word(fact.word) for fact in EVERY_STANDING}
    assert max(map(len, words)) <= 10
    assert set(pipeline.SHORT_WORDS) <= {fact.word for fact in EVERY_STANDING}
