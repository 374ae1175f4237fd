"""I-20: approvals expire at min(TTL, window end, role loss, policy change) and the expiry is an
event. *Test:* a state machine with a clock rule.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.context import Actor, acting_as
from core.db import database_now
from governance import approvals, policies, policy_changes
from governance.approvals import commands, subjects
from governance.models import ApprovalRequest, AuditEvent, Membership
from governance.rules import quorum
from governance.rules.quorum import Facts, Person, Vote
from governance.services import people
from governance.states import ApprovalState, Role, Verdict
from releases import gate
from releases.services import outcomes, stages
from releases.states import DeploymentState
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company, acting
from tests.support.databases import as_role

START = datetime(2026, 10, 1, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
BODY = {
    "approvals": [{"number": 2, "roles": ["board_member"], "team": None, "when": "always"}],
    "expires_hours": 24,
    "test_level": "RunLocalTests",
}
VOTERS = (1, 2, 3)
TTL = timedelta(hours=24)


class Clockwork(RuleBasedStateMachine):
    """Three members of the board, one request, and time that passes.

    The model keeps, for each person, since when the role is held without a break; the machine
    under test is the one function that counts.
    """

    @initialize(window=st.integers(1, 48))
    def opened(self, window: int) -> None:
        self.now = START
        self.expires = START + min(TTL, timedelta(hours=window))
        self.since: dict[int, datetime | None] = dict.fromkeys(VOTERS, START - TTL)
        self.state = ApprovalState.OPEN
        self.votes: dict[int, Vote] = {}

    @rule(minutes=st.integers(1, 600))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def to_the_last_second(self) -> None:
        self.now = max(self.now, self.expires - timedelta(seconds=1))

    @rule(person=st.sampled_from(VOTERS))
    def approve(self, person: int) -> None:
        if quorum.may_decide(BODY, tuple(self.votes.values()), self.facts(), person):
            self.votes[person] = Vote(person, Verdict.APPROVE, DIGEST)

    @rule(person=st.sampled_from(VOTERS))
    def take_back(self, person: int) -> None:
        if person in self.votes:
            self.votes[person] = Vote(person, Verdict.APPROVE, DIGEST, withdrawn=True)

    @rule(person=st.sampled_from(VOTERS))
    def lose_the_role(self, person: int) -> None:
        self.since[person] = None

    @rule(person=st.sampled_from(VOTERS))
    def get_the_role_back(self, person: int) -> None:
        if self.since[person] is None:
            self.since[person] = self.now + timedelta(seconds=1)

    @rule()
    def the_policy_changes(self) -> None:
        self.state = ApprovalState.SUPERSEDED

    def facts(self) -> Facts:
        known = {
            pk: Person(pk, f"P{pk}", roles={Role.BOARD_MEMBER: since} if since else {})
            for pk, since in self.since.items()
        }
        return Facts(self.now, self.state, DIGEST, START, self.expires, 9, known)

    @invariant()
    def counts_only_what_is_alive(self) -> None:
        counted = quorum.evaluate(BODY, tuple(self.votes.values()), self.facts())
        held = [
            vote.person_id
            for vote in self.votes.values()
            if not vote.withdrawn and (since := self.since[vote.person_id]) and since <= START
        ]
        alive = self.now < self.expires and self.state == ApprovalState.OPEN
        assert counted.satisfied == (alive and len(held) >= 2)


TestI20Clockwork = Clockwork.TestCase
TestI20Clockwork.settings = settings(max_examples=40, stateful_step_count=30)


# With the database ------------------------------------------------------------------------------


@pytest.fixture
def world(company: Company) -> Approved:
    return approved(company)


def events(name: str, request: ApprovalRequest) -> int:
    return AuditEvent.objects.filter(event=name, subject_ref=request.public_id).count()


def test_i20_the_life_ends_with_the_window_when_that_comes_first(world: Approved) -> None:
    version = world.request.policy_version
    release = world.release
    for after, wanted in ((timedelta(hours=1), "window"), (timedelta(days=90), "policy")):
        release.not_after = database_now() + after
        ends = stages._expiry(release, version)
        assert (ends == release.not_after) is (wanted == "window")
    release.not_after = None
    assert stages._expiry(release, version) > database_now() + timedelta(days=6)


def test_i20_its_time_is_over_and_that_is_an_event(
    world: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = world.request
    for at, allowed in ((-1, True), (0, False), (1, False)):
        moment = request.expires_at + timedelta(seconds=at)
        counted = approvals.progress(request, now=moment)
        assert counted.satisfied is allowed
    monkeypatch.setattr(commands, "database_now", lambda: request.expires_at)
    with acting(world.company.people["ines"]):
        assert approvals.expire_due() == [request.pk]
        assert approvals.expire_due() == []
    request.refresh_from_db()
    assert request.state == "expired"
    assert events("approval.expired", request) == 1
    assert not world.verdict().allowed
    world.release.refresh_from_db()
    assert world.release.state == "rehearsed"


def test_i20_a_lost_role_ends_it_before_its_time(
    world: Approved, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    assert world.verdict().allowed
    seat = Membership.objects.get(user=world.company.people["ben"], role="board_member")
    with django_capture_on_commit_callbacks(execute=True), acting(world.company.people["ines"]):
        people.revoke(membership_id=seat.pk)
    assert not world.in_force()
    assert not world.verdict().allowed
    assert events("approval.reopened", world.request) == 1


def test_i20_a_new_version_of_the_policy_ends_it(world: Approved) -> None:
    with acting(world.company.people["ana"]):
        approvals.supersede_of_policy(world.request.policy_version, "version 2 of Production")
    request = ApprovalRequest.objects.get(pk=world.request.pk)
    assert request.state == "superseded"
    assert events("approval.superseded", request) == 1
    assert not gate.evaluate(world.fresh(), world.in_window).allowed


def test_i20_a_version_put_in_force_ends_it_and_the_history_tells(world: Approved) -> None:
    old = world.request.policy_version
    with acting(world.company.people["ana"]):
        body = {**old.body, "expires_hours": 24}
        proposal = policies.propose(policy_id=old.policy_id, body=body, reason="shorter")
    for name in ("ben", "jonas"):
        with acting(world.company.people[name]):
            policy_changes.decide(
                proposal_id=proposal.pk,
                verdict="approve",
                comment="",
                shown_digest=policy_changes.question_digest(proposal),
                auth_strength="password",
            )
    request = ApprovalRequest.objects.get(pk=world.request.pk)
    assert request.state == "superseded"
    assert events("approval.superseded", request) == 1
    world.release.refresh_from_db()
    assert world.release.state == "rehearsed"


def finish(world: Approved) -> None:
    """Let the deployment that people approved go through, as a worker settles it."""
    worker = Actor("worker", None, "deploy worker")
    with as_role("deploy"), acting_as(worker), transaction.atomic():
        row = world.fresh()
        row.state, row.started_at = DeploymentState.RUNNING, row.created_at
        row.save(update_fields=["state", "started_at"])
        outcomes.started(row, [])
        row.state, row.finished_at = DeploymentState.SUCCEEDED, row.created_at
        row.save(update_fields=["state", "finished_at"])
        outcomes.finished(row)


def test_i20_what_was_deployed_is_used_and_never_told_as_expired(
    world: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(world)
    request = ApprovalRequest.objects.get(pk=world.request.pk)
    assert (request.state, request.closed_at is not None) == ("used", True)
    assert request.note == f"{world.release.public_id} runs in Production"
    assert events("approval.used", request) == 1
    monkeypatch.setattr(commands, "database_now", lambda: request.expires_at)
    with as_role("build"), acting_as(Actor("worker", None, "build worker")):
        assert request.pk not in approvals.expire_due()
    assert events("approval.expired", request) == 0
    assert not world.in_force()
    assert not world.verdict().allowed
    with as_role("owner"), connection.cursor() as cursor:
        cursor.execute("SELECT releases_floor(%s)", [world.deployment.pk])
        assert cursor.fetchone() != (None,)


@pytest.mark.parametrize("role", ["web", "deploy"])
def test_i20_only_a_deployment_uses_an_approval(world: Approved, role: str) -> None:
    used = "UPDATE governance_approvalrequest SET state = 'used', closed_at = now() WHERE id = %s"
    with (
        as_role(role),
        pytest.raises(DatabaseError, match="nothing was carried out under it"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(used, [world.request.pk])


def test_i20_every_kind_of_question_says_when_it_is_used(company: Company) -> None:
    with connection.cursor() as cursor:
        for kind in subjects.kinds():
            judge = f"gatehouse_used_{kind.replace('.', '_')}"
            cursor.execute(
                "SELECT to_regprocedure(%s)", [f"public.{judge}(governance_approvalrequest)"]
            )
            assert cursor.fetchone() != (None,), kind


@pytest.mark.parametrize(
    "kind",
    [
        "policy.version",
        "policy.assignment",
        "freeze.lift",
        "sandbox.request",
        "unheard.of",
    ],
)
def test_i20_nothing_is_used_before_it_has_happened(world: Approved, kind: str) -> None:
    values = {
        field.attname: getattr(world.request, field.attname)
        for field in ApprovalRequest._meta.concrete_fields
    }
    other = values | {"id": None, "uuid": uuid4(), "subject_kind": kind, "state": "open"}
    request = ApprovalRequest.objects.create(**other | {"closed_at": None})
    with pytest.raises(DatabaseError, match="nothing was carried out"), transaction.atomic():
        approvals.use(request.pk, "nothing at all")
