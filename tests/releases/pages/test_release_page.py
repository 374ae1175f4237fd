"""The page of one release."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.urls import reverse

from core.refs import url_of
from releases.models import Release
from releases.services import releases
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
from tests.support.company.work import package
from tests.support.databases import as_role


@pytest.fixture
def train(company: Company) -> Release:
    """A release that waits for the board."""
    return company.releases["October train"]


@pytest.fixture
def draft(company: Company) -> Release:
    """A release that is still empty."""
    return company.releases["November train"]


def at(name: str, release: Release, **more_keys: int) -> str:
    return reverse(f"releases:{name}", kwargs={"pk": release.pk, **more_keys})


def checks_of(page: Any) -> dict[str, list[str]]:
    """Result, evidence, age and validity of each check by its name."""
    rows = section(page, "checks").xpath(".//tbody/tr")
    lines = [[words(cell) for cell in row] for row in rows]
    return {line[0]: line[1:] for line in lines}


def test_the_public_id_leads_to_the_page(train: Release) -> None:
    assert url_of(train.public_id) == train.get_absolute_url()


def test_a_release_that_is_not_there_is_a_404(company: Company, as_person: Looks) -> None:
    assert as_person("ana").get("/releases/R-99999/").status_code == 404


def test_the_header_says_what_it_is_and_where_it_goes(train: Release, as_person: Looks) -> None:
    head = words(
        page_of(as_person("paul"), train.get_absolute_url()).get_element_by_id("release-head")
    )
    for said in (train.public_id, train.title, "Waiting for approval", train.version, "Production"):
        assert said in head


def test_the_one_next_action_is_off_with_the_gates_reasons(
    train: Release, as_person: Looks
) -> None:
    page = page_of(as_person("marek"), train.get_absolute_url())
    assert is_off(button(page, "Deploy to Production"))
    why = page.get_element_by_id("why")
    assert "approval" in words(why)
    assert at("approval", train) in {link.get("href") for link in why.xpath(".//a")}


def test_a_next_action_that_is_ready_is_a_form_of_the_release_manager(
    company: Company, draft: Release, as_person: Looks
) -> None:
    candidate = more.offered(company, "sales", "v2.0.0")
    with acting(company.people["marek"]):
        releases.add_candidate(release_id=draft.pk, candidate_id=candidate.pk)
    page = page_of(as_person("marek"), draft.get_absolute_url())
    assert not is_off(button(page, "Compose"))
    assert page.get_element_by_id("next-action").get("action") == at("release_compose", draft)


def test_the_same_action_is_off_for_others_and_says_which_role_it_needs(
    company: Company, draft: Release, as_person: Looks
) -> None:
    candidate = more.offered(company, "sales", "v2.0.0")
    with acting(company.people["marek"]):
        releases.add_candidate(release_id=draft.pk, candidate_id=candidate.pk)
    page = page_of(as_person("lena"), draft.get_absolute_url())
    assert is_off(button(page, "Compose"))
    assert "release manager" in words(page.get_element_by_id("why"))


def test_composing_an_empty_release_goes_back_with_the_sentence(
    draft: Release, as_person: Looks
) -> None:
    answer = as_person("marek").post(at("release_compose", draft), follow=True)
    assert answer.redirect_chain == [(draft.get_absolute_url(), 302)]
    assert any("no candidate yet" in said for said in notices(read(answer)))
    draft.refresh_from_db()
    assert draft.state == "draft"


@pytest.mark.parametrize(
    "action",
    [
        "release_compose",
        "release_integrate",
        "release_rehearse",
        "release_prepare",
        "release_submit",
        "release_close",
    ],
)
class TestEachAction:
    """Actions that change a release."""

    def test_is_refused_to_a_developer(self, draft: Release, as_person: Looks, action: str) -> None:
        assert as_person("lena").post(at(action, draft)).status_code == 403

    def test_is_not_done_by_a_link(self, draft: Release, as_person: Looks, action: str) -> None:
        assert as_person("marek").get(at(action, draft)).status_code == 405

    def test_of_a_release_that_is_not_there_is_a_404(
        self, company: Company, as_person: Looks, action: str
    ) -> None:
        address = reverse(f"releases:{action}", kwargs={"pk": 99_999})
        assert as_person("marek").post(address).status_code == 404


class TestContents:
    """Candidates in the release."""

    def test_names_teams_commits_and_who_signed(self, train: Release, as_person: Looks) -> None:
        said = words(section(page_of(as_person("ana"), train.get_absolute_url()), "contents"))
        for name in ("Sales", "Service", "v1.1.0", "Priya Raman", "Tomás Ruiz"):
            assert name in said

    def test_an_offered_candidate_is_added_from_the_page(
        self, company: Company, draft: Release, as_person: Looks
    ) -> None:
        candidate = more.offered(company, "sales", "v2.0.0")
        client = as_person("marek")
        assert "Sales v2.0.0" in words(
            section(page_of(client, draft.get_absolute_url()), "contents")
        )
        client.post(at("release_add", draft), {"candidate": candidate.pk})
        assert draft.items.get(removed_at=None).candidate == candidate

    def test_a_candidate_that_was_taken_meanwhile_is_refused_on_the_form(
        self, company: Company, draft: Release, as_person: Looks
    ) -> None:
        answer = as_person("marek").post(
            at("release_add", draft), {"candidate": company.candidates["sales v1.1.0"].pk}
        )
        assert answer.status_code == 422
        assert not draft.items.exists()

    def test_taking_one_out_voids_what_was_decided(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        candidate = company.candidates["sales v1.1.0"]
        address = at("release_remove", train, candidate_pk=candidate.pk)
        as_person("marek").post(address)
        train.refresh_from_db()
        assert train.state == "composing"
        assert train.items.get(removed_at=None).candidate.team.slug == "service"

    def test_others_see_why_they_cannot_change_them(self, train: Release, as_person: Looks) -> None:
        contents = section(page_of(as_person("lena"), train.get_absolute_url()), "contents")
        assert "release manager" in words(contents)
        assert "Take out" not in words(contents)

    def test_a_release_in_production_offers_no_change(
        self, company: Company, as_person: Looks
    ) -> None:
        done = company.releases["September train"]
        contents = section(page_of(as_person("marek"), done.get_absolute_url()), "contents")
        assert "Nothing can be changed" in words(contents)
        assert not contents.xpath(".//form")

    def test_a_collision_names_both_teams_and_what_to_do(
        self, draft: Release, as_person: Looks
    ) -> None:
        said = words(section(page_of(as_person("marek"), draft.get_absolute_url()), "contents"))
        assert "Account" in said
        assert "team Sales says" in said
        assert "team Service says" in said
        assert "Compare and decide" in said


class TestChanges:
    """What differs from production."""

    def rows(self, page: Any) -> list[str]:
        table = section(page, "changes").xpath(".//tbody/tr[not(@class)]")
        return [words(row.xpath("./th")[0]) for row in table]

    def test_the_riskiest_come_first(self, train: Release, as_person: Looks) -> None:
        more.changes(train, 12)
        page = page_of(as_person("ana"), f"{train.get_absolute_url()}?show=all")
        groups = [words(row) for row in section(page, "changes").xpath(".//tr[@class='group']")]
        assert [group.split(" risk")[0] for group in groups] == ["High", "Medium", "Low"]

    @pytest.mark.parametrize(("by", "first"), [("type", "Apex class"), ("team", "Sales")])
    def test_are_grouped_as_the_address_says(
        self, train: Release, as_person: Looks, by: str, first: str
    ) -> None:
        page = page_of(as_person("ana"), f"{train.get_absolute_url()}?by={by}")
        assert words(section(page, "changes").xpath(".//tr[@class='group']")[0]).startswith(first)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("household_user", ["Sales_Household_UserPermission set"]),
            ("object", ["AccountObject"]),
            ("changes permissions", ["Sales_Household_UserPermission set"]),
            ("nowhere", []),
        ],
    )
    def test_are_searched_by_name_type_and_mark(
        self, train: Release, as_person: Looks, query: str, found: list[str]
    ) -> None:
        page = page_of(as_person("ana"), f"{train.get_absolute_url()}?q={query}")
        assert self.rows(page) == found

    def test_a_long_list_is_cut_and_the_rest_is_one_click_away(
        self, train: Release, as_person: Looks
    ) -> None:
        more.changes(train, 60)
        client = as_person("ana")
        page = page_of(client, train.get_absolute_url())
        assert len(self.rows(page)) == 15
        assert "48 more" in words(section(page, "changes"))
        assert len(self.rows(page_of(client, f"{train.get_absolute_url()}?show=all"))) == 63

    def test_what_production_holds_already_is_counted_and_not_listed(
        self, train: Release, as_person: Looks
    ) -> None:
        more.same(train, 7)
        changes = section(page_of(as_person("ana"), train.get_absolute_url()), "changes")
        assert "7 components of the release are in production already" in words(changes)
        assert "Same_0001" not in words(changes)

    def test_the_file_holds_everything_that_differs(self, train: Release, as_person: Looks) -> None:
        more.changes(train, 60)
        more.same(train, 5)
        answer = as_person("paul").get(at("changes_csv", train))
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        lines = list(csv.DictReader(io.StringIO(text)))
        assert len(lines) == 63
        assert {line["Risk"] for line in lines} == {"low", "medium", "high"}

    def test_a_name_that_is_a_formula_is_harmless_in_the_file(
        self, train: Release, as_person: Looks
    ) -> None:
        more.changes(train, 1, team="=cmd|' /C calc'!A0")
        answer = as_person("paul").get(at("changes_csv", train))
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        teams = {line["Teams"] for line in csv.DictReader(io.StringIO(text))}
        assert teams == {"Sales", "'=cmd|' /C calc'!A0"}

    def test_before_composition_the_section_says_what_will_appear(
        self, draft: Release, as_person: Looks
    ) -> None:
        said = words(section(page_of(as_person("ana"), draft.get_absolute_url()), "changes"))
        assert "Not composed yet." in said


class TestChecks:
    """Each check with its evidence."""

    def test_each_has_a_result_an_evidence_and_an_age(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        by_name = checks_of(page_of(as_person("ana"), train.get_absolute_url()))
        assert by_name["User tests"][:2] == ["2 of 2 signed", "Priya Raman, Tomás Ruiz"]
        assert by_name["Integration"][0] == "Passed"
        integration = train.deployments.get(purpose="integrate")
        assert integration.public_id in by_name["Integration"][1]
        assert "1,284 tests" in by_name["Integration"][1]
        assert by_name["Rehearsal"][0] == "Passed"
        assert by_name["Snapshot"][0] == "Taken"
        assert by_name["Validation"][0] == "Passed"

    def test_rollback_is_not_claimed(self, train: Release, as_person: Looks) -> None:
        checks = checks_of(page_of(as_person("ana"), train.get_absolute_url()))
        assert checks["Rollback"][0] == "Not computed"

    def test_a_check_of_older_contents_does_not_count(
        self, company: Company, train: Release, as_person: Looks
    ) -> None:
        with as_role("build"):
            train.artefact = package("recomposed")
            train.save(update_fields=["artefact"])
        checks = checks_of(page_of(as_person("ana"), train.get_absolute_url()))
        assert checks["Integration"][0] == "Not yet"
        assert checks["Validation"][0] == "Not yet"


class TestLiveParts:
    """What htmx asks for again."""

    def test_are_only_the_live_parts(self, train: Release, as_person: Looks) -> None:
        answer = as_person("ana").get(
            f"{train.get_absolute_url()}?shown=submitted", headers={"HX-Request": "true"}
        )
        assert b"<html" not in answer.content
        assert b'id="release-head"' in answer.content
        assert b'hx-swap-oob="true"' in answer.content
        assert "HX-Refresh" not in answer.headers

    def test_another_state_asks_for_the_whole_page(self, train: Release, as_person: Looks) -> None:
        answer = as_person("ana").get(
            f"{train.get_absolute_url()}?shown=rehearsed", headers={"HX-Request": "true"}
        )
        assert answer.headers["HX-Refresh"] == "true"

    @pytest.mark.parametrize(
        ("title", "trigger"),
        [("October train", "every 10s"), ("November train", None), ("September train", None)],
    )
    def test_a_page_polls_only_while_something_may_change_by_itself(
        self, company: Company, as_person: Looks, title: str, trigger: str | None
    ) -> None:
        page = page_of(as_person("ana"), company.releases[title].get_absolute_url())
        assert page.get_element_by_id("release-head").get("hx-trigger") == trigger


class TestForms:
    """Opening and editing."""

    def test_a_new_release_opens_as_a_draft(self, company: Company, as_person: Looks) -> None:
        answer = as_person("marek").post(
            reverse("releases:new"), {"title": "Winter train", "bump": "major"}
        )
        release = Release.objects.get(title="Winter train")
        assert answer.headers["Location"] == release.get_absolute_url()
        assert (release.state, release.version) == ("draft", "2.0.0")

    def test_a_refused_form_keeps_what_was_typed(self, company: Company, as_person: Looks) -> None:
        notes = "Households on accounts & more"
        answer = as_person("marek").post(
            reverse("releases:new"), {"title": "", "bump": "minor", "notes": notes}
        )
        assert answer.status_code == 422
        page = read(answer)
        assert page.get_element_by_id("id_notes").text.strip() == notes
        assert any("1 field needs you" in said for said in notices(page))

    def test_a_window_that_ends_before_it_begins_is_refused_beside_the_field(
        self, draft: Release, as_person: Looks
    ) -> None:
        answer = as_person("marek").post(
            at("release_edit", draft),
            {
                "title": draft.title,
                "not_before": "2027-01-10T22:00",
                "not_after": "2027-01-10T21:00",
            },
        )
        assert answer.status_code == 422
        assert "ends before it begins" in words(
            read(answer).get_element_by_id("id_not_after_error")
        )

    def test_a_window_is_typed_in_the_persons_zone(self, draft: Release, as_person: Looks) -> None:
        as_person("marek").post(
            at("release_edit", draft),
            {"title": draft.title, "not_before": "2027-01-10T22:00", "not_after": ""},
        )
        draft.refresh_from_db()
        assert draft.not_before is not None
        assert draft.not_before.isoformat() == "2027-01-10T21:00:00+00:00"

    def test_saving_the_words_alone_voids_nothing(self, train: Release, as_person: Looks) -> None:
        client = as_person("marek")
        page = page_of(client, at("release_edit", train))
        typed = {
            field.get("name"): field.get("value") or ""
            for field in page.xpath("//form//input[@name]")
            if field.get("name") not in (None, "csrfmiddlewaretoken")
        }
        answer = client.post(at("release_edit", train), {**typed, "notes": "Better words"})
        assert answer.status_code == 302
        train.refresh_from_db()
        assert (train.state, train.notes) == ("submitted", "Better words")

    def test_an_edit_warns_that_another_window_voids_decisions(
        self, train: Release, as_person: Looks
    ) -> None:
        page = page_of(as_person("marek"), at("release_edit", train))
        assert any("voids every decision" in said for said in notices(page))

    def test_taking_a_submission_back_needs_a_reason(
        self, train: Release, as_person: Looks
    ) -> None:
        client = as_person("marek")
        assert client.post(at("release_withdraw", train), {"reason": " "}).status_code == 422
        client.post(at("release_withdraw", train), {"reason": "Too early"})
        train.refresh_from_db()
        assert train.state == "rehearsed"

    def test_returning_to_draft_needs_one_press(self, train: Release, as_person: Looks) -> None:
        as_person("marek").post(at("release_reopen", train))
        train.refresh_from_db()
        assert train.state == "draft"


def test_a_board_member_is_led_to_the_question(train: Release, as_person: Looks) -> None:
    assert "Review and decide" in labels(page_of(as_person("ana"), train.get_absolute_url()))
    assert "Open the question" in labels(page_of(as_person("lena"), train.get_absolute_url()))


def test_the_story_tells_what_happened(train: Release, as_person: Looks) -> None:
    story = words(section(page_of(as_person("paul"), train.get_absolute_url()), "story"))
    assert "Marek Novák" in story
    assert "asked the release board to approve" in story
