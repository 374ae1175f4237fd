"""The question put to the board, and the answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from governance import policies, policy_changes, stepup
from governance.models import Decision
from releases.models import Release
from releases.selectors import brought
from releases.services import approval, releases, stages
from releases.states import ReleaseState
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
from tests.support.databases import as_role
from tests.support.moves import reach


@pytest.fixture
def train(company: Company) -> Release:
    """A release that waits for the board."""
    return company.releases["October train"]


def question(release: Release) -> str:
    return reverse("releases:approval", kwargs={"pk": release.pk})


def answer_at(release: Release) -> str:
    return reverse("releases:approval_decide", kwargs={"pk": release.pk})


def form_of(page: Any) -> dict[str, str]:
    """What the browser would send of the decision form, without a verdict."""
    form = page.get_element_by_id("decide")
    typed = {field.get("name"): field.get("value") or "" for field in form.xpath(".//input[@name]")}
    typed |= {field.get("name"): (field.text or "") for field in form.xpath(".//textarea")}
    del typed["csrfmiddlewaretoken"]
    return typed


def opened(client: Client, release: Release) -> dict[str, str]:
    return form_of(page_of(client, question(release)))


def approve(client: Client, release: Release, **typed: str) -> Any:
    return client.post(
        answer_at(release), {**opened(client, release), "verdict": "approve", **typed}
    )


def stale_session(client: Client) -> None:
    """Let the last proof of who sits there be an hour old."""
    session = client.session
    session[stepup.PROVED_AT] = session[stepup.PROVED_AT] - 3600
    session.save()


class TestTheQuestion:
    """What a person reads before deciding."""

    def test_is_one_sentence_with_title_digest_place_and_time(
        self, train: Release, as_person: Looks
    ) -> None:
        asked = words(page_of(as_person("ana"), question(train)).xpath("//h1")[0])
        assert asked.startswith("Deploy October train A·")
        assert "to Production on" in asked
        assert asked.endswith("?")

    def test_says_per_team_what_changes_the_riskiest_first(
        self, train: Release, as_person: Looks
    ) -> None:
        more.changes(train, 6, team="Service")
        page = page_of(as_person("ana"), question(train))
        entries = [words(entry) for entry in section(page, "what").xpath(".//li")]
        assert entries[0].startswith("Service v1.1.0")
        assert "High risk" in entries[0]
        assert "Give renewal quotes the household discount, part 2" in entries[0]
        assert entries[1].startswith("Sales v1.1.0")

    def test_a_merge_does_not_say_what_a_team_brings(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        candidate = more.merged(company, "sales", "Merge branch 'feature/SAL-12'")
        assert brought.subjects([candidate])[candidate.pk] == [
            "Give renewal quotes the household discount, part 3"
        ]

    def test_shows_every_check_with_a_link_to_its_evidence(
        self, train: Release, as_person: Looks
    ) -> None:
        checks = section(page_of(as_person("ana"), question(train)), "checks")
        validation = train.deployments.get(purpose="prepare")
        assert "Validated in Production, check only" in words(checks)
        assert validation.get_absolute_url() in {a.get("href") for a in checks.xpath(".//a")}

    def test_is_honest_about_rollback(self, train: Release, as_person: Looks) -> None:
        said = words(section(page_of(as_person("ana"), question(train)), "back"))
        assert "not computed" in said
        assert "does not compute or test that yet" in said

    def test_counts_what_the_snapshot_holds(self, train: Release, as_person: Looks) -> None:
        said = words(section(page_of(as_person("ana"), question(train)), "back"))
        assert "holds 2 of 3 components" in said
        assert "1 component is new and would have to be deleted by hand" in said

    def test_names_who_decided_who_may_and_who_may_not_and_why(
        self, train: Release, as_person: Looks
    ) -> None:
        approve(as_person("ben"), train, comment="Rehearsal was clean.")
        who = words(section(page_of(as_person("ana"), question(train)), "who"))
        assert "Ben Okafor approved" in who
        assert "“Rehearsal was clean.”" in who
        assert "You or Jonas Lind" in who
        assert "Marek Novák may not" in who
        assert "composed this release" in who
        assert "Priya Raman may not" in who

    def test_says_what_would_void_an_approval(self, train: Release, as_person: Looks) -> None:
        said = words(section(page_of(as_person("ana"), question(train)), "void"))
        assert "any change of contents, tests, plan or window" in said
        assert "no deployment by" in said

    def test_carries_the_digest_and_the_policy_version_that_it_shows(
        self, train: Release, as_person: Looks
    ) -> None:
        typed = opened(as_person("ana"), train)
        assert typed["shown_digest"] == approval.card(train).shown_digest
        assert json.loads(typed["shown_facts"])["Policy"] == "Production v1"

    def test_that_nobody_was_asked_says_who_asks(self, company: Company, as_person: Looks) -> None:
        page = page_of(as_person("ana"), question(company.releases["November train"]))
        assert "Nobody has been asked." in words(section(page, "who"))
        assert "Approve" not in labels(page)


class TestDeciding:
    """Answers that are taken."""

    def test_an_approval_is_recorded_with_its_comment(
        self, train: Release, as_person: Looks
    ) -> None:
        answer = approve(as_person("ana"), train, comment="Go.")
        assert answer.headers["Location"] == question(train)
        decision = Decision.objects.get(person__full_name="Ana Keller")
        assert (decision.verdict, decision.comment) == ("approve", "Go.")

    def test_two_approvals_approve_the_release(self, train: Release, as_person: Looks) -> None:
        approve(as_person("ana"), train)
        approve(as_person("ben"), train)
        train.refresh_from_db()
        assert train.state in ("approved", "scheduled")
        said = notices(page_of(as_person("jonas"), question(train)))
        assert any("Every approval is there." in text for text in said)
        # Deployed, it asks nobody any more, though the approval would last for days.
        with as_role("deploy"):
            reach(train, ReleaseState.DEPLOYED)
        page = page_of(as_person("jonas"), question(train))
        assert any("Approved, and deployed" in text for text in notices(page))
        assert "Approve" not in labels(page)
        assert "What would void this" not in words(page)

    def test_a_rejection_takes_the_release_back(self, train: Release, as_person: Looks) -> None:
        approve(as_person("ana"), train, verdict="reject", comment="Not before the audit.")
        train.refresh_from_db()
        assert train.state == "rehearsed"
        said = notices(page_of(as_person("ben"), question(train)))
        assert any("This question is closed: rejected" in text for text in said)
        closed = words(page_of(as_person("ben"), question(train)))
        assert "may decide" not in closed
        assert "What would void this" not in closed

    def test_whoever_decided_sees_it_and_may_take_it_back(
        self, train: Release, as_person: Looks
    ) -> None:
        client = as_person("ana")
        approve(client, train)
        page = page_of(client, question(train))
        assert "You approved" in words(section(page, "mine"))
        assert "Approve" not in labels(page)
        client.post(
            reverse("releases:approval_withdraw", kwargs={"pk": train.pk}), {"reason": "A doubt"}
        )
        who = words(section(page_of(as_person("ben"), question(train)), "who"))
        assert "Ana Keller took the approval back" in who

    def test_a_password_is_asked_for_only_when_the_last_proof_is_old(
        self, train: Release, as_person: Looks
    ) -> None:
        client = as_person("ana")
        assert "password" not in opened(client, train)
        stale_session(client)
        assert "password" in opened(client, train)

    def test_the_right_password_decides(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        person = company.people["ana"]
        person.set_password("a long enough sentence")
        person.save(update_fields=[])
        client = as_person("ana")
        stale_session(client)
        approve(client, train, password="a long enough sentence")
        assert Decision.objects.filter(person=person).exists()


class TestRefusals:
    """Answers that are not taken; nothing is recorded and nothing typed is lost."""

    def test_a_rejection_without_a_reason_comes_back(
        self, train: Release, as_person: Looks
    ) -> None:
        answer = approve(as_person("ana"), train, verdict="reject", comment=" ")
        assert answer.status_code == 422
        assert "Say why" in words(read(answer).get_element_by_id("id_comment_error"))
        assert not Decision.objects.exists()

    def test_a_form_without_a_verdict_comes_back(self, train: Release, as_person: Looks) -> None:
        answer = approve(as_person("ana"), train, verdict="maybe", comment="Hm")
        assert answer.status_code == 422
        assert read(answer).get_element_by_id("id_comment").text.strip() == "Hm"

    @pytest.mark.parametrize("password", ["", "wrong"])
    def test_without_the_password_nothing_is_recorded(
        self, train: Release, as_person: Looks, password: str
    ) -> None:
        client = as_person("ana")
        stale_session(client)
        answer = approve(client, train, password=password, comment="Mine")
        assert answer.status_code in (403, 422)
        assert read(answer).get_element_by_id("id_comment").text.strip() == "Mine"
        assert not Decision.objects.exists()

    def test_a_member_of_a_contributing_team_may_not_decide(
        self, train: Release, as_person: Looks
    ) -> None:
        client = as_person("priya")
        page = page_of(client, question(train))
        assert "Approve" not in labels(page)
        typed = {"verdict": "approve", "shown_digest": approval.card(train).shown_digest}
        assert client.post(answer_at(train), typed).status_code == 403
        assert not Decision.objects.exists()

    def test_a_board_member_with_a_hand_in_it_sees_why_the_buttons_are_off(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        company.teams["sales"].memberships.create(
            user=company.people["jonas"], role="developer", granted_at=company.ago(days=30)
        )
        with acting(company.people["marek"]):
            stages.withdraw_submission(release_id=train.pk, reason="asked too early")
            stages.submit(release_id=train.pk)
        client = as_person("jonas")
        page = page_of(client, question(train))
        assert is_off(button(page, "Approve"))
        assert "Sales" in words(page.get_element_by_id("why-not"))
        typed = {"verdict": "approve", "shown_digest": approval.card(train).shown_digest}
        answer = client.post(answer_at(train), {**typed, "comment": "Let me"})
        assert answer.status_code == 403
        assert any("Nothing was recorded" in said for said in notices(read(answer)))
        assert not Decision.objects.exists()

    def test_a_get_decides_nothing(self, train: Release, as_person: Looks) -> None:
        assert as_person("ana").get(f"{answer_at(train)}?verdict=approve").status_code == 405


class TestAnOldPage:
    """Somebody decides on what is no longer the question."""

    def decided_late(self, client: Client, train: Release, typed: dict[str, str]) -> Any:
        typed = {**typed, "verdict": "approve", "comment": "Looks good to me"}
        answer = client.post(answer_at(train), typed)
        assert answer.status_code == 409
        assert not Decision.objects.exclude(request__subject_kind="policy.version").exists()
        return read(answer)

    def test_says_that_the_window_changed_and_keeps_the_comment(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        client = as_person("ana")
        typed = opened(client, train)
        assert train.not_before is not None
        with acting(company.people["marek"]):
            releases.edit(
                release_id=train.pk,
                not_before=train.not_before + timedelta(days=7),
                not_after=train.not_before + timedelta(days=7, hours=2),
            )
            stages.submit(release_id=train.pk)
        page = self.decided_late(client, train, typed)
        said = " ".join(notices(page))
        assert "Something changed since you opened this page." in said
        assert "Window:" in said
        assert page.get_element_by_id("id_comment").text.strip() == "Looks good to me"

    def test_the_page_that_comes_back_asks_about_the_present_question(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        client = as_person("ana")
        typed = opened(client, train)
        later = (train.not_after or company.now) + timedelta(hours=1)
        with acting(company.people["marek"]):
            releases.edit(release_id=train.pk, not_after=later)
            stages.submit(release_id=train.pk)
        page = self.decided_late(client, train, typed)
        again = {**form_of(page), "verdict": "approve"}
        assert again["shown_digest"] != typed["shown_digest"]
        assert client.post(answer_at(train), again).status_code == 302
        assert Decision.objects.get().digest == again["shown_digest"]

    def test_says_that_the_contents_changed(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        client = as_person("ana")
        typed = opened(client, train)
        with acting(company.people["marek"]):
            releases.remove_candidate(
                release_id=train.pk, candidate_id=company.candidates["sales v1.1.0"].pk
            )
        said = " ".join(notices(self.decided_late(client, train, typed)))
        assert "Contents: Sales v1.1.0, Service v1.1.0 → Service v1.1.0" in said
        assert "the contents changed" in said

    def test_says_that_a_new_policy_is_in_force(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        client = as_person("ana")
        typed = opened(client, train)
        version = company.policy_version
        assert version is not None
        with acting(company.people["marek"]):
            proposal = policies.propose(
                policy_id=version.policy_id, body={**version.body, "expires_hours": 24}
            )
        for name in ("ben", "jonas"):
            with acting(company.people[name]):
                policies.decide(
                    proposal_id=proposal.pk,
                    verdict="approve",
                    comment="",
                    shown_digest=policy_changes.question_digest(proposal),
                    auth_strength="password",
                )
        said = " ".join(notices(self.decided_late(client, train, typed)))
        assert "Policy: Production v1 → Production v2" in said

    def test_what_the_form_claims_to_have_shown_is_escaped(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        client = as_person("ana")
        typed = opened(client, train)
        typed["shown_facts"] = json.dumps({"Window": "<script>alert(1)</script>", "X": [1]})
        typed["shown_digest"] = f"sha256:{'0' * 64}"
        answer = client.post(answer_at(train), {**typed, "verdict": "approve"})
        assert answer.status_code == 409
        assert b"<script>alert(1)" not in answer.content

    @pytest.mark.parametrize("facts", ["", "null", "[]", "{", '"words"'])
    def test_malformed_facts_lose_nothing_but_the_comparison(
        self, train: Release, as_person: Looks, facts: str
    ) -> None:
        answer = approve(as_person("ana"), train, shown_facts=facts)
        assert answer.status_code in (302, 422)


def test_the_page_asks_a_fixed_number_of_queries(
    company: Company,
    train: Release,
    as_person: Looks,
    django_assert_max_num_queries: Any,
) -> None:
    client = as_person("ana")
    # The gate reads everything anew for "What the gate says now", as the worker will.
    # It asks three small questions where one statement took longer to plan.
    with django_assert_max_num_queries(57, connection=connection) as before:
        client.get(question(train))
    more.changes(train, 300)
    more.past_deployments(company, 12)
    with django_assert_max_num_queries(len(before.captured_queries), connection=connection):
        client.get(question(train))
