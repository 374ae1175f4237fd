"""Two connections at once: decisions against each other, against revocation, against voiding."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from core.context import Actor, acting_as
from core.errors import Conflict, DomainError, NotAllowed, NotNow, Stale
from governance import approvals
from governance.models import (
    ApprovalRequest,
    Decision,
    Membership,
    PolicyVersion,
    SignInFailure,
    Team,
)
from governance.services import founding, people, signin
from tests.governance.world import (
    KIND,
    PASSWORD,
    Subject,
    World,
    acting,
    answer,
    ask,
    decide,
    needs,
    propose,
    seat,
    with_password,
)
from tests.support.race import race

ROUNDS = 3


def state_of(request: ApprovalRequest) -> str:
    return ApprovalRequest.objects.values_list("state", flat=True).get(pk=request.pk)


def revoke(world: World, membership: Membership) -> None:
    with acting(world.ana):
        people.revoke(membership_id=membership.pk)


def test_i8_a_double_click_is_one_decision(committed_world: World) -> None:
    world = committed_world
    for number in range(ROUNDS):
        request = ask(world, subject_id=number)
        outcomes = race(*[partial(decide, world.ben, request)] * 4)
        refused = [each.error for each in outcomes if each.error]
        assert Decision.objects.filter(request=request).count() == 1
        assert [type(error) for error in refused] == [NotNow] * 3
        assert state_of(request) == "open"


def test_two_people_at_once_satisfy_exactly_once(committed_world: World, subject: Subject) -> None:
    world = committed_world
    for number in range(ROUNDS):
        request = ask(world, subject_id=number)
        race(
            partial(decide, world.ben, request),
            partial(decide, world.ana, request),
        )
        assert state_of(request) == "satisfied"
        assert subject.outcomes.count((request.pk, "satisfied")) == 1


def test_an_approval_against_a_rejection_always_ends_rejected(committed_world: World) -> None:
    world = committed_world
    for number in range(ROUNDS):
        request = ask(world, subject_id=number)
        decide(world.cleo, request)
        race(
            partial(decide, world.ben, request),
            partial(decide, world.ana, request, verdict="reject", comment="No."),
        )
        assert state_of(request) == "rejected"


def test_i9_a_decision_against_a_revocation_never_counts_afterwards(
    committed_world: World,
) -> None:
    world = committed_world
    for number in range(ROUNDS):
        request = ask(world, subject_id=number)
        held = Membership.objects.get(user=world.cleo, role="board_member", revoked_at=None)
        decided, _ = race(partial(decide, world.cleo, request), partial(revoke, world, held))
        held.refresh_from_db()
        assert held.revoked_at is not None
        standing = approvals.progress(ApprovalRequest.objects.get(pk=request.pk))
        assert standing.outcome.counted == ()
        if decided.error is not None:
            assert isinstance(decided.error, NotAllowed)
        seat(world, "cleo")


def test_a_decision_waits_for_a_revocation_that_is_under_way(committed_world: World) -> None:
    """The revocation holds the row; the decision must see it once committed, not the old role."""
    world = committed_world
    request = ask(world)
    seat = Membership.objects.get(user=world.cleo, role="board_member")

    def slow_revocation() -> None:
        with transaction.atomic():
            revoke(world, seat)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.4)")

    def late_decision() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.15)")
        return decide(world.cleo, request)

    _, late = race(slow_revocation, late_decision)
    assert isinstance(late.error, NotAllowed)
    assert not Decision.objects.exists()


def test_a_decision_against_a_changed_subject_never_survives(committed_world: World) -> None:
    world = committed_world

    def void(number: int) -> None:
        with acting_as(Actor("worker", None, "deploy worker")):
            approvals.supersede(KIND, number, "production changed")

    for number in range(ROUNDS):
        request = ask(world, subject_id=number)
        decide(world.ana, request)
        decided, _ = race(partial(decide, world.ben, request), partial(void, number))
        assert state_of(request) == "superseded"
        standing = approvals.progress(ApprovalRequest.objects.get(pk=request.pk))
        assert not standing.satisfied
        assert decided.error is None or isinstance(decided.error, NotNow | Stale)


def test_two_questions_about_one_subject_leave_one_alive(committed_world: World) -> None:
    world = committed_world
    outcomes = race(lambda: ask(world), lambda: ask(world))
    live = ApprovalRequest.objects.filter(state__in=["open", "satisfied"])
    assert live.count() == 1
    assert all(isinstance(each.error, DomainError | None) for each in outcomes)


def test_an_exclusion_against_a_decision_is_always_counted(committed_world: World) -> None:
    world = committed_world
    for number in range(ROUNDS):
        email = f"author{number}@elsewhere.example"
        request = ask(world, subject_id=number, unmapped=[(email, "Somebody")])

        def match(address: str = email) -> None:
            with acting(world.ana):
                people.map_identity(email=address, user_id=world.ben.pk)

        race(partial(decide, world.ben, request), match)
        standing = approvals.progress(ApprovalRequest.objects.get(pk=request.pk))
        assert standing.outcome.counted == ()
        assert not standing.may_decide(world.ben)


def test_a_proposed_version_comes_into_force_once(committed_world: World) -> None:
    world = committed_world
    proposal = propose(world, "rita", world.production.body | needs(1))
    outcomes = race(*[partial(answer, world, name, proposal) for name in ("ana", "ben", "cleo")])
    assert len([each for each in outcomes if each.error is None]) >= 2
    assert all(isinstance(each.error, NotNow | None) for each in outcomes)
    assert PolicyVersion.objects.filter(policy=proposal.policy).count() == 2


def test_an_installation_is_founded_once(transactional_db: None, subject: Subject) -> None:
    pairs = [("Ana Lima", "ana@example.com"), ("Ben Okafor", "ben@example.com")]
    outcomes = race(*[lambda: founding.found(team_name="Platform", board=pairs)] * 3)
    assert len([each for each in outcomes if each.error is None]) == 1
    assert all(isinstance(each.error, NotNow | None) for each in outcomes)
    assert Team.objects.count() == 1


def test_a_role_is_given_once(committed_world: World) -> None:
    world = committed_world

    def give() -> Membership:
        with acting(world.ana):
            return people.grant(user_id=world.nils.pk, team_id=world.sales.pk, role="developer")

    outcomes = race(give, give, give)
    assert len([each for each in outcomes if each.error is None]) == 1
    assert all(isinstance(each.error, Conflict | None) for each in outcomes)
    assert Membership.objects.filter(user=world.nils).count() == 1


def test_two_last_admins_do_not_revoke_each_other(committed_world: World) -> None:
    world = committed_world
    with acting(world.ana):
        second = people.grant(user_id=world.ben.pk, team_id=world.platform.pk, role="admin")
    first = Membership.objects.get(user=world.ana, role="admin")

    def take(actor: str, membership: Membership) -> None:
        with acting(world.by_name[actor]):
            people.revoke(membership_id=membership.pk)

    race(lambda: take("ana", second), lambda: take("ben", first))
    assert Membership.objects.filter(role="admin", revoked_at=None).count() == 1


def test_parallel_guesses_are_all_counted(committed_world: World) -> None:
    user = with_password(committed_world.ana)

    def guess() -> None:
        signin.authenticate(email=user.email, password="wrong", address="10.0.0.1")

    outcomes = race(*[guess] * 8)
    codes = [each.error.code for each in outcomes if isinstance(each.error, DomainError)]
    assert sorted(codes) == ["signin.too_many"] * 3 + ["signin.wrong"] * 5
    assert SignInFailure.objects.count() == 5
    with pytest.raises(NotNow):
        signin.authenticate(email=user.email, password=PASSWORD, address="10.0.0.1")
