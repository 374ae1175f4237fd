"""I-13: web plans no write without the steps before it; the org is read right before the call."""

from __future__ import annotations

from typing import Any

import pytest

from releases.models import Step
from releases.services import deployments, stages
from releases.states import PLANS, Purpose, StepKind
from tests.invariants.gate_world import approved
from tests.support.company import Company, acting
from tests.support.cover import refusal
from tests.support.databases import as_role
from tests.support.moves import reach

pytestmark = pytest.mark.django_db


def rows_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan names the snapshot, which people see; its row is never written."""
    create = Step.objects.bulk_create
    monkeypatch.setattr(
        Step.objects,
        "bulk_create",
        lambda rows: create([row for row in rows if row.kind != StepKind.SNAPSHOT]),
    )


def plan_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan itself begins with the write."""
    short = {**PLANS, Purpose.RELEASE: (StepKind.GATE, StepKind.DEPLOY, StepKind.VERIFY)}
    monkeypatch.setattr(deployments, "PLANS", short)


def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it ought to be."""


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (nothing, ""),
        (rows_left_out, "steps of its plan are missing"),
        (plan_cut, "its plan does not read the org before it writes"),
    ],
)
def test_i13_no_write_without_the_steps_before_it(
    company: Company, monkeypatch: pytest.MonkeyPatch, attack: Any, said: str
) -> None:
    release = company.releases["October train"]
    with acting(company.people["marek"]):
        stages.withdraw_submission(release_id=release.pk, reason="again")
        attack(monkeypatch)
        stages.submit(release_id=release.pk)
    release.refresh_from_db()
    world = approved(company)
    with as_role("deploy"):
        reach(world.deployment, "running")
    assert refusal(world.deployment.steps.get(kind="deploy")) == said
