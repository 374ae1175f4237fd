"""I-1: approve subject A; change any bound field → approvals in force = 0."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, transaction

from core.errors import DomainError
from environments.models import Environment
from governance.models import Policy
from releases.models import (
    Artefact,
    BreakGlass,
    Candidate,
    Deployment,
    Release,
    ReleaseItem,
    Resolution,
    RunbookItem,
)
from releases.rules.subject import BOUND, UNBOUND
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company, hex_of
from tests.support.databases import as_role

MODELS = (
    Release,
    ReleaseItem,
    Candidate,
    Artefact,
    Environment,
    Deployment,
    RunbookItem,
    BreakGlass,
    Resolution,
)


def fields_of(model: Any) -> set[str]:
    return {f"{model.__name__}.{field.name}" for field in model._meta.concrete_fields}


def test_i01_every_field_of_the_bound_objects_is_declared_bound_or_unbound() -> None:
    """A meta-test fails when a model field is added without being classed bound or unbound."""
    found = set().union(*(fields_of(model) for model in MODELS))
    everywhere = {name.partition(".")[2] for name in UNBOUND if name.startswith("*.")}
    free = {name for name in found if name.partition(".")[2] in everywhere}
    declared = set(BOUND) | {name for name in UNBOUND if not name.startswith("*.")}
    assert found - free == declared - {name for name in declared if name in free}
    assert not set(BOUND) & set(UNBOUND)
    assert all(UNBOUND.values())


def test_i01_every_bound_model_is_looked_at() -> None:
    named = {name.partition(".")[0] for name in BOUND}
    assert named <= {model.__name__ for model in MODELS}
    assert all(apps.get_model(model._meta.label) is model for model in MODELS)


Change = Callable[[Approved], Any]


def row(model: Any, role: str, pick: Callable[[Approved], Any], **values: Any) -> Change:
    """Write a bound column as a role of the database, past every service."""

    def change(world: Approved) -> None:
        written = {
            name: value(world) if callable(value) else value for name, value in values.items()
        }
        with as_role(role):
            model.objects.filter(pk=pick(world)).update(**written)

    return change


def runbook(**values: Any) -> Change:
    def change(world: Approved) -> None:
        RunbookItem.objects.create(
            release=world.release,
            text="Stop the nightly import",
            owner=world.company.people["marek"],
            added_by=world.company.people["marek"],
            **values,
        )

    return change


def glass(world: Approved) -> None:
    Release.objects.filter(pk=world.release.pk).update(change_class="emergency")
    BreakGlass.objects.create(
        release=world.release,
        reason="Orders fail",
        incident="INC-7",
        asked_by=world.company.people["marek"],
    )


def decided(world: Approved) -> None:
    Resolution.objects.create(
        release=world.release,
        type="Profile",
        name="Admin",
        path="Profile/fieldPermissions[Account.Region__c]",
        conflict_digest=f"sha256:{hex_of('sides')}",
        pick=f"sha256:{hex_of('side')}",
        made_by=world.company.people["marek"],
        made_at=world.company.now,
    )


def release(world: Approved) -> int:
    return world.release.pk


def item(world: Approved) -> int:
    found = world.release.items.first()
    assert found is not None
    return found.pk


def deployment(world: Approved) -> int:
    return world.deployment.pk


def production(world: Approved) -> int:
    return world.company.orgs["Production"].pk


def other_release(world: Approved) -> int:
    return world.company.releases["September train"].pk


def of(name: str) -> Callable[[Approved], Any]:
    return lambda world: getattr(world.company.releases["September train"], name)


CHANGES: dict[str, Change] = {
    "Release.artefact": row(Release, "web", release, artefact=of("artefact")),
    "Release.change_class": row(Release, "web", release, change_class="standard"),
    "Release.not_before": row(
        Release, "web", release, not_before=lambda w: w.release.not_before - timedelta(hours=1)
    ),
    "Release.not_after": row(
        Release, "web", release, not_after=lambda w: w.release.not_after + timedelta(hours=1)
    ),
    "Release.restores": row(Release, "web", release, restores=other_release),
    "Release.test_level": row(Release, "web", release, test_level="RunAllTestsInOrg"),
    "Release.tests_added": row(Release, "web", release, tests_added=["SmokeTest"]),
    "Release.tests_removed": row(Release, "web", release, tests_removed=["PricingTest"]),
    "ReleaseItem.candidate": row(
        ReleaseItem, "web", item, candidate=lambda w: w.company.candidates["sales v1.0.0"].pk
    ),
    "ReleaseItem.removed_at": row(ReleaseItem, "web", item, removed_at=lambda w: w.company.now),
    "ReleaseItem.release": row(ReleaseItem, "web", item, release=other_release),
    "Candidate.sha": row(
        Candidate, "web", lambda w: w.company.candidates["sales v1.1.0"].pk, sha=hex_of("x")[:40]
    ),
    "Artefact.digest": row(
        Artefact, "build", lambda w: w.release.artefact_id, digest=f"sha256:{hex_of('x')}"
    ),
    "Environment.organization_id": row(
        Environment, "deploy", production, organization_id="00D000000000099AAA"
    ),
    "Environment.policy": row(
        Environment, "owner", production, policy=lambda w: Policy.objects.create(name="Loose").pk
    ),
    "Deployment.environment": row(
        Deployment, "web", deployment, environment=lambda w: w.company.orgs["Rehearsal"].pk
    ),
    "Deployment.requester": row(
        Deployment, "web", deployment, requester=lambda w: w.company.people["ines"].pk
    ),
    "Deployment.plan": row(
        Deployment,
        "web",
        deployment,
        plan=lambda w: {**w.deployment.plan, "test_level": "NoTestRun"},
    ),
    "Deployment.preparation": row(
        Deployment, "web", deployment, preparation=lambda w: w.company.deployments["running"].pk
    ),
    "Deployment.release": row(Deployment, "web", deployment, release=other_release),
    "Deployment.baseline_digest": row(
        Deployment,
        "deploy",
        lambda w: w.deployment.preparation_id,
        baseline_digest=f"sha256:{hex_of('moved')}",
    ),
    "RunbookItem.text": runbook(),
    "RunbookItem.phase": runbook(phase="after"),
    "RunbookItem.owner": runbook(),
    "RunbookItem.critical": runbook(critical=True),
    "RunbookItem.removed_at": runbook(),
    "RunbookItem.release": runbook(),
    **{name: decided for name in BOUND if name.startswith("Resolution.")},
    "BreakGlass.reason": glass,
    "BreakGlass.incident": glass,
    "BreakGlass.release": glass,
}


@pytest.fixture
def world(company: Company) -> Approved:
    return approved(company)


def test_i01_approved_and_untouched_the_gate_is_open(world: Approved) -> None:
    assert world.in_force()
    assert world.verdict().allowed, world.verdict().holding


def test_i01_every_bound_field_is_tried() -> None:
    assert set(CHANGES) == set(BOUND)


@pytest.mark.parametrize("name", sorted(BOUND))
def test_i01_changing_a_bound_field_leaves_no_approval_in_force(world: Approved, name: str) -> None:
    """Approve subject A; change any bound field → approvals in force = 0."""
    try:
        with transaction.atomic():
            CHANGES[name](world)
    except (DatabaseError, DomainError):
        return  # The database refuses the change, so nothing can differ from what was approved.
    assert not world.in_force()
    assert not world.verdict().allowed
