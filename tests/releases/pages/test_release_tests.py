"""The tests of a release: proposed by composing, changed by people, never fewer than asked."""

from __future__ import annotations

from typing import cast

import pytest
from django.urls import reverse

from core.digests import digest_json
from core.errors import Conflict, DomainError, NotAllowed, NotNow
from governance.models import PolicyVersion
from jobs.registry import Claim
from releases.models import KnownTest, Release
from releases.rules.testing import Selection
from releases.selectors import testing as selectors
from releases.services import deployments, packaging, releases
from releases.services import testing as services
from releases.states import Purpose, ReleaseState
from releases.workers import composing
from tests.factories import releases as make
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.releases.pages.test_scope import Held, form
from tests.support.company import Company, acting, trains
from tests.support.databases import as_role
from tests.support.moves import reach

SUITE = {
    "Pricing": "int price;",
    "PricingTest": "@isTest static void works() {}",
    "Quotes": "Pricing p;",
    "QuotesTest": "@isTest static void works() { Quotes q; }",
    "Lonely": "int alone;",
}


def composed(company: Company, scope: str) -> Release:
    """A release that changes Pricing and Lonely, with the rest as production has it."""
    with as_role("build"):
        production = packaging.form_of(packaging.keep(form(**SUITE)))
        changed = SUITE | {"Pricing": "int p;", "Lonely": "int a;"}
        artefact = packaging.keep(form(**changed))
    candidate = make.offered(company, "sales", "v9", artefact=artefact)
    with acting(company.people["marek"]):
        release = releases.create(title="Tested train", bump="patch", scope=scope)
        releases.add_candidate(release_id=release.pk, candidate_id=candidate.pk)
    reach(release, ReleaseState.COMPOSING)
    with acting(company.people["marek"]), as_role("build"):
        composing._compose(cast(Claim, Held()), release, production)
    release.refresh_from_db()
    return release


def asks(company: Company, level: str) -> PolicyVersion:
    """A version of production's policy that asks for a test level."""
    old = company.policy_version
    assert old is not None
    body = old.body | {"test_level": level}
    with as_role("owner"):
        return PolicyVersion.objects.create(
            policy=old.policy,
            number=old.number + 1,
            body=body,
            digest=digest_json(body),
            proposed_by=old.proposed_by,
            confirmed_by=old.confirmed_by,
        )


@pytest.mark.parametrize(
    ("scope", "proposed"),
    [("delta", {"PricingTest"}), ("whole", {"PricingTest", "QuotesTest"})],
)
def test_composing_proposes_what_the_platform_counts_and_tells_why(
    company: Company, as_person: Looks, scope: str, proposed: set[str]
) -> None:
    release = composed(company, scope)
    rows = KnownTest.objects.filter(release=release)
    assert {row.name for row in rows.filter(kind="proposed")} == proposed
    others = {"PricingTest", "QuotesTest"} - proposed
    assert {row.name for row in rows.filter(kind="known")} == others
    assert [row.name for row in rows.filter(kind="untested")] == ["Lonely"]
    address = reverse("releases:release_tests", kwargs={"pk": release.pk})
    said = words(page_of(as_person("paul"), address))
    assert "is called after Pricing" in said
    assert "No test is known for 1 class or trigger of this package. Lonely" in said
    assert "Production's policy asks for RunLocalTests" in said.replace("’", "'")


def test_policy_that_asks_for_named_tests_gets_at_least_the_proposed_ones(
    company: Company, as_person: Looks
) -> None:
    release, version = composed(company, "delta"), asks(company, "RunSpecifiedTests")
    assert selectors.selection(release, version) == Selection("RunSpecifiedTests", ("PricingTest",))
    client = as_person("marek")
    to = {"pk": release.pk}
    add = reverse("releases:release_tests_add", kwargs=to)
    assert client.post(add, {"name": "quotestest"}).status_code == 302
    assert client.post(add, {"name": "Elsewhere_Test"}).status_code == 302
    release.refresh_from_db()
    assert release.tests_added == ["QuotesTest", "Elsewhere_Test"]
    answer = client.post(add, {"name": "Lonely"})
    assert answer.status_code == 422
    assert "without tests" in answer.content.decode()
    out = reverse("releases:release_tests_out", kwargs=to | {"name": "PricingTest"})
    assert client.post(out, follow=True).status_code == 200
    out = reverse("releases:release_tests_out", kwargs=to | {"name": "Elsewhere_Test"})
    assert client.post(out).status_code == 302
    plan = deployments.plan_of(Purpose.RELEASE, version, Release.objects.get(pk=release.pk))
    assert plan["test_level"] == "RunSpecifiedTests"
    assert plan["run_tests"] == ["PricingTest", "QuotesTest"]
    shown = words(page_of(client, release.get_absolute_url()))
    assert "Runs 2 tests: PricingTest, QuotesTest" in shown


