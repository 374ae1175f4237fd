"""Policies: what they say, and how the next version comes into force."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, NotNow
from governance import policies
from governance.models import AuditEvent, Policy, PolicyProposal, PolicyVersion
from governance.services import people
from tests.governance.world import World, acting, needs

BODY: dict[str, Any] = {**needs(2), "expires_hours": 168, "test_level": "RunLocalTests"}


def test_the_next_version_takes_two_people_and_says_what_changed(world: World) -> None:
    policy = world.production.policy
    with acting(world.rita):
        proposal = policies.propose(
            policy_id=policy.pk, body=BODY | needs(3), reason="audit finding 7"
        )
    assert policy.current == world.production, "nothing is in force before it is confirmed"
    with acting(world.ben):
        version = policies.confirm(proposal_id=proposal.pk)
    assert policy.current == version
    assert (version.number, version.proposed_by, version.confirmed_by) == (
        2,
        world.rita,
        world.ben,
    )
    assert version.digest == policies.digest_of(policy, 2, version.body)
    assert policies.quorum(version) == 3
    assert policies.expires_hours(version) == 168
    assert policies.test_level(version) == "RunLocalTests"
    told = AuditEvent.objects.filter(related__contains=[policy.public_id]).order_by("-id")[:2]
    assert [event.sentence for event in told] == [
        "Ben Okafor confirmed version 2 of the policy Production, proposed by Rita Moss",
        (
            "Rita Moss proposed version 2 of the policy Production: approvals needed: "
            "2 board members → 3 board members"
        ),
    ]


def propose(world: World, name: str, **changes: Any) -> PolicyProposal:
    with acting(world.by_name[name]):
        return policies.propose(policy_id=world.production.policy_id, body=BODY | changes)


@pytest.mark.parametrize("name", ["otto", "lena", "dev", "nils"])
def test_not_everybody_proposes(world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        propose(world, name, **needs(1))


@pytest.mark.parametrize("name", ["rita", "otto", "lena", "nils"])
def test_only_the_board_confirms(world: World, name: str) -> None:
    proposal = propose(world, "ana", **needs(1))
    with acting(world.by_name[name]), pytest.raises(NotAllowed):
        policies.confirm(proposal_id=proposal.pk)
    assert PolicyVersion.objects.filter(policy=proposal.policy).count() == 1


def test_nobody_confirms_their_own_proposal(world: World) -> None:
    proposal = propose(world, "ana", **needs(1))
    with acting(world.ana), pytest.raises(NotAllowed) as caught:
        policies.confirm(proposal_id=proposal.pk)
    assert caught.value.code == "policy.own_proposal"


def test_one_proposal_at_a_time(world: World) -> None:
    first = propose(world, "ana", **needs(1))
    with pytest.raises(Conflict):
        propose(world, "ben", **needs(3))
    with acting(world.ben):
        policies.withdraw(proposal_id=first.pk)
    propose(world, "ben", **needs(3))


def test_a_closed_proposal_is_not_confirmed(world: World) -> None:
    proposal = propose(world, "ana", **needs(1))
    with acting(world.ana):
        policies.withdraw(proposal_id=proposal.pk)
    with acting(world.ben), pytest.raises(NotNow) as caught:
        policies.confirm(proposal_id=proposal.pk)
    assert caught.value.code == "policy.proposal_closed"


def test_a_proposal_without_a_change_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        propose(world, "ana")
    assert caught.value.code == "policy.same"


def test_i10_a_policy_that_nobody_could_fulfil_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        propose(world, "ana", **needs(4))
    assert caught.value.code == "policy.unsatisfiable"
    assert "4 board members: 3 people" in caught.value.message


def test_i10_it_is_asked_again_when_confirmed(world: World) -> None:
    proposal = propose(world, "ana", **needs(3))
    with acting(world.ana):
        people.revoke(membership_id=world.cleo.memberships.get().pk)
    with acting(world.ben), pytest.raises(InvalidInput) as caught:
        policies.confirm(proposal_id=proposal.pk)
    assert caught.value.code == "policy.unsatisfiable"


def test_a_new_policy_allows_nothing_until_confirmed(world: World) -> None:
    with acting(world.rita):
        proposal = policies.create(name="Hotfix", body=BODY)
    assert proposal.policy.current is None
    with acting(world.ana):
        version = policies.confirm(proposal_id=proposal.pk)
    assert proposal.policy.current == version


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "policy.name"), ("x" * 81, "policy.name"), ("PRODUCTION", "policy.name_taken")],
)
def test_a_policy_needs_a_name_of_its_own(world: World, name: str, code: str) -> None:
    with acting(world.ana), pytest.raises(DomainError) as caught:
        policies.create(name=name, body=BODY)
    assert caught.value.code == code
    assert Policy.objects.count() == 3


def test_what_does_not_exist_is_not_found(world: World) -> None:
    with acting(world.ana):
        with pytest.raises(NotFound):
            policies.propose(policy_id=10**9, body=BODY)
        with pytest.raises(NotFound):
            policies.confirm(proposal_id=10**9)
