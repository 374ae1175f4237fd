"""Conflicts between candidates are decided in the browser, by those whose say it is, for good."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from governance.models import AuditEvent
from releases.models import ComponentConflict, Resolution
from releases.selectors import segregation
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company
from tests.support.company.rows import LONG_CLASS
from tests.support.databases import as_role


@pytest.fixture
def conflict(company: Company) -> ComponentConflict:
    return company.releases["November train"].conflicts.get()


def at(conflict: ComponentConflict) -> str:
    keys = {"pk": conflict.release_id, "conflict_pk": conflict.pk}
    return reverse("releases:conflict", kwargs=keys)


def answer(
    conflict: ComponentConflict, side: int, reason: str = "Service owns the word"
) -> dict[str, str]:
    return {"pick_0": conflict.elements[0]["sides"][side]["pick"], "reason": reason}


def test_lead_of_a_team_decides_and_the_decision_stands_with_who_and_why(
    company: Company, conflict: ComponentConflict, as_person: Looks
) -> None:
    shown = words(page_of(as_person("tomas"), at(conflict)))
    assert "team Sales says “Customer”" in shown
    assert "team Service says “Client”" in shown
    assert as_person("tomas").post(at(conflict), answer(conflict, 1)).status_code == 302
    row = Resolution.objects.get()
    assert (row.taken, row.made_by_id, row.reason) == (
        "team Service", company.people["tomas"].pk, "Service owns the word",
    )  # fmt: skip
    assert row.conflict_digest == conflict.elements[0]["digest"]
    conflict.refresh_from_db()
    assert conflict.settled_at is not None
    assert AuditEvent.objects.filter(event="conflict.decided").count() == 1
    assert as_person("tomas").post(at(conflict), answer(conflict, 0)).status_code == 409
    for role, change in (("web", {"reason": "x"}), ("build", {"pick": "all"})):
        with pytest.raises(DatabaseError), transaction.atomic(), as_role(role):
            Resolution.objects.filter(pk=row.pk).update(**change)


def test_without_a_reason_or_a_side_nothing_is_decided(
    conflict: ComponentConflict, as_person: Looks
) -> None:
    for sent in (answer(conflict, 0, " "), {"reason": "because"}, {"pick_0": "all", "reason": "x"}):
        assert as_person("marek").post(at(conflict), sent).status_code == 422
    assert not Resolution.objects.exists()


def test_somebody_without_a_say_compares_and_does_not_decide(
    conflict: ComponentConflict, as_person: Looks
) -> None:
    page = page_of(as_person("lena"), at(conflict))
    assert "lead of a team that is named here" in words(page)
    assert as_person("lena").post(at(conflict), answer(conflict, 0)).status_code == 403
    assert not Resolution.objects.exists()


def test_who_decided_may_not_approve_and_the_decision_is_offered_again_and_not_taken(
    company: Company, conflict: ComponentConflict, as_person: Looks
) -> None:
    as_person("marek").post(at(conflict), answer(conflict, 0))
    reasons = {user.pk: why for user, why in segregation.excluded(conflict.release)[0]}
    assert company.people["marek"].pk in reasons
    with as_role("build"):
        again = ComponentConflict.objects.create(
            release=company.releases["October train"],
            type=conflict.type,
            name=conflict.name,
            teams=conflict.teams,
            elements=conflict.elements,
            found_at=company.now,
        )
    page = page_of(as_person("marek"), at(again))
    assert "Decided before between the very same contents" in words(page)
    assert not again.release.resolutions.exists()


def test_page_to_take_a_candidate_out_says_who_needs_it(company: Company, as_person: Looks) -> None:
    release = company.releases["October train"]
    candidate = company.candidates["sales v1.1.0"]
    keys = {"pk": release.pk, "candidate_pk": candidate.pk}
    address = reverse("releases:release_remove", kwargs=keys)
    page = words(page_of(as_person("marek"), address))
    assert f"{LONG_CLASS} names" in page
    assert "Account.Household_Renewal_Discount_Percentage__c" in page
    as_person("marek").post(address)
    release.refresh_from_db()
    assert release.state == "composing"
