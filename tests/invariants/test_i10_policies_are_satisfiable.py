"""I-10: every policy is satisfiable: refused when written, warned about when people leave."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import Actor, acting_as
from core.errors import InvalidInput, NotNow
from governance import tasks
from governance.models import AuditEvent, Notice
from governance.rules.policy import PolicyRules
from governance.rules.quorum import Person, leaves_enough
from governance.services import people
from governance.states import Role
from tests.governance.world import World, acting, answer, needs, propose
from tests.support.databases import as_role
from tests.support.policies import SOME_ROLES, policies

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def fits(seats: list[frozenset[Role]], who: list[frozenset[Role]]) -> bool:
    """Try every way to put somebody else on each seat."""
    return any(
        len(set(chosen)) == len(seats)
        and all(who[index] & seat for index, seat in zip(chosen, seats, strict=True))
        for chosen in product(range(len(who)), repeat=len(seats))
    )


@given(policies(), st.lists(st.frozensets(st.sampled_from(SOME_ROLES)), max_size=5))
def test_i10_a_policy_is_satisfiable_when_the_others_fill_its_seats(
    rules: PolicyRules, roles: list[frozenset[Role]]
) -> None:
    plain = tuple(rule for rule in rules.approvals if rule.team is None)
    seats = [rule.roles for rule in plain for _ in range(rule.number)]
    if len(seats) > 4:
        return
    who = [Person(n, f"{n}", roles=dict.fromkeys(held, NOW)) for n, held in enumerate(roles)]
    asking = {n for n, held in enumerate(roles) if Role.RELEASE_MANAGER in held}
    expected = not seats or any(
        fits(seats, [held for n, held in enumerate(roles) if n != one])
        for one in (asking or range(len(roles)))
    )
    assert leaves_enough(plain, who, asking, NOW) is expected


def body(world: World, **changes: Any) -> dict[str, Any]:
    return {**world.production.body, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        needs(4),
        needs(1, "security_approver"),
        {"approvals": [*needs(3)["approvals"], *needs(1)["approvals"]]},
        needs(3) | {"start_roles": ["board_member"]},
    ],
    ids=["too many", "nobody holds it", "one person twice", "whoever asks is one of them"],
)
def test_i10_saving_an_unsatisfiable_policy_is_refused(
    world: World, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        propose(world, "rita", body(world, **changes))
    assert caught.value.code == "policy.unsatisfiable"


def test_i10_it_is_asked_again_when_people_left_before_the_last_approval(world: World) -> None:
    proposal = propose(world, "rita", body(world, **needs(3)))
    with acting(world.ana):
        people.revoke(membership_id=world.cleo.memberships.get().pk)
    with pytest.raises(NotNow) as caught:
        answer(world, "ben", proposal)
    assert caught.value.code == "policy.unsatisfiable"


class Claim:
    """A claim that is always held."""

    def guard(self) -> None:
        """Nothing to guard."""


def test_i10_the_nightly_check_warns_when_people_leave(world: World) -> None:
    with acting(world.ana):
        people.revoke(membership_id=world.cleo.memberships.get().pk)
        people.revoke(membership_id=world.ben.memberships.get().pk)
    with as_role("build"), acting_as(Actor("worker", None, "build worker")):
        tasks.check_policies(Claim())  # type: ignore[arg-type]
    told = AuditEvent.objects.filter(event="policy.unsatisfiable")
    assert any("Production" in event.sentence for event in told)
    subjects = Notice.objects.filter(recipient_email=world.ana.email).values_list(
        "subject", flat=True
    )
    assert "Nobody can fulfil the policy Production any more" in subjects


def test_i10_the_nightly_check_is_silent_while_all_is_well(world: World) -> None:
    with as_role("build"), acting_as(Actor("worker", None, "build worker")):
        tasks.check_policies(Claim())  # type: ignore[arg-type]
    assert not AuditEvent.objects.filter(event="policy.unsatisfiable").exists()
