"""The main job: from commits of two teams to production, through the gate."""

from __future__ import annotations

import pytest
from django.core import mail

from core.errors import Conflict, NotAllowed, NotFound, NotNow, Stale
from environments.models import Environment
from governance.models import AuditEvent, Membership
from governance.services import people
from releases.models import Build, ChangeCommit, Release
from releases.services import approval, candidates, deployments, releases, repositories, stages
from tests.journeys.northwind import Journey
from tests.support import folding

WATCHED = (
    "releases_release",
    "releases_deployment",
    "releases_step",
    "releases_candidate",
    "governance_approvalrequest",
    "governance_decision",
)

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def test_release_of_two_teams_reaches_production_after_two_approvals(journey: Journey) -> None:
    assert {env.connection for env in Environment.objects.all()} == {"ok"}
    sales = Build.objects.get(repository__team__slug="sales")
    assert sales.state == "passed", sales.message
    assert ChangeCommit.objects.filter(change__key="NWS-134").exists()
    release = journey.composed(
        "October train", journey.offered("sales", "v4.2.0"), journey.offered("service", "v1.10.0")
    )
    assert release.state == "composed", release.state_note
    request = journey.submitted(release)
    journey.decide("ana", request)
    assert journey.release(release.pk).state == "submitted"
    assert journey.writes("Production") == []
    journey.decide("ben", request)
    release = journey.release(release.pk)
    assert release.state == "deployed", release.state_note
    (write,) = journey.writes("Production")
    assert (write["kind"], write["numberTestsTotal"]) == ("quick", 0)
    deployed = journey.deployment(release).steps.get(kind="deploy")
    assert "tests count" in deployed.note
    assert "ApexClass:RenewalQuoteService" in journey.org("Production").components()
    assert release.artefact is not None
    production = Environment.objects.get(stage="PRD")
    assert (production.holds_digest, production.holds_label) == (
        release.artefact.digest,
        release.public_id,
    )
    story = set(
        AuditEvent.objects.filter(related__contains=[release.public_id]).values_list(
            "event", flat=True
        )
    )
    for wanted in ("release.composed", "release.rehearsed", "approval.approved",
                   "release.deployed"):  # fmt: skip
        assert wanted in story
    assert folding.told() == folding.found()  # I-33
    assert not AuditEvent.objects.filter(event="database.changed", subject_kind__in=WATCHED)


def test_failed_build_tells_the_team_component_line_and_problem(journey: Journey) -> None:
    build = Build.objects.get(repository__team__slug="service")
    assert build.state == "failed"
    assert "ServiceLevel" in build.message
    letters = [letter for letter in mail.outbox if "tomas.ruiz@northwind.example" in letter.to]
    assert any("ServiceLevel line " in letter.body for letter in letters)
    assert Environment.objects.get(name="Service CI").hold_state == "failed"


def test_same_component_of_two_teams_refuses_the_composition_and_names_both(
    journey: Journey,
) -> None:
    sales = journey.offered("sales", "v4.2.0")
    service = journey.offered("service", "v1.10.0")
    assert service.artefact is not None
    assert sales.artefact is not None
    foreign = service.artefact.components.get(name="CaseReopen", type="ApexClass")
    assert not sales.artefact.components.filter(name="CaseReopen").exists()
    clashing = journey.clash("sales", "v4.2.1", "classes/CaseReopen.cls")
    release = journey.composed("Clash", clashing, service)
    assert foreign.digest
    assert release.state == "draft"
    assert "Apex class CaseReopen: CaseReopen.cls: team Sales" in release.state_note
    assert release.conflicts.get().teams == ["Sales", "Service"]
    assert release.artefact is None


def test_tag_that_does_not_exist_and_tag_picked_twice_are_refused(journey: Journey) -> None:
    repository = journey.teams["sales"].repository
    with pytest.raises(NotFound) as refusal:
        journey.as_person("priya", candidates.create, repository_id=repository.pk, tag="v9")
    assert refusal.value.code == "tag.unknown"
    journey.offered("sales", "v4.2.0")
    with pytest.raises(Conflict) as again:
        journey.as_person("priya", candidates.create, repository_id=repository.pk, tag="v4.2.0")
    assert again.value.code == "candidate.exists"


def test_repository_of_another_team_is_not_mine_to_promote(journey: Journey) -> None:
    repository = journey.teams["service"].repository
    with pytest.raises(NotAllowed):
        journey.as_person("priya", candidates.create, repository_id=repository.pk, tag="v1.10.0")
    with pytest.raises(NotAllowed):
        journey.as_person("priya", repositories.fetch_now, repository_id=repository.pk)


def test_second_release_that_was_approved_on_an_older_production_never_reverts_the_first(
    journey: Journey,
) -> None:
    old = journey.offered("sales", "v4.1.0")
    first = journey.composed("First", old)
    waiting = journey.submitted(first)
    journey.decide("ana", waiting)
    new = journey.offered("sales", "v4.2.0")
    second = journey.composed("Second", new)
    request = journey.submitted(second)
    journey.decide("ana", request)
    journey.decide("ben", request)
    assert journey.release(second.pk).state == "deployed"
    journey.decide("ben", waiting)
    first = journey.release(first.pk)
    assert first.state == "draft"
    assert "changed since approval" in first.state_note
    assert second.public_id in first.state_note or "D-" in first.state_note
    assert len(journey.writes("Production")) == 1
    waiting.refresh_from_db()
    assert not waiting.is_live
    _composed_before_and_prepared_after_another_change(journey, first)


