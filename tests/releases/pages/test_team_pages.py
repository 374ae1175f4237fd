"""A team's repository, builds and candidates, and the fragments on other apps' pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from core import keyring
from releases.models import Build, Candidate, GitRef, Repository
from releases.services import repositories
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
from tests.support.company import Company, hex_of
from tests.support.databases import as_role

TOKEN = "glpat-very-secret-token"


def at(name: str, slug: str = "sales") -> str:
    return reverse(f"releases:{name}", kwargs={"slug": slug})


def of(name: str, candidate: Candidate) -> str:
    return reverse(f"releases:candidate_{name}", kwargs={"pk": candidate.pk})


class TestRepository:
    """Where a team's work lies."""

    def test_shows_health_head_tags_commits_and_builds(
        self, company: Company, as_person: Looks
    ) -> None:
        said = words(page_of(as_person("paul"), at("repository")))
        assert "Fetched" in said
        assert "v1.1.0" in said
        assert "Give renewal quotes the household discount, part 3" in said
        assert company.builds["sales 3"].public_id in said

    def test_a_failed_fetch_says_why_on_top(self, company: Company, as_person: Looks) -> None:
        with as_role("build"):
            Repository.objects.filter(team=company.teams["sales"]).update(
                health="failed", message="The host does not answer."
            )
        said = notices(page_of(as_person("lena"), at("repository")))
        assert any("The host does not answer." in text for text in said)

    def test_a_moved_tag_is_told(self, company: Company, as_person: Looks) -> None:
        with as_role("build"):
            GitRef.objects.filter(name="v1.1.0").update(moved_from=hex_of("elsewhere")[:40])
        said = words(page_of(as_person("lena"), at("repository")))
        assert "This tag was moved" in said

    def test_none_yet_offers_to_connect_one(self, company: Company, as_person: Looks) -> None:
        page = page_of(as_person("ines"), at("repository", "platform"))
        assert "No repository yet." in words(page)
        assert "Connect a repository" in labels(page)

    def test_who_may_not_connect_reads_why(self, company: Company, as_person: Looks) -> None:
        page = page_of(as_person("lena"), at("repository", "platform"))
        assert is_off(button(page, "Connect a repository"))
        assert "team lead" in words(page.get_element_by_id("why-connect"))

    def test_of_a_team_that_is_not_there_is_a_404(self, company: Company, as_person: Looks) -> None:
        assert as_person("ana").get(at("repository", "nobody")).status_code == 404
        assert as_person("ines").get(at("repository_connect", "nobody")).status_code == 404

    def test_a_path_below_the_allowed_roots_is_connected(
        self, company: Company, as_person: Looks, tmp_path: Path
    ) -> None:
        answer = as_person("ines").post(
            at("repository_connect", "platform"), {"url": str(tmp_path), "main_branch": "main"}
        )
        assert answer.headers["Location"] == at("repository", "platform")
        assert Repository.objects.get(team=company.teams["platform"]).url.endswith(tmp_path.name)

    @pytest.mark.parametrize("url", ["https://evil.example/x.git", "ext::sh -c id", "/etc"])
    def test_an_address_outside_the_rules_comes_back_as_typed(
        self, company: Company, as_person: Looks, url: str
    ) -> None:
        answer = as_person("ines").post(
            at("repository_connect", "platform"), {"url": url, "main_branch": "trunk"}
        )
        assert answer.status_code == 422
        page = read(answer)
        assert page.get_element_by_id("id_url").get("value") == url
        assert page.get_element_by_id("id_main_branch").get("value") == "trunk"
        assert not Repository.objects.filter(team=company.teams["platform"]).exists()

    def test_fetching_now_is_for_the_team(self, company: Company, as_person: Looks) -> None:
        answer = as_person("lena").post(at("repository_fetch"), follow=True)
        assert any("fetches it now" in text for text in notices(read(answer)))
        assert as_person("chloe").post(at("repository_fetch")).status_code == 403


