"""The live page of one deployment."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from releases.models import Deployment
from releases.services import deployments
from releases.states import DeploymentState, Purpose
from tests.factories import releases as more
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import (
    button,
    is_off,
    labels,
    notices,
    page_of,
    read,
    section,
    words,
)
from tests.support.company import Company, acting
from tests.support.company.work import package, run
from tests.support.databases import as_role
from tests.support.moves import reach


@pytest.fixture
def running(company: Company) -> Deployment:
    """Service v1.0.0 on its way to TEST."""
    return company.deployments["running"]


@pytest.fixture
def unknown(company: Company) -> Deployment:
    """A build whose end nobody knows."""
    return company.deployments["unknown"]


@pytest.fixture
def failed(company: Company) -> Deployment:
    """A build that a test and a component stopped."""
    return company.deployments["service build 3"]


@pytest.fixture
def held(company: Company) -> Deployment:
    """The production deployment that waits for the board."""
    return company.releases["October train"].deployments.get(purpose="release")


def at(name: str, deployment: Deployment) -> str:
    return reverse(f"releases:deployment_{name}", kwargs={"pk": deployment.pk})


def steps_of(page: Any) -> list[Any]:
    return list(page.xpath("//ol[contains(@class, 'timeline')]/li"))


class TestTheTimeline:
    """Steps from top to bottom, the current one open."""

    def test_has_every_step_with_its_state_as_colour_shape_and_word(
        self, running: Deployment, as_person: Looks
    ) -> None:
        steps = steps_of(page_of(as_person("chloe"), running.get_absolute_url()))
        shown = [(step.get("data-state"), words(step.xpath(".//h3")[0])) for step in steps]
        assert shown == [("done", "1 Gate"), ("running", "2 Deploy"), ("waiting", "3 Verify")]
        spoken = [words(step.xpath(".//*[contains(@class, 'state')]")[0]) for step in steps]
        assert spoken == ["Allowed", "Running", "Waiting"]

    def test_the_current_step_is_open_with_counters_and_the_orgs_words(
        self, running: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("chloe"), running.get_absolute_url())
        current = page.xpath("//li[@aria-current='step']")
        assert len(current) == 1
        said = words(current[0])
        assert "21 of 21" in said
        assert "796 of 1,284" in said
        assert "the org says “Running tests”" in said
        bar = current[0].xpath(".//progress[@aria-label='Tests']")[0]
        assert (bar.get("value"), bar.get("max")) == ("796", "1284")

    def test_elapsed_time_stands_beside_what_is_usual(
        self, company: Company, running: Deployment, as_person: Looks
    ) -> None:
        head = words(page_of(as_person("chloe"), running.get_absolute_url()).xpath("//dl")[0])
        assert "12 of ~12 min" in head

    def test_failed_tests_come_before_component_errors(
        self, failed: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("tomas"), failed.get_absolute_url())
        heads = [words(head) for head in page.xpath("//*[@class='step-open']//h4")]
        assert heads == ["Failed tests 1", "Component errors 1"]

    def test_a_message_says_where_what_and_why_perhaps(
        self, failed: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("tomas"), failed.get_absolute_url())
        said = words(page.xpath("//*[contains(@class, 'message')]")[-1])
        assert "LoyaltyAccrualService" in said
        assert "Apex class · line 48, column 13" in said
        assert "Invalid type: lkit.TierCalculator" in said
        assert "Likely cause." in said

    def test_a_step_that_was_not_reached_says_so(
        self, failed: Deployment, as_person: Looks
    ) -> None:
        steps = steps_of(page_of(as_person("tomas"), failed.get_absolute_url()))
        assert "Not reached" in words(steps[-1])

    def test_a_skipped_step_claims_no_time(self, company: Company, as_person: Looks) -> None:
        deployment = run(
            company,
            Purpose.BUILD,
            "Sales CI",
            package("skipping"),
            build=company.builds["sales 2"],
            state=DeploymentState.RUNNING,
        )
        with as_role("deploy"):
            deployment.steps.filter(kind="verify").update(
                state="skipped", started_at=None, finished_at=company.now, note="Held already"
            )
        step = steps_of(page_of(as_person("priya"), deployment.get_absolute_url()))[-1]
        assert "Skipped" in words(step)
        assert words(step.xpath(".//*[@class='took']")[0]) == ""

    def test_a_flood_of_messages_is_cut_and_the_rest_is_one_click_away(
        self, failed: Deployment, as_person: Looks
    ) -> None:
        more.messages(failed, 80)
        client = as_person("tomas")
        page = page_of(client, failed.get_absolute_url())
        assert len(page.xpath("//*[contains(@class, 'message')]")) == 50
        assert "32 more" in words(page)
        every = page_of(client, f"{failed.get_absolute_url()}?messages=all")
        assert len(every.xpath("//*[contains(@class, 'message')]")) == 82


class TestPolling:
    """htmx asks for the live part alone, and only while something may change."""

    def test_a_running_deployment_polls(self, running: Deployment, as_person: Looks) -> None:
        page = page_of(as_person("chloe"), running.get_absolute_url())
        live = page.get_element_by_id("deployment-live")
        assert live.get("hx-trigger") == "every 2s"
        assert live.get("hx-get") == running.get_absolute_url()

    def test_one_that_waits_for_people_polls_seldom(
        self, held: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("marek"), held.get_absolute_url())
        assert page.get_element_by_id("deployment-live").get("hx-trigger") == "every 10s"

    def test_a_settled_one_does_not(self, failed: Deployment, as_person: Looks) -> None:
        page = page_of(as_person("chloe"), failed.get_absolute_url())
        assert page.get_element_by_id("deployment-live").get("hx-trigger") is None

    def test_the_answer_is_the_live_part(self, running: Deployment, as_person: Looks) -> None:
        answer = as_person("chloe").get(running.get_absolute_url(), headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert b"<html" not in answer.content

    def test_the_last_answer_stops_the_polling(self, failed: Deployment, as_person: Looks) -> None:
        answer = as_person("chloe").get(failed.get_absolute_url(), headers={"HX-Request": "true"})
        assert answer.status_code == 286


class TestTheGate:
    """What the gate says now."""

    def test_a_held_deployment_explains_itself_and_links_to_the_question(
        self, company: Company, held: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("marek"), held.get_absolute_url())
        assert any("waits for the decision of the release board" in said for said in notices(page))
        verdict = section(page, "verdict")
        assert "Held" in words(verdict)
        assert "approval" in words(verdict)
        address = reverse("releases:approval", kwargs={"pk": company.releases["October train"].pk})
        assert address in {link.get("href") for link in verdict.xpath(".//a")}

    @pytest.mark.parametrize("name", ["service build 3", "running", "unknown"])
    def test_is_not_asked_when_it_decides_nothing_any_more(
        self, company: Company, as_person: Looks, name: str
    ) -> None:
        page = page_of(as_person("marek"), company.deployments[name].get_absolute_url())
        assert "The gate, asked now" not in words(page)


class TestCancelling:
    """Who may stop it, and what that means."""

    def test_the_team_may_and_reads_the_consequence_first(
        self, running: Deployment, as_person: Looks
    ) -> None:
        client = as_person("chloe")
        assert "The org is asked to stop" in words(page_of(client, running.get_absolute_url()))
        answer = client.post(at("cancel", running), follow=True)
        assert any("is being cancelled" in said for said in notices(read(answer)))
        running.refresh_from_db()
        assert running.cancel_requested_by == client_person(answer)

    def test_somebody_of_another_team_sees_why_not_and_is_refused(
        self, running: Deployment, as_person: Looks
    ) -> None:
        client = as_person("lena")
        page = page_of(client, running.get_absolute_url())
        assert is_off(button(page, "Cancel: deploy"))
        assert "of Service" in words(page.get_element_by_id("why-cancel"))
        assert client.post(at("cancel", running)).status_code == 403
        running.refresh_from_db()
        assert running.cancel_requested_at is None

    def test_asking_twice_goes_back_with_the_sentence(
        self, running: Deployment, as_person: Looks
    ) -> None:
        client = as_person("chloe")
        client.post(at("cancel", running))
        page = page_of(client, running.get_absolute_url())
        assert is_off(button(page, "Cancel"))
        answer = client.post(at("cancel", running), follow=True)
        assert any("already being cancelled" in said for said in notices(read(answer)))

    def test_one_that_has_not_begun_says_that_nothing_was_touched(
        self, held: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("marek"), held.get_absolute_url())
        assert "Production has not been touched" in words(page)


def client_person(answer: Any) -> Any:
    return answer.context["user"]


class TestUnknown:
    """Nobody knows how it ended."""

    def test_explains_itself_and_offers_two_ways_on(
        self, unknown: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("marek"), unknown.get_absolute_url())
        assert any("Nothing is sent twice" in said for said in notices(page))
        offered = labels(page)
        assert "Ask the org again" in offered
        assert "Settle by hand…" in offered

    def test_who_may_not_settle_reads_which_role_may(
        self, unknown: Deployment, as_person: Looks
    ) -> None:
        page = page_of(as_person("chloe"), unknown.get_absolute_url())
        assert is_off(button(page, "Ask the org again"))
        assert "release manager" in words(page.get_element_by_id("why-ask"))
        assert as_person("chloe").post(at("ask", unknown)).status_code == 403

    def test_asking_again_wakes_a_worker(self, unknown: Deployment, as_person: Looks) -> None:
        answer = as_person("marek").post(at("ask", unknown), follow=True)
        assert any("asks the org again" in said for said in notices(read(answer)))

    def test_settling_keeps_who_said_what(
        self, company: Company, unknown: Deployment, as_person: Looks
    ) -> None:
        as_person("marek").post(
            at("settle", unknown), {"outcome": "succeeded", "note": "Deployment Status says so"}
        )
        unknown.refresh_from_db()
        assert unknown.settle_outcome == "succeeded"
        assert unknown.settled_by == company.people["marek"]

    def test_settling_without_a_note_keeps_the_choice(
        self, unknown: Deployment, as_person: Looks
    ) -> None:
        answer = as_person("marek").post(at("settle", unknown), {"outcome": "failed", "note": ""})
        assert answer.status_code == 422
        chosen = read(answer).xpath("//input[@name='outcome' and @checked]")
        assert [part.get("value") for part in chosen] == ["failed"]

    def test_one_that_is_not_in_doubt_is_not_settled(
        self, running: Deployment, as_person: Looks
    ) -> None:
        answer = as_person("marek").post(
            at("settle", running), {"outcome": "failed", "note": "I saw it"}
        )
        assert answer.status_code == 409
        page = read(answer)
        assert any("is not in doubt" in said for said in notices(page))
        assert page.get_element_by_id("id_note").text.strip() == "I saw it"


def test_other_attempts_are_named(
    company: Company, failed: Deployment, unknown: Deployment, as_person: Looks
) -> None:
    said = words(section(page_of(as_person("chloe"), failed.get_absolute_url()), "attempts"))
    assert unknown.public_id in said


def test_engineers_find_what_was_written_down(running: Deployment, as_person: Looks) -> None:
    said = page_of(as_person("chloe"), running.get_absolute_url()).get_element_by_id("record")
    assert '"effect": "write"' in words(said)
    assert running.steps.get(kind="deploy").remote_id in words(said)


def test_a_deployment_that_is_not_there_is_a_404(company: Company, as_person: Looks) -> None:
    assert as_person("ana").get("/deployments/D-99999/").status_code == 404


def test_what_the_org_says_is_escaped(failed: Deployment, as_person: Looks) -> None:
    more.messages(failed, 1)
    with as_role("deploy"):
        message = failed.steps.get(kind="deploy").messages.last()
        assert message is not None
        type(message)(
            step=message.step,
            kind="component",
            name="<img src=x onerror=alert(1)>",
            problem="<script>alert(1)</script>",
        ).save()
    answer = as_person("chloe").get(failed.get_absolute_url())
    assert b"<script>alert" not in answer.content
    assert b"<img src=x" not in answer.content


@pytest.mark.parametrize("state", list(DeploymentState))
def test_every_state_has_a_page(company: Company, as_person: Looks, state: DeploymentState) -> None:
    with acting(company.people["marek"]):
        deployment = deployments.plan(
            purpose=Purpose.BUILD, environment=company.orgs["Sales CI"], artefact=package("paged")
        )
    with as_role("deploy"):
        reach(deployment, state)
    page = page_of(as_person("priya"), deployment.get_absolute_url())
    assert deployment.public_id in words(page.xpath("//h1")[0])


def test_the_page_asks_a_fixed_number_of_queries(
    company: Company, failed: Deployment, as_person: Looks, django_assert_max_num_queries: Any
) -> None:
    client = as_person("tomas")
    with django_assert_max_num_queries(30, connection=connection) as before:
        client.get(failed.get_absolute_url())
    more.messages(failed, 200)
    more.past_deployments(company, 15)
    with django_assert_max_num_queries(len(before.captured_queries), connection=connection):
        client.get(failed.get_absolute_url())
