"""I-20: a question whose time ends while what it let begin is under way was used in time.

It is closed as used when the deployment succeeds, and expires when it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from core import clock
from core.context import Actor, acting_as
from core.db import database_now
from core.errors import NotNow
from environments.models import SandboxRequest
from environments.services.sandboxes import requests
from governance import approvals
from governance.models import ApprovalRequest, AuditEvent
from jobs.models import Work
from jobs.registry import Claim
from releases.engine import finish, parcel
from releases.models import Deployment
from releases.services import approval, deployments
from tests.environments.test_sandbox_floor import approved as agreed_copy
from tests.invariants.gate_world import Approved
from tests.invariants.test_i13_right_before_the_call import RecordingOrg, _seen, begin, ready
from tests.releases.pages.conftest import company, founded
from tests.support import cover
from tests.support.company import Company, acting
from tests.support.databases import as_role
from tests.support.moves import reach

__all__ = ["_seen", "company", "founded"]

WORKER = Actor("worker", None, "worker")


@pytest.fixture
def sent(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Approved]:
    """The deployment was sent in time; now the question's time is over and the org still works."""
    monkeypatch.setattr(parcel, "verified_zip", lambda _artefact: b"the package")
    with ready(company) as world:
        begin(world, RecordingOrg())
        assert world.fresh().steps.get(kind="deploy").state == "started"
        let_time_end(world.request)
        yield world


def let_time_end(request: ApprovalRequest) -> None:
    """Put the database's clock behind the end of a question."""
    ends = ApprovalRequest.objects.get(pk=request.pk).expires_at
    cover.set_clock(int((ends - clock.now()).total_seconds()) // 60 + 1)
    assert ends < database_now()


def sweep() -> list[int]:
    """Close what is over, as a build worker does every minute."""
    with as_role("build"), acting_as(WORKER):
        return approvals.expire_due()


def end(world: Approved, *, well: bool) -> None:
    """Let the worker settle the deployment as the org says."""
    work = Work.objects.get(kind=deployments.KIND, subject_id=world.deployment.pk)
    with as_role("deploy"):
        Work.objects.filter(pk=work.pk).update(lease_until=database_now() + timedelta(hours=1))
    claim = Claim(work.kind, work.subject_id, work.fence, work.pk)
    with acting_as(WORKER), as_role("deploy"):
        deployment = world.fresh()
        step = deployment.steps.get(kind="deploy")
        step.deployment = deployment
        if not well:
            finish.fail(claim, step, problem="One component failed.")
            return
        finish.step_done(claim, step, note="21 components")
        reach(deployment.steps.get(kind="verify"), "succeeded")
        finish.succeed(claim, deployment.pk)


def state(row: Approved) -> str:
    return ApprovalRequest.objects.get(pk=row.request.pk).state


def told(event: str, request: ApprovalRequest) -> int:
    return AuditEvent.objects.filter(event=event, subject_ref=request.public_id).count()


def test_i20_the_time_of_a_question_ends_while_its_deployment_runs_and_it_was_used(
    sent: Approved,
) -> None:
    assert sweep() == []
    assert state(sent) == "satisfied"
    end(sent, well=True)
    assert state(sent) == "used"
    assert sweep() == []
    assert (told("approval.used", sent.request), told("approval.expired", sent.request)) == (1, 0)
    sent.release.refresh_from_db()
    assert sent.release.state == "deployed"


def test_i20_after_a_deployment_that_failed_its_time_is_over(sent: Approved) -> None:
    end(sent, well=False)
    assert state(sent) == "satisfied"
    assert sweep() == [sent.request.pk]
    assert (state(sent), told("approval.expired", sent.request)) == ("expired", 1)


def test_i20_while_nobody_knows_how_the_deployment_ended_its_question_lives(
    sent: Approved,
) -> None:
    with as_role("deploy"):
        reach(sent.fresh().steps.get(kind="deploy"), "unknown")
        reach(sent.fresh(), "unknown")
    assert sweep() == []
    assert state(sent) == "satisfied"


def test_i20_nothing_new_is_decided_or_sent_once_the_time_is_over(sent: Approved) -> None:
    with acting(sent.company.people["jonas"]), pytest.raises(NotNow) as caught:
        approvals.decide(
            request_id=sent.request.pk,
            verdict="approve",
            comment="",
            shown_digest=sent.request.digest,
            current_digest=sent.request.digest,
            auth_strength="password",
        )
    assert caught.value.code == "approval.expired"
    assert not sent.verdict(at=database_now()).allowed
    assert not sent.in_force()


def test_i20_whoever_takes_an_approval_back_then_still_stops_the_deployment(
    sent: Approved,
) -> None:
    with acting(sent.company.people["ben"]):
        approval.withdraw_decision(release_id=sent.release.pk, reason="second thoughts")
    deployment = sent.fresh()
    assert deployment.uncovered == "An approval no longer counts"
    assert deployment.cancel_requested_at is not None
    assert state(sent) == "open"


def test_i20_who_decided_and_still_counts_does_not_stop_it(sent: Approved) -> None:
    """Counting again because of something else about a decider finds what was there in time."""
    with acting(sent.company.people["ines"]):
        approvals.settle_for(sent.company.people["ben"])
    assert not sent.fresh().uncovered
    assert state(sent) == "satisfied"


def refusal(role: str, request: ApprovalRequest) -> str:
    """What the database answers to whoever lets a question expire by hand."""
    try:
        with as_role(role), transaction.atomic():
            ApprovalRequest.objects.filter(pk=request.pk).update(
                state="expired", closed_at=database_now()
            )
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error).splitlines()[0]
    return ""


@pytest.mark.parametrize("role", ["web", "build", "deploy", "owner"])
def test_i20_the_database_lets_no_question_expire_that_is_being_carried_out(
    sent: Approved, role: str
) -> None:
    assert refusal(role, sent.request) == "approval request: what it let begin is under way"
    end(sent, well=False)
    assert refusal(role, sent.request) == ""


def test_i20_before_the_intent_the_time_is_over_for_a_running_deployment_too(
    company: Company,
) -> None:
    with ready(company) as world:
        let_time_end(world.request)
        assert sweep() == [world.request.pk]
        assert state(world) == "expired"


def test_i20_a_question_waits_for_its_own_deployment_alone(sent: Approved) -> None:
    other = cover.asked(sent.company, run=False).request
    let_time_end(other)
    assert sweep() == [other.pk]
    assert state(sent) == "satisfied"


@pytest.mark.parametrize("move", ["starting", "unknown"])
def test_i20_a_copy_that_the_platform_was_asked_for_was_agreed_to_in_time(
    company: Company, move: str
) -> None:
    copy = agreed_copy(company)
    question = requests.question_of(copy)
    assert question is not None
    changes: dict[str, Any] = {"intended_at": database_now()}
    with as_role("deploy"):
        SandboxRequest.objects.filter(pk=copy.pk).update(state="starting", **changes)
        if move == "unknown":
            SandboxRequest.objects.filter(pk=copy.pk).update(state="unknown")
    with cover.later(minutes=0):
        let_time_end(question)
        assert question.pk not in sweep()
        with as_role("deploy"), acting_as(WORKER), transaction.atomic():
            requests.hold_question(copy)
            locked = requests.lock(copy.pk)
            requests.taken(locked, info_id="0GQ000000000001AAA", started_at=database_now())
    question.refresh_from_db()
    assert question.state == "used"
    assert Deployment.objects.filter(approval=question).count() == 0
