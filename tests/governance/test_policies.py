"""Policies: what they say, and how the next version comes into force."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, NotNow
from governance import policies
from governance.models import AuditEvent, Policy, PolicyProposal, PolicyVersion
from governance.rules.policy import (
    COUNTABLE_ROLES,
    TEST_LEVELS,
    PolicyRules,
    describe,
    differences,
    hours,
    parse,
    satisfiable,
    summary,
)
from governance.services import people
from governance.states import Role
from tests.governance.world import World, acting

BODY: dict[str, Any] = {
    "quorum": 2,
    "roles": ["board_member"],
    "expires_hours": 168,
    "test_level": "RunLocalTests",
}
RULES = st.builds(
    PolicyRules,
    quorum=st.integers(1, 5),
    roles=st.frozensets(st.sampled_from(COUNTABLE_ROLES), min_size=1),
    expires_hours=st.integers(1, 2000),
    test_level=st.sampled_from(list(TEST_LEVELS)),
)


@given(RULES)
def test_a_policy_is_read_back_as_written(rules: PolicyRules) -> None:
    assert parse(rules.body()) == rules
    assert differences(rules, rules) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quorum": -1}, "policy.quorum"),
        ({"quorum": 21}, "policy.quorum"),
        ({"quorum": True}, "policy.quorum"),
        ({"quorum": 2.0}, "policy.quorum"),
        ({"quorum": None}, "policy.quorum"),
        ({"roles": []}, "policy.roles"),
        ({"roles": "board_member"}, "policy.roles"),
        ({"roles": ["developer"]}, "policy.roles"),
        ({"roles": [["board_member"]]}, "policy.roles"),
        ({"expires_hours": 0}, "policy.expires_hours"),
        ({"expires_hours": 24 * 90 + 1}, "policy.expires_hours"),
        ({"test_level": "NoTests"}, "policy.test_level"),
        ({"test_level": None}, "policy.test_level"),
        ({"backdoor": True}, "policy.unknown_field"),
    ],
)
def test_a_body_that_is_wrong_is_refused_and_the_field_named(
    change: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(BODY | change)
    assert caught.value.code == code


def test_a_policy_speaks_in_sentences() -> None:
    assert describe(parse(BODY), eligible=5) == [
        "Needs the approval of 2 of 5 board members, none of whom had a hand in it.",
        "An approval lasts 7 days.",
        "A deployment must run all tests except those of installed packages.",
    ]
    assert describe(parse(BODY | {"quorum": 1}))[0] == (
        "Needs the approval of 1 board member, who had no hand in it."
    )
    assert describe(parse(BODY | {"quorum": 0, "roles": []}))[0] == "Needs nobody's approval."
    assert summary(parse(BODY)) == (
        "2 board members approve, an approval lasts 7 days, RunLocalTests"
    )


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1 hour"), (36, "36 hours"), (24, "1 day"), (168, "7 days")]
)
def test_a_life_is_said_the_way_people_say_it(number: int, words: str) -> None:
    assert hours(number) == words


WEAKER: dict[str, tuple[dict[str, Any], bool]] = {
    "fewer approvals": ({"quorum": 1}, True),
    "more approvals": ({"quorum": 3}, False),
    "one more role counts": ({"roles": ["admin", "board_member"]}, True),
    "another role counts": ({"roles": ["admin"]}, True),
    "a longer life": ({"expires_hours": 336}, True),
    "a shorter life": ({"expires_hours": 24}, False),
    "no tests": ({"test_level": "NoTestRun"}, True),
    "more tests": ({"test_level": "RunAllTestsInOrg"}, False),
}


@pytest.mark.parametrize("case", WEAKER, ids=list(WEAKER))
def test_a_change_says_whether_it_demands_less(case: str) -> None:
    change, weaker = WEAKER[case]
    (found,) = differences(parse(BODY), parse(BODY | change))
    assert found.weaker is weaker


def test_one_role_less_demands_more() -> None:
    both = BODY | {"roles": ["admin", "board_member"]}
    (found,) = differences(parse(both), parse(BODY))
    assert not found.weaker
    assert found.text == "who counts: board members or admins → board members"


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_quorum_needs_that_many_people(quorum: int, eligible: int) -> None:
    assert satisfiable(PolicyRules(quorum, frozenset(), 1, "NoTestRun"), eligible) is (
        eligible >= quorum
    )


def test_the_next_version_takes_two_people_and_says_what_changed(world: World) -> None:
    policy = world.production.policy
    with acting(world.rita):
        proposal = policies.propose(
            policy_id=policy.pk, body=BODY | {"quorum": 3}, reason="audit finding 7"
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
        "Rita Moss proposed version 2 of the policy Production: approvals needed: 2 → 3",
    ]


def propose(world: World, name: str, **changes: Any) -> PolicyProposal:
    with acting(world.by_name[name]):
        return policies.propose(policy_id=world.production.policy_id, body=BODY | changes)


@pytest.mark.parametrize("name", ["otto", "lena", "dev", "nils"])
def test_not_everybody_proposes(world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        propose(world, name, quorum=1)


@pytest.mark.parametrize("name", ["rita", "otto", "lena", "nils"])
def test_only_the_board_confirms(world: World, name: str) -> None:
    proposal = propose(world, "ana", quorum=1)
    with acting(world.by_name[name]), pytest.raises(NotAllowed):
        policies.confirm(proposal_id=proposal.pk)
    assert PolicyVersion.objects.filter(policy=proposal.policy).count() == 1


def test_nobody_confirms_their_own_proposal(world: World) -> None:
    proposal = propose(world, "ana", quorum=1)
    with acting(world.ana), pytest.raises(NotAllowed) as caught:
        policies.confirm(proposal_id=proposal.pk)
    assert caught.value.code == "policy.own_proposal"


def test_one_proposal_at_a_time(world: World) -> None:
    first = propose(world, "ana", quorum=1)
    with pytest.raises(Conflict):
        propose(world, "ben", quorum=3)
    with acting(world.ben):
        policies.withdraw(proposal_id=first.pk)
    propose(world, "ben", quorum=3)


def test_a_closed_proposal_is_not_confirmed(world: World) -> None:
    proposal = propose(world, "ana", quorum=1)
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
        propose(world, "ana", quorum=4)
    assert caught.value.code == "policy.unsatisfiable"
    assert caught.value.facts == {"eligible": 3}


def test_i10_it_is_asked_again_when_confirmed(world: World) -> None:
    proposal = propose(world, "ana", quorum=3)
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


def test_the_roles_that_count_are_those_of_the_installation() -> None:
    assert Role.DEVELOPER not in COUNTABLE_ROLES
    assert Role.TEAM_LEAD not in COUNTABLE_ROLES
