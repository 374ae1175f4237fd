"""The engine against an org that misbehaves: nothing is sent twice, nothing is guessed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from core import blobs as stored
from environments.gateways import open_org
from environments.models import Lease
from releases.engine import remote
from releases.engine.context import StepContext
from releases.models import Artefact, Candidate, Deployment, StepMessage
from releases.services import candidates, deployments
from salesforce.types import DeployOptions
from tests.journeys.northwind import Journey
from tests.support import cover
from tests.support.barrier import held_at_the_calendar
from tests.support.databases import as_role

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
TEST = "Sales TEST"


def picked(journey: Journey, tag: str = "v4.2.0") -> tuple[Candidate, Deployment]:
    """A tag sent to TEST, with its deployment, after all work has run."""
    repository = journey.teams["sales"].repository
    candidate = journey.as_person("priya", candidates.create, repository_id=repository.pk, tag=tag)
    candidate.refresh_from_db()
    return candidate, candidate.deployments.latest("pk")


def test_i21_call_that_took_effect_without_an_answer_is_adopted_and_not_sent_again(
    journey: Journey,
) -> None:
    journey.org(TEST).fault("reset_after", "deploy.start", times=1)
    candidate, deployment = picked(journey)
    assert (candidate.state, deployment.state) == ("deployed", "succeeded"), deployment.message
    assert len(journey.writes(TEST)) == 1


def test_call_that_never_arrived_fails_only_after_the_uploads_time_limit(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "UPLOAD_LIMIT", timedelta(seconds=1))
    journey.org(TEST).fault("reset_before", "deploy.start", times=1)
    candidate, deployment = picked(journey)
    assert (candidate.state, deployment.state) == ("failed", "failed")
    assert "never reached the org" in deployment.message
    assert journey.writes(TEST) == []
    assert not Lease.objects.exists()


def test_i23_two_deployments_that_could_be_ours_are_in_doubt_until_a_person_settles(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey.offered("sales", "v4.2.0")
    artefact = Artefact.objects.order_by("-pk")[0]
    environment = journey.orgs[TEST]
    environment.refresh_from_db()
    journey.org(TEST).fault("reset_after", "deploy.start", times=1)
    with as_role("deploy"), open_org(environment) as org:
        recent = remote._unclaimed
        zip_bytes = stored.get(artefact.blob)

        def and_a_stranger(ctx: StepContext) -> list[object]:
            org.deploy(zip_bytes, DeployOptions(check_only=False, test_level="NoTestRun"))
            monkeypatch.setattr(remote, "_unclaimed", recent)
            return list(recent(ctx))

        monkeypatch.setattr(remote, "_unclaimed", and_a_stranger)
    candidate, deployment = picked(journey, "v4.1.0")
    assert deployment.state == "unknown"
    assert candidate.state == "testing"
    assert Lease.objects.get().environment_id == environment.pk
    journey.as_person(
        "marek",
        deployments.settle,
        deployment_id=deployment.pk,
        outcome="failed",
        note="looked in Setup",
    )
    deployment.refresh_from_db()
    assert deployment.state == "failed"
    assert "looked in Setup" in deployment.message
    assert not Lease.objects.exists()


def test_expired_session_while_the_org_works_is_renewed(journey: Journey) -> None:
    journey.org(TEST).fault("expired_session", "deploy.status", times=1)
    _, deployment = picked(journey)
    assert deployment.state == "succeeded"
    assert len(journey.writes(TEST)) == 1


def test_failing_test_fails_the_deployment_with_the_orgs_words(journey: Journey) -> None:
    journey.org(TEST).set_tests({"RenewalPlannerTest": {"message": "System.AssertException: no"}})
    candidate, deployment = picked(journey)
    assert candidate.state == "failed"
    said = StepMessage.objects.filter(step__deployment=deployment, kind="test")
    assert said.filter(name__startswith="RenewalPlannerTest.", problem__contains="no").exists()
    assert deployment.message.startswith("Test RenewalPlannerTest.")
    journey.org(TEST).set_tests({})
    journey.as_person("priya", candidates.retry, candidate_id=candidate.pk)
    candidate.refresh_from_db()
    assert candidate.state == "deployed"
    assert candidate.deployments.count() == 2


def test_cancel_while_the_org_works_ends_cancelled_and_frees_the_environment(
    journey: Journey,
) -> None:
    journey.org(TEST).fault("never_ends", "deploy.run", times=1)
    repository = journey.teams["sales"].repository
    with journey.acting("priya"):
        candidate = candidates.create(repository_id=repository.pk, tag="v4.2.0")
    with pytest.raises(AssertionError, match="work is left"):
        journey.work(seconds=6)
    deployment = Deployment.objects.get(candidate=candidate)
    assert deployment.state == "running"
    journey.as_person("priya", deployments.cancel, deployment_id=deployment.pk)
    deployment.refresh_from_db()
    candidate.refresh_from_db()
    assert (deployment.state, candidate.state) == ("cancelled", "failed")
    assert not Lease.objects.exists()


def test_i3_stored_package_with_other_bytes_is_never_sent(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = journey.offered("sales", "v4.1.0")
    other, read = candidate.artefact, stored.get
    assert other is not None
    monkeypatch.setattr(stored, "get", lambda key: read(other.blob))
    before = len(journey.writes(TEST))
    later, deployment = picked(journey, "v4.2.0")
    assert deployment.state == "failed"
    assert "nothing was sent" in deployment.message
    assert later.state == "failed"
    assert len(journey.writes(TEST)) == before


def test_i13_production_that_moves_while_the_worker_stands_before_the_intent_is_not_written(
    journey: Journey,
) -> None:
    """After the snapshot the worker waits for minutes; meanwhile somebody changes production."""
    release = journey.composed("October", journey.offered("service", "v1.10.0"))
    request = journey.submitted(release)
    journey.decide("ana", request)
    production = journey.org("Production")
    body = production.content("classes/CaseEscalation.cls")
    with held_at_the_calendar(partial(journey.decide, "ben", request), 90):
        deployment = journey.deployment(release)
        assert deployment.steps.get(kind="snapshot").state == "succeeded"
        production.change("classes/CaseEscalation.cls", body + "\n// hotfix\n")
        cover.set_clock(2)
    release = journey.release(release.pk)
    assert release.state == "draft"
    assert "ApexClass CaseEscalation, outside Gatehouse" in release.state_note
    assert journey.writes("Production") == []
    assert production.content("classes/CaseEscalation.cls").endswith("// hotfix\n")
