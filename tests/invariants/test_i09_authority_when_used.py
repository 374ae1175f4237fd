"""I-9: authority is re-checked when used, at decision *and* at execution: deactivated, removed from
role, or on leave-policy ⇒ approval no longer counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from core.db import database_now
from core.errors import NotAllowed
from governance import approvals
from governance.models import ApprovalRequest, Delegation, Matter
from governance.services import delegations, matters, people, resets, seats
from tests.governance.world import (
    World,
    acting,
    approve_matter,
    ask,
    decide,
    with_password,
    without_delay,
)
from tests.invariants.test_i08_one_human_one_approval import lend
from tests.support.cover import later
from tests.support.race import race


def satisfied(request: ApprovalRequest) -> bool:
    fresh = ApprovalRequest.objects.select_related("policy_version").get(pk=request.pk)
    return approvals.progress(fresh).satisfied


def role_since(world: World, name: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT governance_role_since(%s, 'board_member', NULL)", [world.by_name[name].pk]
        )
        return cursor.fetchone()[0]


def revoke_seat(world: World, name: str) -> None:
    with acting(world.ana):
        people.revoke(membership_id=world.by_name[name].memberships.get(role="board_member").pk)


def close_account(world: World, name: str) -> None:
    with acting(world.ana):
        people.deactivate(user_id=world.by_name[name].pk, reason="left")


def end_delegation(world: World, name: str) -> None:
    with acting(world.ana):
        delegations.end(delegation_id=Delegation.objects.get(ended_at=None).pk)


LOSSES: dict[str, tuple[str, Callable[[World, str], None], str]] = {
    "the role is revoked": ("cleo", revoke_seat, "cleo"),
    "the account is closed": ("cleo", close_account, "cleo"),
    "the delegation ends": ("nils", end_delegation, "nils"),
    "the deputy's account is closed": ("nils", close_account, "nils"),
    "the holder loses the role": ("nils", revoke_seat, "cleo"),
    "the holder's account is closed": ("nils", close_account, "cleo"),
}


@pytest.mark.parametrize("case", LOSSES, ids=list(LOSSES))
def test_i09_an_approval_stops_to_count_when_its_authority_ends(world: World, case: str) -> None:
    who, lose, whose = LOSSES[case]
    if who == "nils":
        lend(world, world.cleo, world.nils)
    request = ask(world)
    decide(world.ben, request)
    decide(world.by_name[who], request)
    assert satisfied(request)
    lose(world, whose)
    assert not satisfied(request)


def test_i09_a_delegation_counts_in_its_time_only(committed_world: World) -> None:
    world = committed_world
    lend(world, world.cleo, world.nils, ends_at=database_now() + timedelta(hours=2))
    request = ask(world, expires_at=database_now() + timedelta(days=30))
    decide(world.ben, request)
    decide(world.nils, request)
    assert satisfied(request)
    with later(minutes=180):
        assert not satisfied(request)
        assert role_since(world, "nils") is None
        tomorrow = database_now() + timedelta(days=1)
        with pytest.raises(NotAllowed):
            decide(world.nils, ask(world, subject_id=9, expires_at=tomorrow))


def test_i09_who_stands_in_later_does_not_count_on_what_was_asked_before(world: World) -> None:
    request = ask(world)
    lend(world, world.cleo, world.nils, starts_at=database_now() - timedelta(days=5))
    with pytest.raises(NotAllowed) as caught:
        decide(world.nils, request)
    assert caught.value.code == "approval.role_too_new"


def test_i09_a_decision_never_passes_the_end_of_its_delegation(committed_world: World) -> None:
    world = committed_world
    for number in range(3):
        row = lend(world, world.cleo, world.nils)
        request = ask(world, subject_id=number)

        def end(row: Delegation = row) -> None:
            with acting(world.cleo):
                delegations.end(delegation_id=row.pk)

        race(partial(decide, world.nils, request), end)
        fresh = ApprovalRequest.objects.select_related("policy_version").get(pk=request.pk)
        assert approvals.progress(fresh).outcome.counted == ()


def test_i09_a_seat_begins_only_while_its_approvals_stand(world: World) -> None:
    with without_delay():
        with acting(world.rita):
            matter = seats.ask(user_id=world.nils.pk, role="board_member", reason="needed")
        approve_matter(world.ana, matter)
        approve_matter(world.ben, matter)
    revoke_seat(world, "ben")
    with acting(world.ana):
        assert seats.take_effect(matter.pk) is None


def test_i09_a_reset_works_only_while_its_approvals_stand(world: World) -> None:
    for user in (world.ana, world.ben, world.cleo):
        with_password(user)
    resets.forgotten(email=world.ana.email, address="192.0.2.1")
    matter = Matter.objects.get()
    with without_delay():
        approve_matter(world.ben, matter)
        approve_matter(world.cleo, matter)
    request = matters.request_of(matter)
    assert request is not None
    assert matters.stands(matters.find(matter.pk), request)
    close_account(world, "cleo")
    assert not matters.stands(matters.find(matter.pk), request)
