"""I-28: back only to what was approved for this environment; never any old version."""

from __future__ import annotations

import pytest
from django.urls import reverse

from core.errors import NotNow
from governance.models import ApprovalRequest, PolicyVersion
from governance.states import ApprovalState
from releases import gate
from releases.models import Artefact, Deployment, Release
from releases.selectors import targets
from releases.services import approval, deployments, rollbacks, stages
from releases.states import DeploymentState, Purpose, StepState
from tests.invariants.gate_world import Approved, approve, approved, first_policy
from tests.releases.pages.conftest import Looks
from tests.support.attacks import drop
from tests.support.company import Company, acting, hex_of
from tests.support.company.house import hold
from tests.support.company.work import package, run
from tests.support.databases import as_role


@pytest.fixture
def world(company: Company) -> Approved:
    """Production went from the approved October train to something newer."""
    first_policy(company, "Rollback")
    world = approved(company)
    finish(world.deployment)
    newer = package("newer", 12)
    hold(company, "Production", "R-9", newer.digest)
    return world


def finish(deployment: Deployment) -> None:
    """Let the approved deployment have succeeded."""
    with as_role("deploy"):
        row = Deployment.objects.get(pk=deployment.pk)
        row.state = DeploymentState.RUNNING
        row.started_at = row.created_at
        row.save(update_fields=["state", "started_at"])
        row.state, row.finished_at = DeploymentState.SUCCEEDED, row.created_at
        row.save(update_fields=["state", "finished_at"])


def prepared(company: Company, release: Release) -> None:
    """Let the preparation that the rollback asked for succeed."""
    row = release.deployments.get(purpose=Purpose.PREPARE)
    with as_role("deploy"):
        row.state = DeploymentState.RUNNING
        row.save(update_fields=["state"])
        row.baseline_digest = f"sha256:{hex_of('now')}"
        row.save(update_fields=["baseline_digest"])
        for step in row.steps.order_by("position"):
            if step.kind == "validate":
                step.state = StepState.INTENDED
                step.save(update_fields=["state"])
                step.state = StepState.STARTED
                step.save(update_fields=["state"])
            step.state = StepState.SUCCEEDED
            step.finished_at = company.now
            step.save(update_fields=["state", "finished_at"])
        row.state = DeploymentState.SUCCEEDED
        row.finished_at = company.now
        row.save(update_fields=["state", "finished_at"])


def started(world: Approved) -> Release:
    with acting(world.company.people["marek"]):
        release = rollbacks.start(deployment_id=world.deployment.pk)
    prepared(world.company, release)
    return release


def test_i28_what_was_approved_here_can_be_gone_back_to_with_its_own_approval(
    world: Approved,
) -> None:
    release = started(world)
    with acting(world.company.people["marek"]):
        request = stages.submit(release_id=release.pk)
    assert request.policy_version.policy.name == "Rollback"
    deployment = approval.deployment_of(request)
    assert deployment is not None
    before = gate.evaluate(deployment, world.company.now)
    assert {row.code for row in before.holding} == {"gate.approvals_missing"}
    approve(world.company, release, "jonas")
    after = gate.evaluate(Deployment.objects.get(pk=deployment.pk), world.company.now)
    assert after.allowed, after.holding


def test_i28_a_digest_never_approved_here_is_refused(world: Approved) -> None:
    """Roll back to a digest never approved for this environment → refused."""
    company = world.company
    elsewhere = run(company, Purpose.REHEARSE, "Rehearsal", package("elsewhere"))
    with acting(company.people["marek"]), pytest.raises(NotNow) as refusal:
        rollbacks.start(deployment_id=elsewhere.pk)
    assert refusal.value.code == "rollback.never_approved"


def test_i28_an_artefact_exchanged_after_the_approval_is_held_by_the_gate(
    world: Approved,
) -> None:
    """Approved is the old artefact; another one in its place passes nowhere, in any combination."""
    release = started(world)
    with acting(world.company.people["marek"]):
        request = stages.submit(release_id=release.pk)
    deployment = approval.deployment_of(request)
    assert deployment is not None
    approve(world.company, release, "jonas")
    assert gate.evaluate(deployment, world.company.now).allowed
    other = package("never approved here")
    assert not targets.was_approved_here(deployment.environment, other)

    exchanged(release, other)
    held = gate.evaluate(deployment, world.company.now)
    assert {"gate.artefact_changed", "gate.no_approval"} <= {row.code for row in held.holding}


def exchanged(release: Release, other: Artefact) -> None:
    """Put another artefact into a release, past every service."""
    with as_role("build"):  # the database lets nobody else
        Release.objects.filter(pk=release.pk).update(artefact=other)


def test_i28_a_deployment_of_another_artefact_was_never_approved_here(world: Approved) -> None:
    """The same with a deployment planned by hand for the exchanged artefact."""
    release = started(world)
    other = package("never approved here")
    exchanged(release, other)
    release.refresh_from_db()
    production = world.company.orgs["Production"]
    with acting(world.company.people["marek"]):
        forged = deployments.plan(
            purpose=Purpose.RELEASE,
            environment=production,
            artefact=other,
            requester=world.company.people["marek"],
            release=release,
            preparation=release.deployments.get(purpose=Purpose.PREPARE),
            policy_version=PolicyVersion.objects.get(policy__name="Rollback"),
            subject_digest=f"sha256:{hex_of('forged')}",
        )
    held = gate.evaluate(forged, world.company.now)
    assert {"gate.never_approved_here", "gate.no_approval"} <= {row.code for row in held.holding}


def test_i28_the_list_offers_nothing_else(world: Approved, as_person: Looks) -> None:
    page = as_person("marek").get(reverse("releases:rollback")).content.decode()
    assert reverse("releases:rollback_to", kwargs={"pk": world.deployment.pk}) in page
    assert page.count("Go back to it") == 1
    live = ApprovalRequest.objects.filter(state=ApprovalState.OPEN, subject_kind="release")
    assert not live.exists()


def test_i28_package_of_only_what_differed_is_no_way_back(world: Approved) -> None:
    assert targets.was_approved_here(world.deployment.environment, world.deployment.artefact)
    drop("releases_release", "guard_cargo")  # the scope never changes after the draft
    Release.objects.filter(deployments=world.deployment).update(scope="delta")
    with acting(world.company.people["marek"]), pytest.raises(NotNow) as refusal:
        rollbacks.start(deployment_id=world.deployment.pk)
    assert refusal.value.code == "rollback.never_approved"
    assert not targets.was_approved_here(world.deployment.environment, world.deployment.artefact)