class TestCredentials:
    """Secrets go in and never come out."""

    def test_a_token_is_sealed_and_shown_nowhere(
        self, company: Company, as_person: Looks, settings: Any
    ) -> None:
        settings.SEALING_PUBLIC_KEYS, _ = keyring.generate()
        client = as_person("priya")
        answer = client.post(
            at("repository_credential"),
            {"access": "https_token", "username": "robot", "secret": TOKEN},
            follow=True,
        )
        assert TOKEN.encode() not in answer.content
        repository = Repository.objects.get(team=company.teams["sales"])
        assert repository.access == "https_token"
        assert repository.credential_ciphertext is not None
        assert TOKEN.encode() not in bytes(repository.credential_ciphertext)
        assert TOKEN.encode() not in client.get(at("repository_credential")).content

    def test_a_refused_token_is_not_sent_back(
        self, company: Company, as_person: Looks, settings: Any
    ) -> None:
        settings.SEALING_PUBLIC_KEYS = {}
        answer = as_person("priya").post(
            at("repository_credential"),
            {"access": "https_token", "username": "robot", "secret": TOKEN},
        )
        assert answer.status_code == 409
        assert TOKEN.encode() not in answer.content
        assert read(answer).get_element_by_id("id_username").get("value") == "robot"

    def test_a_deploy_key_needs_the_hosts_key(self, company: Company, as_person: Looks) -> None:
        answer = as_person("priya").post(
            at("repository_credential"), {"access": "ssh_key", "secret": "-----BEGIN"}
        )
        assert answer.status_code == 422
        assert "public key" in words(read(answer).get_element_by_id("id_known_host_error"))

    def test_a_developer_stores_none(self, company: Company, as_person: Looks) -> None:
        assert as_person("lena").get(at("repository_credential")).status_code == 403

    def test_a_new_webhook_secret_is_shown_with_its_address(
        self, company: Company, as_person: Looks
    ) -> None:
        answer = as_person("priya").post(at("webhook_rotate"))
        repository = Repository.objects.get(team=company.teams["sales"])
        said = words(read(answer))
        assert repositories.webhook_secret(repository) in said
        assert str(repository.uuid) in said
        assert repository.webhook_generation == 2


class TestBuilds:
    """Builds of a team."""

    def test_are_listed_newest_first_and_filtered(self, company: Company, as_person: Looks) -> None:
        client = as_person("tomas")
        page = page_of(client, at("builds", "service"))
        refs = [words(link) for link in page.xpath("//tbody//th//a[@class='ref']")]
        assert refs == [company.builds[f"service {number}"].public_id for number in (3, 2)]
        failed = page_of(client, f"{at('builds', 'service')}?state=failed")
        assert len(failed.xpath("//tbody/tr")) == 1
        found = page_of(client, f"{at('builds', 'service')}?q=part+2")
        assert company.builds["service 2"].public_id in words(found.xpath("//tbody")[0])

    def test_a_failed_build_says_what_the_org_said_tests_first(
        self, company: Company, as_person: Looks
    ) -> None:
        page = page_of(as_person("chloe"), company.builds["service 3"].get_absolute_url())
        said = [words(part) for part in section(page, "said").xpath(".//*[@class='where']")]
        assert "reopensOnReplyWithinFourteenDays" in said[0]
        assert "LoyaltyAccrualService" in said[1]

    def test_a_settled_build_does_not_poll_and_a_moving_one_does(
        self, company: Company, as_person: Looks
    ) -> None:
        build = company.builds["sales 3"]
        client = as_person("lena")
        page = page_of(client, build.get_absolute_url())
        assert page.get_element_by_id("build-live").get("hx-trigger") is None
        build = more.build(company, "sales", "building")
        page = page_of(client, build.get_absolute_url())
        assert page.get_element_by_id("build-live").get("hx-trigger") == "every 2s"

    def test_a_commit_is_built_by_hand(self, company: Company, as_person: Looks) -> None:
        sha = company.commits["sales 0"].sha
        as_person("lena").post(at("build_start"), {"sha": f" {sha[:9].upper()} "})
        assert Build.objects.get(sha=sha).state == "queued"

    @pytest.mark.parametrize("sha", ["", "zzz", "abc", "0123456789"])
    def test_a_commit_that_is_not_there_comes_back_as_typed(
        self, company: Company, as_person: Looks, sha: str
    ) -> None:
        answer = as_person("lena").post(at("build_start"), {"sha": sha})
        assert answer.status_code == 422
        assert (read(answer).get_element_by_id("id_sha").get("value") or "") == sha

    def test_a_build_that_is_not_there_is_a_404(self, company: Company, as_person: Looks) -> None:
        assert as_person("ana").get("/builds/B-99999/").status_code == 404