def test_other_teams_tests_in_production_are_proposed_too(company: Company) -> None:
    with as_role("build"):
        held = packaging.keep(form(WatchTest="@isTest static void works() { Pricing p; }"))
    trains.went_out(company, make.offered(company, "service", "v8", artefact=held))
    release = composed(company, "delta")
    row = KnownTest.objects.get(release=release, name="WatchTest")
    assert (row.kind, row.reasons) == ("proposed", ["names Pricing"])


def test_rollback_runs_what_was_proposed_for_the_artefact_and_pages_are_cut(
    company: Company,
) -> None:
    release, version = composed(company, "whole"), asks(company, "RunSpecifiedTests")
    back = Release.objects.create(
        title="Back",
        version="9.9.9",
        composed_by=company.people["marek"],
        change_class=Release.ChangeClass.ROLLBACK,
        restores=release,
        artefact=release.artefact,
    )
    named = ("PricingTest", "QuotesTest")
    assert selectors.selection(back, version) == Selection("RunSpecifiedTests", named)
    first = selectors.page(release, size=1)
    second = selectors.page(release, after=first.following, size=1)
    assert [row.name for row in (*first.rows, *second.rows)] == list(named)
    assert (first.total, second.following) == (2, "")


def test_what_is_less_than_the_policy_asks_is_refused(company: Company) -> None:
    release = composed(company, "delta")
    pk = release.pk
    refused: list[str] = []

    def attempt(call: str, **given: str) -> None:
        with pytest.raises(DomainError) as caught:
            getattr(services, call)(release_id=pk, **given)
        refused.append(caught.value.code)

    with acting(company.people["marek"]):
        attempt("set_level", level="RunSpecifiedTests")
        attempt("set_level", level="Everything")
        attempt("leave_out", name="PricingTest")
        attempt("leave_out", name="NoSuch")
        attempt("add", name="PricingTest")
        attempt("add", name="a b")
        asks(company, "NoTestRun")
        services.set_level(release_id=pk, level="RunSpecifiedTests")
        attempt("leave_out", name="PricingTest")
        services.add(release_id=pk, name="QuotesTest")
        services.leave_out(release_id=pk, name="PricingTest")
    assert refused == [
        "tests.below_policy", "tests.level", "tests.proposed_stays", "tests.unknown", "tests.there",
        "tests.name", "tests.none",
    ]  # fmt: skip
    release.refresh_from_db()
    assert selectors.selection(release, company.policy_version) == Selection("RunLocalTests")
    with acting(company.people["lena"]), pytest.raises(NotAllowed):
        services.add(release_id=pk, name="OtherTest")


def test_changing_the_tests_voids_what_people_decided(company: Company) -> None:
    release = company.releases["October train"]
    assert release.state == ReleaseState.SUBMITTED
    with acting(company.people["marek"]):
        services.add(release_id=release.pk, name="SmokeTest")
    release.refresh_from_db()
    assert release.state == ReleaseState.REHEARSED
    assert "the tests changed" in release.state_note
    with acting(company.people["marek"]), pytest.raises(Conflict):
        services.add(release_id=release.pk, name="smoketest")
    shipped = company.releases["September train"]
    with acting(company.people["marek"]), pytest.raises(NotNow):
        services.add(release_id=shipped.pk, name="SmokeTest")


def test_level_is_chosen_on_its_page_and_given_back_to_the_policy(
    company: Company, as_person: Looks
) -> None:
    release = company.releases["October train"]
    address = reverse("releases:release_tests_level", kwargs={"pk": release.pk})
    manager = as_person("marek")
    for chosen, kept in (("RunAllTestsInOrg", "RunAllTestsInOrg"), ("policy", "")):
        assert manager.post(address, {"level": chosen}).status_code == 302
        release.refresh_from_db()
        assert release.test_level == kept
    assert manager.post(address, {"level": "NoTestRun"}).status_code == 422
