"""What the first page and the inbox show of this app."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from environments.models import Environment
from governance import inbox
from releases.models import Release, Repository
from releases.selectors import edges, home, waiting
from releases.services import stages
from releases.states import (
    ReleaseState,
)
from tests.factories import releases as more
from tests.support.company import Company, acting
from tests.support.databases import as_role
from tests.support.moves import reach


def environments() -> list[Environment]:
    return list(Environment.objects.select_related("track__team"))


def edge_behind(company: Company, name: str) -> Any:
    return edges.edges(company.people["ana"], environments()).get(company.orgs[name].pk)


class TestRunning:
    """What moves now."""

    def test_names_what_goes_where_with_the_orgs_numbers(self, company: Company) -> None:
        rows = {row.ref: row for row in home.running(company.people["ana"])}
        row = rows[company.deployments["running"].public_id]
        assert row.title == "Service v1.0.0 → Service TEST"
        assert (row.what, row.done, row.total) == ("Tests", 796, 1284)
        assert row.data_state == "running"
        assert row.expected_seconds == 720

    def test_an_unknown_outcome_stays_in_sight(self, company: Company) -> None:
        rows = {row.ref: row.data_state for row in home.running(company.people["ana"])}
        assert rows[company.deployments["unknown"].public_id] == "unknown"

    def test_work_of_build_workers_is_there(self, company: Company) -> None:
        build = more.build(company, "sales", "building")
        release = company.releases["November train"]
        Release.objects.filter(pk=release.pk).update(state="composing")
        refs = {row.ref for row in home.running(company.people["ana"])}
        assert {build.public_id, release.public_id} <= refs


class TestNextWindow:
    """When production changes next."""

    def test_is_the_earliest_release_with_the_gates_reasons(self, company: Company) -> None:
        window = home.next_window(company.people["ana"])
        release = company.releases["October train"]
        assert window is not None
        assert (window.ref, window.opens_at) == (release.public_id, release.not_before)
        assert any("approval" in reason.text for reason in window.reasons)

    def test_a_release_that_is_not_submitted_says_so(self, company: Company) -> None:
        with acting(company.people["marek"]):
            stages.withdraw_submission(
                release_id=company.releases["October train"].pk, reason="later"
            )
        window = home.next_window(company.people["ana"])
        assert window is not None
        assert "is not submitted" in window.reasons[0].text

    def test_there_is_none_while_nothing_is_planned(self, company: Company) -> None:
        Release.objects.filter(title="October train").update(state="draft")
        assert home.next_window(company.people["ana"]) is None

    def test_a_window_that_is_over_is_not_the_next(self, company: Company) -> None:
        Release.objects.filter(title="October train").update(
            not_before=company.ago(hours=3), not_after=company.ago(hours=1)
        )
        assert home.next_window(company.people["ana"]) is None


class TestAttention:
    """What went wrong and is still so."""

    def titles(self, company: Company) -> str:
        return " | ".join(
            f"{row.title} {row.text}" for row in home.attention(company.people["ana"])
        )

    def test_names_unknown_ends_collisions_and_failed_builds(self, company: Company) -> None:
        said = self.titles(company)
        assert f"Nobody knows how {company.deployments['unknown'].public_id} ended" in said
        assert "Sales and Service collide" in said
        assert "Service CI failed" in said

    def test_a_build_that_passed_since_is_no_longer_told(self, company: Company) -> None:
        more.build(company, "service", "passed")
        assert "Service CI failed" not in self.titles(company)

    def test_a_repository_that_cannot_be_fetched_is_told(self, company: Company) -> None:
        with as_role("build"):
            Repository.objects.filter(team=company.teams["sales"]).update(
                health="failed", message="no answer"
            )
        assert "Sales's repository cannot be fetched" in self.titles(company)

    def test_a_failed_release_is_told_with_its_reason(self, company: Company) -> None:
        release = Release.objects.get(title="October train")
        release.state_note = "Production refused 2 components."
        release.save()
        with as_role("deploy"):
            reach(release, ReleaseState.FAILED)
        assert "Production refused 2 components." in self.titles(company)

    def test_a_failed_candidate_is_told_until_a_newer_one(self, company: Company) -> None:
        newest = more.candidate(company, "sales", "v8.0.0", "failed", message="no org")
        assert f"{newest} failed in TEST" in self.titles(company)
        more.offered(company, "sales", "v9.0.0")
        assert "failed in TEST" not in self.titles(company)


class TestEdges:
    """What waits behind an org."""

    def test_behind_ci_are_builds_since_the_last_candidate(self, company: Company) -> None:
        # The newest candidate names commit 1; commits 2 and 3 have passed since.
        assert edge_behind(company, "Sales CI").count == 2
        assert edge_behind(company, "Service CI").count == 1

    def test_behind_test_is_the_tag_that_is_on_the_train(self, company: Company) -> None:
        edge = edge_behind(company, "Sales TEST")
        assert (edge.label, edge.on_train) == ("v1.1.0", True)
        assert company.releases["October train"].public_id in edge.words

    def test_behind_test_are_offers_when_there_is_no_train(self, company: Company) -> None:
        Release.objects.filter(title="October train").update(state="draft")
        more.offered(company, "sales", "v2.0.0")
        edge = edge_behind(company, "Sales TEST")
        assert (edge.count, edge.label, edge.on_train) == (1, "", False)

    def test_before_production_the_gate_is_closed_until_approval(self, company: Company) -> None:
        edge = edge_behind(company, "Rehearsal")
        assert (edge.count, edge.gate) == (3, "closed")
        Release.objects.filter(title="October train").update(state="approved")
        assert edge_behind(company, "Rehearsal").gate == "open"

    def test_behind_integration_waits_what_is_not_rehearsed(self, company: Company) -> None:
        assert edge_behind(company, "Integration").count == 0
        october = Release.objects.get(title="October train")
        reach(october, "draft")
        reach(october, "integrated")
        assert edge_behind(company, "Integration").count == 3

    def test_production_is_the_end(self, company: Company) -> None:
        assert edge_behind(company, "Production") is None


class TestWaiting:
    """What the inbox shows of this app."""

    def test_user_testing_waits_for_the_team(self, company: Company) -> None:
        refs = {row.ref for row in waiting.waiting_for(company.people["lena"])}
        assert refs == {company.candidates["sales v1.0.0"].public_id}

    def test_an_offer_waits_for_the_lead_alone(self, company: Company) -> None:
        reach(company.candidates["sales v1.0.0"], "accepted")
        assert waiting.waiting_for(company.people["lena"]) == []
        (row,) = waiting.waiting_for(company.people["priya"])
        assert row.title == "Offer Sales v1.0.0"

    @pytest.mark.parametrize("state", ["composed", "integrated", "rehearsed", "failed"])
    def test_the_next_step_of_a_release_waits_for_its_manager(
        self, company: Company, state: str
    ) -> None:
        release = company.releases["November train"]
        with as_role("deploy" if state == "failed" else "web"):
            reach(release, state)
        refs = {row.ref for row in waiting.waiting_for(company.people["marek"])}
        assert release.public_id in refs
        assert waiting.waiting_for(company.people["paul"]) == []

    def test_is_part_of_the_inbox(self, company: Company) -> None:
        refs = {row.ref for row in inbox.waiting_for(company.people["chloe"])}
        assert company.candidates["service v1.0.0"].public_id in refs


@pytest.mark.parametrize(
    "ask",
    [
        home.running,
        home.next_window,
        home.attention,
        waiting.waiting_for,
        lambda user: edges.edges(user, environments()),
    ],
    ids=["running", "window", "attention", "inbox", "edges"],
)
def test_the_number_of_queries_does_not_grow_with_history(
    company: Company, django_assert_max_num_queries: Any, ask: Any
) -> None:
    user = company.people["marek"]
    with django_assert_max_num_queries(34, connection=connection) as before:
        ask(user)
    more.past_deployments(company, 15)
    more.past_releases(company, 5)
    more.past_candidates(company, "service", 10)
    for place in range(5):
        more.conflict(company, company.releases["November train"], f"Object_{place}")
    with django_assert_max_num_queries(len(before.captured_queries), connection=connection):
        ask(user)
