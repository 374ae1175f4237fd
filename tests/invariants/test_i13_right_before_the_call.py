"""I-13: the worker re-checks right before the call, in a transaction that locks the request row.

The worker has claimed the row, passed the gate, opened the org and read the package; then, at the
last moment before the intent, something takes the cover away. The org is never called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from core import clock
from core.context import Actor, acting_as
from core.db import database_now
from environments.models import Environment
from governance.models import ApprovalRequest, Membership, User
from jobs.models import Work
from jobs.registry import Claim, Next
from jobs.wake import wake
from releases.engine import parcel, reads, remote
from releases.engine.context import StepContext
from releases.models import Release
from releases.services import approval, deployments, releases
from salesforce.client import Org
from tests.invariants.gate_world import Approved, approved
from tests.releases.pages.conftest import Looks
from tests.support import cover
from tests.support.attacks import drop
from tests.support.company import Company, acting
from tests.support.databases import as_role
from tests.support.moves import reach


class RecordingOrg:
    """An org that only counts the calls."""

    def __init__(self) -> None:
        self.calls = 0

    def deploy(self, *_: Any) -> str:
        """Take a deployment."""
        self.calls += 1
        return "0Af000000000001AAA"

    quick_deploy = deploy


Act = Callable[[StepContext], Next]


@pytest.fixture(autouse=True)
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the org holds is as it was: tests/journeys/test_engine.py moves it."""
    monkeypatch.setattr(reads, "LOOK_COUNTS_FOR", timedelta(days=365))


@contextmanager
def ready(company: Company) -> Iterator[Approved]:
    """An approved release whose deployment runs, in its window."""
    found = approved(company)
    with cover.later(minutes=2 * 24 * 60 + 5):
        wake(deployments.KIND, found.deployment.pk)
        with as_role("deploy"):
            Work.objects.filter(subject_id=found.deployment.pk).update(
                lease_until=clock.now() + timedelta(days=30)
            )
            reach(found.deployment, "running")
            found.deployment.steps.filter(kind="snapshot").update(finished_at=database_now())
            for step in found.deployment.steps.exclude(kind="deploy"):
                if step.position < 4:
                    reach(step, "skipped" if step.kind == "validate" else "succeeded")
        with acting(company.people["marek"]), as_role("deploy"):
            reach(found.release, "deploying")
        yield found


@pytest.fixture
def world(company: Company) -> Iterator[Approved]:
    """The company's deployment one step before the intent."""
    with ready(company) as found:
        yield found


def begin(world: Approved, org: object, act: Act = remote.begin) -> None:
    """Let the deploy worker go on from its claim."""
    work = Work.objects.get(kind=deployments.KIND, subject_id=world.deployment.pk)
    deployment = world.fresh()
    step = deployment.steps.get(kind="deploy")
    step.deployment = deployment
    claim = Claim(work.kind, work.subject_id, work.fence, work.pk)
    with acting_as(Actor("worker", None, "deploy worker")), as_role("deploy"):
        act(StepContext(claim, deployment, step, cast(Org, org)))


def call(world: Approved, monkeypatch: pytest.MonkeyPatch, loss: Callable[[], Any]) -> RecordingOrg:
    """Let the worker go on from its claim; the loss happens between the gate and the intent."""
    org = RecordingOrg()
    assert world.verdict().allowed, [item.text for item in world.verdict().holding]

    def package(_: Any) -> bytes:
        with as_role("web"):
            loss()
        return b"zip"

    monkeypatch.setattr(parcel, "verified_zip", package)
    begin(world, org)
    return org


def test_i13_with_its_cover_the_call_is_made_once(
    world: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = call(world, monkeypatch, lambda: None)
    assert org.calls == 1
    assert world.deployment.steps.get(kind="deploy").state == "started"


def withdraw(world: Approved) -> None:
    with acting(world.company.people["ben"]):
        approval.withdraw_decision(release_id=world.release.pk, reason="second thoughts")


def ben(world: Approved) -> User:
    return world.company.people["ben"]


LOSSES: dict[str, Callable[[Approved], Any]] = {
    "withdrawn": withdraw,
    "role revoked": lambda world: Membership.objects.filter(user=ben(world)).update(
        revoked_at=clock.now()
    ),
    "account closed": lambda world: User.objects.filter(pk=ben(world).pk).update(is_active=False),
    "policy of the environment replaced": lambda world: cover.execute(
        "owner",
        "UPDATE environments_environment SET policy_id = %s WHERE id = %s",
        world.company.unasked and world.company.unasked.pk,
        world.deployment.environment_id,
    ),
    "policy of the environment taken away": lambda world: Environment.objects.filter(
        pk=world.deployment.environment_id
    ).update(policy=None),
    "environment retired": lambda world: Environment.objects.filter(
        pk=world.deployment.environment_id
    ).update(retired_at=clock.now()),
    "release edited": lambda world: Release.objects.filter(pk=world.release.pk).update(
        not_after=world.company.now + timedelta(days=4)
    ),
    "excluded": lambda world: cover.execute(
        "web",
        "INSERT INTO governance_exclusion (request_id, user_id, reason) VALUES (%s, %s, 'wrote')",
        world.request.pk,
        ben(world).pk,
    ),
    "cancelled": lambda world: _cancel(world),
    "joined a contributing team": lambda world: Membership.objects.create(
        user=ben(world), team=world.company.teams["sales"], role="developer"
    ),
    "baseline moved": lambda world: _move_baseline(world),
    "expired": lambda world: _expire(world),
}


def _expire(world: Approved) -> None:
    """The request's time is over, and the worker has its claim still."""
    ends = ApprovalRequest.objects.get(pk=world.request.pk).expires_at
    cover.set_clock(int((ends - clock.now()).total_seconds()) // 60 + 1)


def _move_baseline(world: Approved) -> None:
    """Production is another one than the one that was prepared; as owner, past the guard."""
    drop("releases_deployment", "guard_deployment")
    cover.execute(
        "owner",
        "UPDATE releases_deployment SET baseline_digest = %s WHERE id = %s",
        f"sha256:{'9' * 64}",
        world.deployment.pk,
    )


def _cancel(world: Approved) -> None:
    with acting(world.company.people["marek"]):
        deployments.cancel(deployment_id=world.deployment.pk)


@pytest.mark.parametrize("loss", LOSSES, ids=list(LOSSES))
def test_i13_what_is_lost_at_the_last_moment_stops_the_call(
    world: Approved, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    org = call(world, monkeypatch, lambda: LOSSES[loss](world))
    assert org.calls == 0
    step = world.deployment.steps.get(kind="deploy")
    assert step.state in ("skipped", "pending")
    assert releases.lock(world.release.pk).state != "deploying"


def test_i13_a_decision_taken_back_after_the_call_stops_it_and_is_shown(
    world: Approved, monkeypatch: pytest.MonkeyPatch, as_person: Looks
) -> None:
    """After the intent a withdrawal has its own rule: the deployment shows it and is stopped."""
    call(world, monkeypatch, lambda: None)
    withdraw(world)
    deployment = world.fresh()
    assert deployment.uncovered == "An approval no longer counts"
    assert deployment.cancel_requested_at is not None
    assert deployment.state == "running"
    for page in (deployment, world.release):
        shown = as_person("ana").get(page.get_absolute_url()).content.decode()
        assert "Its approval was lost after it was sent:" in shown
        assert "An approval no longer counts" in shown
        assert "The org is told to stop" in shown