class TestCandidates:
    """A tag's way through TEST."""

    def test_picking_a_tag_makes_a_candidate(self, company: Company, as_person: Looks) -> None:
        with as_role("build"):
            GitRef.objects.create(
                repository=company.repositories["sales"],
                kind="tag",
                name="v1.2.0",
                sha=company.commits["sales 3"].sha,
                seen_at=company.now,
            )
        client = as_person("lena")
        page = page_of(client, at("candidate_new"))
        assert [tag.get("value") for tag in page.xpath("//datalist/option")] == ["v1.2.0"]
        client.post(at("candidate_new"), {"tag": "v1.2.0"})
        assert Candidate.objects.get(tag="v1.2.0").state == "building"

    def test_a_tag_that_does_not_exist_comes_back_beside_the_field(
        self, company: Company, as_person: Looks
    ) -> None:
        answer = as_person("lena").post(at("candidate_new"), {"tag": "v9.9.9"})
        assert answer.status_code == 422
        page = read(answer)
        assert page.get_element_by_id("id_tag").get("value") == "v9.9.9"
        assert "no tag “v9.9.9”" in words(page.get_element_by_id("id_tag_error"))

    def test_a_link_from_the_repository_fills_the_tag_in(
        self, company: Company, as_person: Looks
    ) -> None:
        page = page_of(as_person("lena"), f"{at('candidate_new')}?tag=v7")
        assert page.get_element_by_id("id_tag").get("value") == "v7"

    def test_user_testing_is_signed_and_then_offered(
        self, company: Company, as_person: Looks
    ) -> None:
        candidate = company.candidates["sales v1.0.0"]
        client = as_person("priya")
        assert "User tests passed…" in labels(page_of(client, candidate.get_absolute_url()))
        client.post(of("pass", candidate), {"note": "Protocol 12"})
        assert "Offer to a release" in labels(page_of(client, candidate.get_absolute_url()))
        client.post(of("offer", candidate))
        candidate.refresh_from_db()
        assert (candidate.state, candidate.test_note) == ("offered", "Protocol 12")
        page = page_of(client, candidate.get_absolute_url())
        assert "“Protocol 12”" in words(section(page, "signed"))
        client.post(of("withdraw", candidate))
        candidate.refresh_from_db()
        assert candidate.state == "withdrawn"

    def test_failed_user_testing_needs_a_note(self, company: Company, as_person: Looks) -> None:
        candidate = company.candidates["sales v1.0.0"]
        client = as_person("lena")
        assert client.post(of("fail", candidate), {"note": ""}).status_code == 422
        client.post(of("fail", candidate), {"note": "Quotes lose the discount"})
        candidate.refresh_from_db()
        assert candidate.state == "rejected"

    def test_only_the_lead_offers_and_others_read_why(
        self, company: Company, as_person: Looks
    ) -> None:
        candidate = company.candidates["sales v1.0.0"]
        client = as_person("lena")
        client.post(of("pass", candidate), {"note": ""})
        page = page_of(client, candidate.get_absolute_url())
        assert is_off(button(page, "Offer to a release"))
        assert "team lead of Sales" in words(page.get_element_by_id("why-next"))
        assert client.post(of("offer", candidate)).status_code == 403

    def test_another_team_signs_nothing(self, company: Company, as_person: Looks) -> None:
        candidate = company.candidates["sales v1.0.0"]
        assert as_person("tomas").post(of("pass", candidate), {"note": ""}).status_code == 403

    def test_a_late_signature_goes_back_with_the_sentence(
        self, company: Company, as_person: Looks
    ) -> None:
        candidate = company.candidates["sales v1.1.0"]
        answer = as_person("priya").post(of("pass", candidate), {"note": "Again"})
        assert answer.status_code == 409
        assert read(answer).get_element_by_id("id_note").text.strip() == "Again"

    def test_one_in_a_release_names_it_and_is_not_taken_back(
        self, company: Company, as_person: Looks
    ) -> None:
        candidate = company.candidates["sales v1.1.0"]
        client = as_person("priya")
        page = page_of(client, candidate.get_absolute_url())
        release = company.releases["October train"]
        assert f"Open {release.public_id}" in labels(page)
        answer = client.post(of("withdraw", candidate), follow=True)
        assert any(release.public_id in text for text in notices(read(answer)))

    @pytest.mark.parametrize("state", ["building", "testing"])
    def test_a_moving_candidate_polls_and_says_who_has_it(
        self, company: Company, as_person: Looks, state: str
    ) -> None:
        candidate = more.candidate(company, "sales", "v8.0.0", state)
        page = page_of(as_person("priya"), candidate.get_absolute_url())
        assert page.get_element_by_id("candidate-live").get("hx-trigger") == "every 2s"
        assert page.get_element_by_id("why-next") is not None

    def test_a_failed_candidate_is_tried_again(self, company: Company, as_person: Looks) -> None:
        candidate = more.candidate(company, "sales", "v8.0.0", "failed", message="No org")
        client = as_person("lena")
        page = page_of(client, candidate.get_absolute_url())
        assert any("No org" in text for text in notices(page))
        client.post(of("retry", candidate))
        candidate.refresh_from_db()
        assert candidate.state == "building"

    def test_names_the_commits_it_brings(self, company: Company, as_person: Looks) -> None:
        page = page_of(as_person("ana"), company.candidates["sales v1.1.0"].get_absolute_url())
        rows = section(page, "brings").xpath(".//tbody/tr")
        assert [words(row)[:7] for row in rows] == [
            company.commits[f"sales {number}"].sha[:7] for number in (2, 1, 0)
        ]

    def test_a_tag_that_names_another_commit_now_is_told(
        self, company: Company, as_person: Looks
    ) -> None:
        with as_role("build"):
            GitRef.objects.filter(name="v1.1.0").update(sha=hex_of("moved")[:40])
        page = page_of(as_person("ana"), company.candidates["sales v1.1.0"].get_absolute_url())
        assert any("The tag names another commit now" in text for text in notices(page))

    def test_the_list_asks_a_fixed_number_of_queries(
        self, company: Company, as_person: Looks, django_assert_max_num_queries: Any
    ) -> None:
        client = as_person("priya")
        with django_assert_max_num_queries(24, connection=connection) as before:
            client.get(at("candidates"))
        more.past_candidates(company, "sales", 25)
        with django_assert_max_num_queries(len(before.captured_queries), connection=connection):
            client.get(at("candidates"))


class TestPanels:
    """Fragments for the pages of the apps below."""

    def test_a_teams_builds_and_candidates(self, company: Company, as_person: Looks) -> None:
        answer = as_person("ana").get(at("team_panel"))
        assert b"<html" not in answer.content
        said = words(read(answer))
        assert company.builds["sales 3"].public_id in said
        assert company.candidates["sales v1.0.0"].public_id in said

    def test_an_environments_deployments(self, company: Company, as_person: Looks) -> None:
        org = company.orgs["Rehearsal"]
        address = reverse("releases:environment_panel", kwargs={"pk": org.pk})
        answer = as_person("ana").get(address)
        assert b"<html" not in answer.content
        assert "rehearsal" in words(read(answer))

    def test_of_an_environment_that_is_not_there_is_a_404(
        self, company: Company, as_person: Looks
    ) -> None:
        address = reverse("releases:environment_panel", kwargs={"pk": 99_999})
        assert as_person("ana").get(address).status_code == 404