def _composed_before_and_prepared_after_another_change(journey: Journey, first: Release) -> None:
    """What was composed over an older production is not prepared on a newer one."""
    journey.as_person("marek", releases.compose, release_id=first.pk)
    for step in (stages.integrate, stages.rehearse):
        journey.as_person("marek", step, release_id=first.pk)
    first = journey.release(first.pk)
    assert first.state == "rehearsed", first.state_note
    name = "classes/RenewalPlanner.cls"
    journey.org("Production").change(
        name, journey.org("Production").content(name) + "\n// hotfix\n"
    )
    journey.as_person("marek", stages.prepare, release_id=first.pk)
    first = journey.release(first.pk)
    assert first.state == "draft"
    assert f"changed since {first.public_id} was composed" in first.state_note
    assert "ApexClass RenewalPlanner, outside Gatehouse" in first.state_note
    assert stages.preparation_of(first) is None
    journey.as_person("marek", releases.compose, release_id=first.pk)
    assert journey.release(first.pk).state == "composed", journey.release(first.pk).state_note
    journey.submitted(first)
    assert len(journey.writes("Production")) == 1


def test_change_behind_our_back_after_approval_stops_the_deployment(journey: Journey) -> None:
    release = journey.composed("October", journey.offered("service", "v1.10.0"))
    request = journey.submitted(release)
    journey.decide("ana", request)
    body = journey.org("Production").content("classes/CaseEscalation.cls")
    journey.org("Production").change("classes/CaseEscalation.cls", body + "\n// hotfix\n")
    journey.decide("ben", request)
    release = journey.release(release.pk)
    assert release.state == "draft"
    assert "ApexClass CaseEscalation, outside Gatehouse" in release.state_note
    assert journey.writes("Production") == []
    assert Environment.objects.get(stage="PRD").holds_digest == ""


def test_who_had_a_hand_in_it_may_not_decide_and_nobody_counts_twice(journey: Journey) -> None:
    journey.seat("priya", "board_member")
    release = journey.composed("October", journey.offered("sales", "v4.2.0"))
    request = journey.submitted(release)
    for name in ("priya", "marek", "lena"):
        with pytest.raises(NotAllowed):
            journey.decide(name, request)
    journey.decide("ana", request)
    with pytest.raises(NotNow):
        journey.decide("ana", request)
    assert journey.release(release.pk).state == "submitted"
    assert journey.writes("Production") == []


def test_edit_after_a_decision_voids_it_and_the_old_page_gets_a_409(journey: Journey) -> None:
    release = journey.composed(
        "October", journey.offered("sales", "v4.2.0"), journey.offered("service", "v1.10.0")
    )
    request = journey.submitted(release)
    journey.decide("ana", request)
    service = release.items.get(candidate__team__slug="service").candidate
    journey.as_person(
        "marek", releases.remove_candidate, release_id=release.pk, candidate_id=service.pk
    )
    assert journey.release(release.pk).state == "draft"
    with pytest.raises(Stale) as refusal:
        journey.decide("ben", request)
    assert refusal.value.status == 409
    assert journey.deployment(release).state == "superseded"
    assert journey.writes("Production") == []


def test_role_lost_after_deciding_keeps_the_gate_closed(journey: Journey) -> None:
    release = journey.composed("October", journey.offered("sales", "v4.2.0"))
    request = journey.submitted(release)
    journey.decide("ana", request)
    seat = Membership.objects.get(
        user=journey.users["ana"], role="board_member", revoked_at__isnull=True
    )
    journey.as_person("ines", people.revoke, membership_id=seat.pk)
    journey.decide("ben", request)
    assert journey.release(release.pk).state == "submitted"
    journey.decide("jonas", request)
    assert journey.release(release.pk).state == "deployed"


def test_rejection_returns_the_release_and_nothing_is_sent(journey: Journey) -> None:
    release = journey.composed("October", journey.offered("sales", "v4.2.0"))
    request = journey.submitted(release)
    journey.decide("ana", request, verdict="reject")
    release = journey.release(release.pk)
    assert release.state == "rehearsed"
    assert "rejected" in release.state_note
    assert journey.deployment(release).state == "superseded"
    again = journey.as_person("marek", stages.submit, release_id=release.pk)
    assert again.pk != request.pk
    assert approval.request_of(release) == again


def test_production_before_rehearsal_and_submission_before_preparation_are_refused(
    journey: Journey,
) -> None:
    release = journey.composed("October", journey.offered("sales", "v4.2.0"))
    for step in (stages.rehearse, stages.prepare, stages.submit):
        with pytest.raises(NotNow):
            journey.as_person("marek", step, release_id=release.pk)
    with pytest.raises(NotAllowed):
        journey.as_person("priya", stages.integrate, release_id=release.pk)
    with pytest.raises(NotNow) as refusal:
        journey.as_person(
            "marek",
            deployments.cancel,
            deployment_id=release.items.get().candidate.deployments.get().pk,
        )
    assert refusal.value.code == "deployment.over"
