"""Production goes back, under an approval of its own, and the records tell it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.errors import NotAllowed
from environments.models import Environment
from governance.models import ApprovalRequest
from releases.evidence.record import change_record
from releases.models import Release
from releases.services import rollbacks, stages
from tests.journeys.northwind import Journey

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
CHANGED = "classes/RenewalQuoteService.cls"


def delivered(journey: Journey, title: str, tag: str) -> Release:
    """A release of Sales that the board let through."""
    release = journey.composed(title, journey.offered("sales", tag))
    request = journey.submitted(release)
    for member in ("ana", "ben"):
        journey.decide(member, request)
    release = journey.release(release.pk)
    assert release.state == "deployed", release.state_note
    return release


def signed_in(journey: Journey, name: str) -> Client:
    browser = Client()
    browser.force_login(journey.users[name])
    return browser


def record_of(journey: Journey, release: Release) -> dict[str, Any]:
    return change_record(journey.deployment(release).pk)


def test_production_goes_back_to_what_was_approved_for_it_once_people_approve_that_too(
    journey: Journey,
) -> None:
    production = journey.org("Production")
    first = delivered(journey, "First", "v4.1.0")
    before = production.content(CHANGED)
    second = delivered(journey, "Second", "v4.2.0")
    assert production.content(CHANGED) != before

    browser = signed_in(journey, "marek")
    target = journey.deployment(first)
    page = browser.get(reverse("releases:rollback")).content.decode()
    assert reverse("releases:rollback_to", kwargs={"pk": target.pk}) in page
    browser.post(reverse("releases:rollback_to", kwargs={"pk": target.pk}))
    journey.work()
    back = Release.objects.get(change_class="rollback")
    assert (back.restores, back.artefact) == (first, first.artefact)
    assert stages.preparation_of(back) is not None, back.state_note
    assert len(journey.writes("Production")) == 2

    request: ApprovalRequest = journey.as_person("marek", stages.submit, release_id=back.pk)
    assert request.policy_version.policy.name == "Rollback"
    with pytest.raises(NotAllowed):
        journey.decide("marek", request)
    assert len(journey.writes("Production")) == 2
    journey.decide("ana", request)
    back = journey.release(back.pk)
    assert back.state == "deployed", back.state_note
    assert production.content(CHANGED) == before
    assert first.artefact is not None
    assert Environment.objects.get(stage="PRD").holds_digest == first.artefact.digest

    told = record_of(journey, second)["after"]["rollback"]
    assert [row["id"] for row in told] == [journey.deployment(back).public_id]
    with journey.acting("marek"):
        again = rollbacks.start(deployment_id=journey.deployment(second).pk)
    journey.work()
    planned: ApprovalRequest = journey.as_person("marek", stages.submit, release_id=again.pk)
    journey.decide("ben", planned)
    proven = record_of(journey, again)["risk"]["last_proven_back_out"]
    assert proven["deployment"] == journey.deployment(back).public_id
    assert proven["release"] == back.public_id
