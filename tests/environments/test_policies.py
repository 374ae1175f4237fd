"""Which policy governs a stage and an environment, and the question when it is to demand less."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from core.errors import NotAllowed
from environments.models import Environment, PolicyAssignment
from environments.services import orgs, policies
from governance import audit, inbox
from governance import policies as rulebook
from governance.models import Membership, Policy, User
from governance.rules.policy import parse
from tests.environments.conftest import House, policy
from tests.environments.test_orgs import code_of, register_production
from tests.support.databases import as_role


@pytest.fixture
def board(house: House) -> Policy:
    """The board's own policy in force, with four people on the board."""
    for name in ("jonas", "mira"):
        user = User.objects.create(email=f"{name}@acme.example", full_name=name.title())
        house.people[name] = user
        Membership.objects.create(user=user, team=house.teams["platform"], role="board_member")
    return policy(house, governs_board=True)


def stage(house: House, chosen: Policy, name: str = "PRD", who: str = "ana") -> Any:
    with house.acting(who):
        return policies.assign_stage(track_kind="production", stage=name, policy=chosen)


def give(house: House, environment: Environment, chosen: Policy | None) -> Any:
    with house.acting("ana"):
        return policies.assign(environment_id=environment.pk, policy=chosen, reason="audit")


def approve(house: House, asked: PolicyAssignment, *names: str) -> None:
    for name in names:
        with house.acting(name):
            policies.decide(
                assignment_id=asked.pk,
                verdict="approve",
                comment="",
                shown_digest=policies.digest_of(policies.find(asked.pk)),
                auth_strength="password",
            )


def test_an_environment_of_production_is_born_with_deny_all(house: House, board: Policy) -> None:
    production = register_production(house)
    assert production.policy is None
    assert production.follows_stage


def test_an_environment_has_the_policy_of_its_stage(house: House, board: Policy) -> None:
    assert stage(house, board) is None
    production = register_production(house)
    assert production.policy == board
    assert rulebook.uses_of(board)[1:] == [
        rulebook.Use("PRD of the production track", True),
        rulebook.Use("Production", True),
    ]


def test_nothing_allowed_is_the_strictest_so_any_policy_is_asked(
    house: House, board: Policy
) -> None:
    production = register_production(house)
    asked = give(house, production, board)
    production.refresh_from_db()
    assert production.policy is None
    titles = [waiting.title for waiting in inbox.waiting_for(house.people["ben"])]
    assert titles == ["Approve the policy Production for Production"]
    approve(house, asked, "ben", "jonas")
    production.refresh_from_db()
    assert production.policy_id == board.pk
    request = policies.request_of(asked)
    assert request is not None
    assert (request.state, request.note) == ("used", "Production governs Production")
    assert not production.follows_stage
    told = [event.sentence for event in audit.events_for(production.public_id)]
    assert "Jonas put Production under the policy Production (before: none)" in told


def test_a_stricter_policy_is_set_at_once_and_a_weaker_one_asked(
    house: House, board: Policy
) -> None:
    stage(house, board)
    production = register_production(house)
    strict = policy(house, "Strict", quorum=3)
    assert give(house, production, strict) is None
    production.refresh_from_db()
    assert (production.policy, production.follows_stage) == (strict, False)
    asked = give(house, production, None)
    request = policies.request_of(asked)
    assert request is not None
    assert request.policy_version == strict.current
    assert request.also_body == parse(board.current.body).body()  # type: ignore[union-attr]
    production.refresh_from_db()
    assert production.policy == strict, "it demands less, so three people are asked"


def test_another_version_than_people_were_shown_is_another_question(
    house: House, board: Policy
) -> None:
    production = register_production(house)
    asked = give(house, production, policy(house, "Light", quorum=1))
    shown = policies.digest_of(asked)
    stage(house, board, "PRE-PRD")
    production.policy = board
    with as_role("owner"):  # past the board: the question notices it all the same
        production.save(update_fields=["policy"])
    assert policies.digest_of(policies.find(asked.pk)) != shown


def test_environments_follow_their_stage_unless_they_have_their_own(
    house: House, board: Policy
) -> None:
    stage(house, board)
    production = register_production(house)
    strict = policy(house, "Strict", quorum=3)
    assert stage(house, strict) is None
    production.refresh_from_db()
    assert production.policy == strict
    asked = stage(house, board)
    assert asked is not None
    production.refresh_from_db()
    assert production.policy == strict


@pytest.mark.parametrize("who", ["ines", "marek", "priya", "paul"])
def test_only_the_board_chooses(house: House, board: Policy, who: str) -> None:
    production = register_production(house)
    with house.acting(who), pytest.raises(NotAllowed):
        policies.assign(environment_id=production.pk, policy=board)
    with house.acting(who), pytest.raises(NotAllowed):
        policies.assign_stage(track_kind="production", stage="PRD", policy=board)


def test_what_is_not_taken(house: House, board: Policy) -> None:
    production = register_production(house)
    weak = policy(house, "Rehearsals", quorum=0)
    draft = Policy.objects.create(name="Draft")
    codes = [code_of(partial(give, house, production, p)) for p in (weak, draft, None)]
    assert codes == [
        "environment.policy_too_weak",
        "environment.policy_not_in_force",
        "environment.policy_same",
    ]
    assert code_of(lambda: stage(house, weak)) == "environment.policy_too_weak"
    assert code_of(lambda: stage(house, weak, "MOON")) == "environment.stage"
    give(house, production, board)
    assert code_of(lambda: give(house, production, board)) == "environment.assignment_pending"


def test_i29_neither_policy_nor_environment_goes_while_people_are_asked(
    house: House, board: Policy
) -> None:
    production = register_production(house)
    asked = give(house, production, board)
    with house.acting("ines"):
        retire = partial(orgs.retire, environment_id=production.pk, typed_name="Production")
        assert code_of(retire) == "environment.has_requests"
    with house.acting("ana"):
        assert code_of(lambda: rulebook.retire(policy_id=board.pk)) == "policy.in_use"
        policies.withdraw(assignment_id=asked.pk)
    with house.acting("ines"):
        assert retire().retired_at is not None
