"""Policies: what they say, and how the next version comes into force."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, NotNow, Stale
from governance import inbox, policies, policy_changes
from governance.models import AuditEvent, Policy
from tests.governance.world import World, acting, answer, needs, propose

BODY: dict[str, Any] = {**needs(2), "expires_hours": 168, "test_level": "RunLocalTests"}


def request_of(proposal: Any) -> Any:
    found = policy_changes.request_of(proposal)
    assert found is not None
    return found


def test_a_version_is_decided_under_the_one_it_replaces(world: World) -> None:
    policy = world.production.policy
    with acting(world.rita):
        proposal = policies.propose(
            policy_id=policy.pk, body=BODY | needs(3), reason="audit finding 7"
        )
    request = request_of(proposal)
    assert request.policy_version == world.production
    assert request.also_body is None, "it demands more than before"
    answer(world, "ben", proposal)
    assert policy.current == world.production, "nothing is in force before it is approved"
    answer(world, "cleo", proposal)
    version = policy.current
    assert (version.number, version.proposed_by, version.confirmed_by) == (
        2,
        world.rita,
        world.cleo,
    )
    assert version.request == request
    request.refresh_from_db()
    assert (request.state, request.note) == ("used", f"{version} is in force")
    assert version.digest == policies.digest_of(policy, 2, version.body)
    assert policies.quorum(version) == 3
    assert policies.expires_hours(version) == 168
    assert policies.test_level(version) == "RunLocalTests"
    told = AuditEvent.objects.filter(related__contains=[policy.public_id]).order_by("-id")
    sentences = [event.sentence for event in told]
    assert "Cleo Sand confirmed version 2 of the policy Production, proposed by Rita Moss" in (
        sentences
    )
    assert (
        "Rita Moss proposed version 2 of the policy Production: approvals needed: "
        "2 board members → 3 board members"
    ) in sentences


def test_a_policy_that_asks_nobody_is_changed_under_the_boards(world: World) -> None:
    developer = Policy.objects.get(name="Developer")
    proposal = propose(world, "ana", BODY | needs(0) | {"expires_hours": 24}, developer)
    assert request_of(proposal).policy_version == world.production
    answer(world, "ben", proposal)
    answer(world, "cleo", proposal)
    assert policies.expires_hours(developer.current) == 24  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["otto", "lena", "dev", "nils"])
def test_not_everybody_proposes(world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        propose(world, name, BODY | needs(1))


@pytest.mark.parametrize("name", ["otto", "lena", "nils"])
def test_only_those_whom_the_version_in_force_counts_decide(world: World, name: str) -> None:
    proposal = propose(world, "ana", BODY | needs(1))
    with pytest.raises(NotAllowed) as caught:
        answer(world, name, proposal)
    assert caught.value.code == "approval.no_role"


def test_nobody_decides_on_their_own_proposal(world: World) -> None:
    proposal = propose(world, "ana", BODY | needs(1))
    with pytest.raises(NotAllowed) as caught:
        answer(world, "ana", proposal)
    assert caught.value.code == "approval.requester"
    with acting(world.ana), pytest.raises(NotAllowed):
        policies.confirm(proposal_id=proposal.pk)
    with acting(world.ben), pytest.raises(NotNow) as refused:
        policies.confirm(proposal_id=proposal.pk)
    assert refused.value.code == "policy.asked"


def test_a_page_that_is_stale_decides_nothing(world: World) -> None:
    proposal = propose(world, "ana", BODY | needs(1))
    with pytest.raises(Stale):
        answer(world, "ben", proposal, shown_digest="sha256:" + "0" * 64)


def test_one_rejection_ends_a_proposal(world: World) -> None:
    proposal = propose(world, "rita", BODY | needs(1))
    answer(world, "ana", proposal)
    answer(world, "ben", proposal, verdict="reject", comment="Two is right.")
    proposal.refresh_from_db()
    assert proposal.state == "rejected"
    propose(world, "rita", BODY | needs(3))


def test_a_decision_is_taken_back_until_the_version_is_in_force(world: World) -> None:
    proposal = propose(world, "rita", BODY | needs(1))
    answer(world, "ana", proposal)
    with acting(world.ana):
        policies.withdraw_decision(proposal_id=proposal.pk)
    answer(world, "ben", proposal)
    assert world.production.policy.current == world.production
    answer(world, "cleo", proposal)
    with acting(world.ben), pytest.raises(NotNow) as caught:
        policies.withdraw_decision(proposal_id=proposal.pk)
    assert caught.value.code == "policy.proposal_closed"


def test_a_proposal_waits_for_those_who_may_decide(world: World) -> None:
    proposal = propose(world, "ana", BODY | needs(1))
    titles = {
        name: [w.title for w in inbox.waiting_for(world.by_name[name])]
        for name in ("ana", "ben", "rita")
    }
    assert titles == {
        "ana": [],
        "ben": ["Approve version 2 of the policy Production"],
        "rita": [],
    }
    assert inbox.waiting_for(world.ben)[0].url == proposal.get_absolute_url()


def test_one_proposal_at_a_time(world: World) -> None:
    first = propose(world, "ana", BODY | needs(1))
    with pytest.raises(Conflict):
        propose(world, "ben", BODY | needs(3))
    with acting(world.ben):
        policies.withdraw(proposal_id=first.pk)
    first.refresh_from_db()
    assert (first.state, request_of(first).state) == ("withdrawn", "withdrawn")
    propose(world, "ben", BODY | needs(3))


def test_a_closed_proposal_is_not_decided(world: World) -> None:
    proposal = propose(world, "ana", BODY | needs(1))
    with acting(world.ana):
        policies.withdraw(proposal_id=proposal.pk)
    with pytest.raises(NotNow) as caught:
        answer(world, "ben", proposal)
    assert caught.value.code == "policy.proposal_closed"
    with acting(world.ben), pytest.raises(NotNow):
        policies.withdraw(proposal_id=proposal.pk)


def test_a_proposal_without_a_change_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        propose(world, "ana", BODY)
    assert caught.value.code == "policy.same"


def test_what_governs_the_board_always_asks_somebody(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        propose(world, "ana", BODY | needs(0))
    assert caught.value.code == "policy.asks_nobody"


def test_a_rule_names_a_team_that_is_there(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        propose(world, "ana", BODY | needs(1, "team_lead", team="security"))
    assert caught.value.code == "policy.team_unknown"


def test_a_team_that_is_named_brings_its_people(world: World) -> None:
    both = [*needs(1)["approvals"], *needs(1, "team_lead", team="sales")["approvals"]]
    proposal = propose(world, "rita", BODY | {"approvals": both})
    assert request_of(proposal).also_body is not None
    answer(world, "ana", proposal)
    answer(world, "ben", proposal)
    assert world.production.policy.current == world.production, "the new rule needs the lead too"
    answer(world, "lena", proposal)
    assert world.production.policy.current.number == 2


def test_a_policy_that_nobody_uses_is_retired(world: World) -> None:
    with acting(world.ana):
        policies.create(name="Hotfix", body=BODY)
        hotfix = Policy.objects.get(name="Hotfix")
        policies.retire(policy_id=hotfix.pk)
        with pytest.raises(NotNow) as caught:
            policies.propose(policy_id=hotfix.pk, body=BODY | needs(1))
        assert caught.value.code == "policy.retired"
        with pytest.raises(NotNow) as in_use:
            policies.retire(policy_id=world.production.policy_id)
        assert in_use.value.code == "policy.in_use"


def test_a_new_policy_allows_nothing_until_approved(world: World) -> None:
    with acting(world.rita):
        proposal = policies.create(name="Hotfix", body=BODY)
    assert proposal.policy.current is None
    assert request_of(proposal).policy_version == world.production
    answer(world, "ana", proposal)
    answer(world, "ben", proposal)
    assert getattr(proposal.policy.current, "number", None) == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "policy.name"), ("x" * 81, "policy.name"), ("PRODUCTION", "policy.name_taken")],
)
def test_a_policy_needs_a_name_of_its_own(world: World, name: str, code: str) -> None:
    with acting(world.ana), pytest.raises(DomainError) as caught:
        policies.create(name=name, body=BODY)
    assert caught.value.code == code
    assert not Policy.objects.filter(name=name).exists()


def test_what_does_not_exist_is_not_found(world: World) -> None:
    with acting(world.ana):
        with pytest.raises(NotFound):
            policies.propose(policy_id=10**9, body=BODY)
        with pytest.raises(NotFound):
            policies.confirm(proposal_id=10**9)
