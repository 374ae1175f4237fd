"""I-17: a freeze beats an approval, on all trigger types, no implicit exception.

*Test:* freeze created while queued / claimed / running, each trigger type.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from core import db
from environments.models import Freeze, Lease
from environments.selectors_calendar import Target
from environments.services import calendar
from environments.services.calendar import Words
from environments.states import FreezeScope
from jobs import runner
from jobs.models import Work
from jobs.wake import wake
from releases import gate
from releases.engine import executor, parcel
from releases.models import Deployment, Step
from releases.services import deployments
from releases.states import Effect, Purpose
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company, acting
from tests.support.databases import as_role


class Recorder:
    """An org that only notes what it is asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: object, **options: object) -> str:
            self.calls.append(name)
            return "0Af000000000001AAA"

        return call


@pytest.fixture
def world(company: Company) -> Approved:
    return approved(company)


@pytest.fixture
def org(world: Approved, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """The engine in the release's window, against an org that notes calls."""
    recorder = Recorder()

    @contextmanager
    def opened(_: object) -> Iterator[Recorder]:
        yield recorder

    monkeypatch.setattr(db, "database_now", lambda: world.in_window)
    monkeypatch.setattr(executor, "open_org", opened)
    monkeypatch.setattr(parcel, "verified_zip", lambda artefact: b"zip")
    return recorder


def targets(world: Approved) -> dict[str, Target]:
    production = world.deployment.environment
    return {
        "everything": Target(FreezeScope.EVERYTHING),
        "protected": Target(FreezeScope.PROTECTED),
        "track": Target(FreezeScope.TRACK, track=production.track),
        "environment": Target(FreezeScope.ENVIRONMENT, environment=production),
        "team": Target(FreezeScope.TEAM, team=world.company.teams["sales"]),
    }


def freeze(world: Approved, scope: str = "everything") -> Freeze:
    begins = world.company.now.replace(tzinfo=None) - timedelta(hours=1)
    words = Words(
        "Year end", "Books.", targets(world)[scope], "UTC", begins, begins + timedelta(days=9)
    )
    with acting(world.company.people["marek"]):
        return calendar.freeze(words=words)


def advance(world: Approved) -> Deployment:
    """Let a deploy worker attend to the deployment once."""
    with acting(world.company.people["marek"]):
        wake(deployments.KIND, world.deployment.pk)
    rows = Work.objects.filter(kind=deployments.KIND, subject_id=world.deployment.pk)
    with as_role("deploy"):
        runner.advance("deploy", list(rows.values_list("pk", flat=True)))
    return world.fresh()


def codes(deployment: Deployment) -> set[str]:
    return {reason["code"] for reason in deployment.reasons}


@pytest.mark.parametrize("scope", ["everything", "protected", "track", "environment", "team"])
def test_i17_a_freeze_of_any_scope_closes_an_approved_gate(world: Approved, scope: str) -> None:
    before = world.verdict()
    assert before.allowed, before.holding
    freeze(world, scope)
    held = world.verdict()
    assert not held.allowed
    (reason,) = held.holding
    assert reason.code == "calendar.freeze"
    assert "Year end" in reason.text
    assert world.in_force()  # the approvals stay; the freeze beats them


def test_i17_the_emergency_stop_closes_it_too(world: Approved) -> None:
    with acting(world.company.people["ines"]):
        calendar.stop(reason="Logins fail.", typed_word="stop")
    assert [reason.code for reason in world.verdict().holding] == ["calendar.stop"]


def test_i17_every_trigger_kind_is_held(company: Company) -> None:
    """Builds, candidates, each stage of a release: the same gate, the same freeze."""
    world = approved(company)
    rows = list(Deployment.objects.select_related("release", "preparation", "environment"))
    assert {row.purpose for row in rows} >= {Purpose.BUILD, Purpose.RELEASE, Purpose.PREPARE}
    for purpose in Purpose:
        if purpose not in {row.purpose for row in rows}:
            row = world.fresh()
            row.purpose = purpose
            rows.append(row)
    for row in rows:
        assert not held(row, world)
    freeze(world)
    for row in rows:
        assert held(row, world), row.purpose


def held(row: Deployment, world: Approved) -> bool:
    reasons = gate.evaluate(row, world.in_window).reasons
    return any(reason.code == "calendar.freeze" and reason.holds for reason in reasons)


def test_i17_created_while_queued_it_is_held_and_holds_nothing(
    world: Approved, org: Recorder
) -> None:
    freeze(world)
    deployment = advance(world)
    assert deployment.state == "held"
    assert "calendar.freeze" in codes(deployment)
    assert not Lease.objects.filter(environment=deployment.environment).exists()
    assert org.calls == []


@pytest.mark.parametrize("moment", ["claimed", "running"])
def test_i17_created_after_the_claim_nothing_is_written(
    world: Approved, org: Recorder, moment: str
) -> None:
    """The gate was open when the worker took the environment; the freeze comes before the call."""
    if moment == "running":
        begin(world)
        skip_reads(world)
        freeze(world)
    else:
        begin(world)
        freeze(world)
        skip_reads(world)
    deployment = advance(world)
    step = Step.objects.get(deployment=deployment, effect=Effect.WRITE)
    assert (step.intended_at, step.remote_id) == (None, "")
    assert not {"deploy", "quick_deploy"} & set(org.calls)
    assert deployment.state != "succeeded"
    assert "Year end" in deployment.message


def test_i17_without_the_freeze_the_same_steps_write(world: Approved, org: Recorder) -> None:
    """The control: what holds above is the freeze and nothing else."""
    begin(world)
    skip_reads(world)
    assert world.verdict().allowed


def begin(world: Approved) -> None:
    """Claim: the gate is asked, the environment is taken, the first step has not begun."""
    row = Work.objects.filter(kind=deployments.KIND, subject_id=world.deployment.pk)
    with acting(world.company.people["marek"]):
        wake(deployments.KIND, world.deployment.pk)
    work = row.get()
    claim = _Claim(work.pk)
    with as_role("deploy"), acting(world.company.people["marek"]):
        executor._begin(claim, world.deployment.pk)  # type: ignore[arg-type]
    assert world.fresh().state == "running"


class _Claim:
    """A claim that nobody contests."""

    def __init__(self, pk: int) -> None:
        self.pk = pk

    def guard(self) -> None:
        return None

    def renew(self, seconds: float = 0) -> None:
        return None


def skip_reads(world: Approved) -> None:
    """Settle the reading steps as if the org had answered."""
    with as_role("deploy"):
        Step.objects.filter(deployment=world.deployment, state="pending").exclude(
            effect=Effect.WRITE
        ).exclude(kind="verify").update(
            state="skipped", note="not needed here", finished_at=db.database_now()
        )
