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
from governance.models import ApprovalRequest, AuditEvent, Decision, Delegation, Exclusion, User
from governance.rules.addresses import mailbox, written
from governance.services import delegations, invitations, people, sameperson
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


def same(world: World, other: User, first: User) -> None:
    """An admin says that two accounts are one person's, and the commit counts again."""
    with acting(world.ana):
        sameperson.mark(user_id=other.pk, same_as_id=first.pk, reason="badge office")


def test_i08_two_accounts_of_one_person_are_one_approval(world: World) -> None:
    request = ask(world)
    decide(world.ana, request)
    decide(world.ben, request)
    assert counted(request) == {world.ana.pk, world.ben.pk}
    same(world, world.ben, world.ana)
    assert counted(request) == {world.ana.pk}, "what the other account approved before, too"
    standing = approvals.progress(ApprovalRequest.objects.get(pk=request.pk))
    assert not standing.satisfied
    assert any("another account" in str(ballot.counts.reason) for ballot in standing.approvals
               if not ballot.counts)  # fmt: skip
    later = ask(world, subject_id=2)
    with pytest.raises(NotAllowed) as caught:
        decide(world.ben, later)
    assert caught.value.code == "approval.other_account"
    with pytest.raises(DatabaseError, match="another account of somebody"):
        force(later, world.ben)
    told = AuditEvent.objects.get(event="person.same_marked")
    assert "is another account of ana@example.com: badge office" in str(told.sentence)


def test_i08_two_accounts_fill_one_seat_when_it_is_asked_whether_enough_may_decide(
    world: World,
) -> None:
    same(world, world.ben, world.ana)
    ask(world)
    same(world, world.cleo, world.ana)
    with pytest.raises(NotNow) as caught:
        ask(world, subject_id=2)
    assert caught.value.code == "approval.unsatisfiable"


def test_i08_whoever_may_not_decide_may_not_with_the_first_account_either(world: World) -> None:
    before = ask(world, requester=world.nils)
    same(world, world.nils, world.ana)
    after = ask(world, subject_id=2, requester=world.nils)
    barred = ask(world, subject_id=3, exclusions=[(world.nils, "wrote commits")])
    for request in (before, after, barred):
        kept_out = Exclusion.objects.get(request=request, user=world.ana)
        assert "with the account nils@example.com" in kept_out.reason
        with pytest.raises(NotAllowed) as caught:
            decide(world.ana, request)
        assert caught.value.code == "approval.excluded"
        with pytest.raises(DatabaseError, match="this person is excluded"):
            force(request, world.ana)


def test_i08_an_ended_mark_counts_on_what_is_asked_later(world: World) -> None:
    same(world, world.ben, world.ana)
    request = ask(world)
    with acting(world.ana):
        sameperson.end(user_id=world.ben.pk)
    with pytest.raises(NotAllowed) as caught:
        decide(world.ben, request)
    assert caught.value.code == "approval.role_too_new"
    later = ask(world, subject_id=2)
    decide(world.ben, later)
    assert counted(later) == {world.ben.pk}


def test_i08_a_person_has_one_account_that_decides(world: World) -> None:
    same(world, world.ben, world.ana)
    for other, first, code in (
        (world.cleo, world.ben, "same.marked"),
        (world.ana, world.cleo, "same.marked"),
        (world.ben, world.cleo, "same.marked"),
        (world.cleo, world.cleo, "same.self"),
    ):
        with pytest.raises(DomainError) as caught:
            same(world, other, first)
        assert caught.value.code == code
        if other != first:
            with pytest.raises(DatabaseError, match="who has no other"), transaction.atomic():
                User.objects.filter(pk=other.pk).update(same_as=first)
    with acting(world.rita), pytest.raises(NotAllowed):
        sameperson.end(user_id=world.ben.pk)
    with pytest.raises(DatabaseError, match="made before it is said"), transaction.atomic():
        User.objects.create(email="x@example.com", full_name="X", same_as=world.ana)


@pytest.mark.parametrize(
    "address",
    [
        "ANA@Example.com",
        " ana@example.com ",
        "ana+board@example.com",
        "\uff21na@example.com",
        "ana@\uff45xample.com",
        "ana@example\u3002com",
    ],
)
def test_i08_one_mailbox_has_one_account(world: World, address: str) -> None:
    with acting(world.ana), pytest.raises(Conflict) as caught:
        invitations.invite(email=address, full_name="Ana Again")
    assert caught.value.code == "person.exists"


@pytest.mark.parametrize("address", ["ana+2@example.com", "\u0430na@example.com"])
def test_i08_the_database_has_one_account_for_a_mailbox(world: World, address: str) -> None:
    with pytest.raises(DatabaseError, match=r"one_per_mailbox|look_alikes"), transaction.atomic():
        User.objects.create(email=address, full_name="Ana Again")


def test_i08_addresses_are_written_in_one_way() -> None:
    assert written(" \uff21na+X@B\u00fccher.example ") == "ana+x@xn--bcher-kva.example"
    assert mailbox("ana+x@example.com") == "ana@example.com"
    assert mailbox("ana@example.com") == "ana@example.com"
    assert written("nobody") == "nobody"
