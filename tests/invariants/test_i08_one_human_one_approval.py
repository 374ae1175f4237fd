"""I-8: one human = one approval, over all roles, linked accounts, and concurrent clicks."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError

from core.db import database_now
from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotNow
from governance import approvals
from governance.models import ApprovalRequest, Decision, Delegation, User
from governance.services import delegations, people
from tests.governance.world import DIGEST, World, acting, ask, decide, seat
from tests.support.race import race


def lend(world: World, holder: User, deputy: User, **changes: Any) -> Delegation:
    now = database_now()
    given: dict[str, Any] = {
        "deputy_id": deputy.pk,
        "role": "board_member",
        "starts_at": now - timedelta(minutes=1),
        "ends_at": now + timedelta(days=7),
        "reason": "holiday",
    }
    with acting(holder):
        return delegations.give(**(given | changes))


def counted(request: ApprovalRequest) -> set[int]:
    fresh = ApprovalRequest.objects.select_related("policy_version").get(pk=request.pk)
    return set(approvals.progress(fresh).outcome.counted)


def force(request: ApprovalRequest, person: User, verdict: str = "approve") -> None:
    """Insert a decision with SQL, past every service."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO governance_decision (uuid, created_at, request_id, person_id, digest, "
            "policy_version_id, policy_digest, verdict, comment, role, decided_at, auth_strength) "
            "SELECT gen_random_uuid(), now(), r.id, %s, r.digest, v.id, v.digest, %s, '', "
            "'board_member', now(), 'password' FROM governance_approvalrequest r "
            "JOIN governance_policyversion v ON v.id = r.policy_version_id WHERE r.id = %s",
            [person.pk, verdict, request.pk],
        )


def test_i08_two_clicks_at_once_are_one_approval(committed_world: World) -> None:
    world = committed_world
    request = ask(world)
    outcomes = race(*[partial(decide, world.ben, request)] * 4)
    assert sum(each.error is None for each in outcomes) == 1
    assert counted(request) == {world.ben.pk}


def test_i08_two_roles_are_one_approval(world: World) -> None:
    seat(world, "ben", "security_approver")
    request = ask(world)
    decide(world.ben, request)
    with pytest.raises(NotNow):
        decide(world.ben, request)
    assert counted(request) == {world.ben.pk}
    with pytest.raises(DatabaseError, match="decision_one_per_person"):
        force(request, world.ben)


def test_i08_holder_and_deputy_at_once_are_one_approval(committed_world: World) -> None:
    world = committed_world
    lend(world, world.ana, world.nils)
    for number in range(3):
        request = ask(world, subject_id=number)
        outcomes = race(partial(decide, world.ana, request), partial(decide, world.nils, request))
        assert sum(each.error is None for each in outcomes) == 1
        assert all(isinstance(each.error, DomainError) for each in outcomes if each.error)
        assert len(counted(request)) == 1


def test_i08_the_deputy_decides_in_the_holder_s_place_once(world: World) -> None:
    lend(world, world.ana, world.nils)
    request = ask(world)
    decide(world.nils, request)
    assert counted(request) == {world.nils.pk}
    with pytest.raises(NotNow) as caught:
        decide(world.ana, request)
    assert caught.value.code == "approval.deputy_decided"
    with pytest.raises(DatabaseError, match="the deputy decided"):
        force(request, world.ana)
    decide(world.ana, request, verdict="reject", comment="stopping stays possible")


def test_i08_the_holder_s_own_vote_uses_the_seat(world: World) -> None:
    lend(world, world.ana, world.nils)
    request = ask(world)
    decide(world.ana, request)
    with pytest.raises(NotNow) as caught:
        decide(world.nils, request)
    assert caught.value.code == "approval.seat_used"
    with pytest.raises(DatabaseError, match="whose seat is free"):
        force(request, world.nils)
    assert counted(request) == {world.ana.pk}


def test_i08_one_deputy_of_two_holders_has_one_vote(world: World) -> None:
    lend(world, world.ana, world.nils)
    lend(world, world.ben, world.nils)
    request = ask(world)
    decide(world.nils, request)
    assert counted(request) == {world.nils.pk}
    standing = approvals.progress(request)
    assert not standing.satisfied


def test_i08_a_holder_gets_no_second_vote_by_standing_in(world: World) -> None:
    with pytest.raises(Conflict) as caught:
        lend(world, world.ana, world.ben)
    assert caught.value.code == "delegation.holds"
    with pytest.raises(DatabaseError, match="holds the role already"), transaction.atomic():
        _row(world.ana, world.ben)


def test_i08_nothing_is_passed_on(world: World) -> None:
    lend(world, world.ana, world.nils)
    with pytest.raises(NotAllowed) as caught:
        lend(world, world.nils, world.otto)
    assert caught.value.code == "delegation.not_held"
    with pytest.raises(DatabaseError, match="only a holder"), transaction.atomic():
        _row(world.nils, world.otto)


def test_i08_a_seat_has_one_deputy_at_a_time(world: World) -> None:
    lend(world, world.ana, world.nils)
    with pytest.raises(Conflict):
        lend(world, world.ana, world.otto)
    with pytest.raises(DatabaseError, match="one_deputy_per_seat"), transaction.atomic():
        _row(world.ana, world.otto)
    with pytest.raises(InvalidInput):
        lend(world, world.ana, world.ana)


def _row(holder: User, deputy: User) -> None:
    now = database_now()
    Delegation.objects.create(
        delegator=holder,
        deputy=deputy,
        role="board_member",
        reason="x",
        starts_at=now,
        ends_at=now + timedelta(days=1),
    )


def test_i08_the_digest_of_the_request_is_the_only_one(world: World) -> None:
    request = ask(world)
    assert request.digest == DIGEST
    decide(world.ben, request)
    with acting(world.ana):
        people.revoke(membership_id=world.ben.memberships.get(role="board_member").pk)
    assert counted(request) == set()
    assert Decision.objects.count() == 1
