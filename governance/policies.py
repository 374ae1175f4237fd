"""Policies: reading the version in force, proposing the next, confirming it by a second person.

A version never changes. The next one is proposed by one person and confirmed by another, a member
of the release board. From that moment approvals asked under an older version are void.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from core.db import advisory_lock, database_now, lock_rows
from core.digests import digest_json
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotNow, Stale
from governance import approvals, audit
from governance.models import Policy, PolicyProposal, PolicyVersion, User
from governance.permissions import acting_person, demand
from governance.rules.policy import PolicyRules, parse
from governance.rules.policy_lattice import differences
from governance.rules.policy_words import rule_words, summary
from governance.rules.quorum import able_people, is_fulfillable
from governance.selectors import people
from governance.states import PROPOSAL, ProposalState

NAME_MAX = 80


def rules(version: PolicyVersion) -> PolicyRules:
    """Read a version; raises InvalidInput when its body cannot be read, which allows nothing."""
    return parse(version.body)


def board_policy() -> PolicyVersion | None:
    """The version that governs the board's own acts now; None before it was confirmed."""
    policy = Policy.objects.filter(governs_board=True).first()
    return policy.current if policy else None


def quorum(version: PolicyVersion) -> int:
    """How many people must approve whatever the change is."""
    return rules(version).quorum


def expires_hours(version: PolicyVersion) -> int:
    """How many hours an approval lasts."""
    return rules(version).expires_hours


def test_level(version: PolicyVersion) -> str:
    """Which of Salesforce's test levels a deployment runs."""
    return rules(version).test_level


def digest_of(policy: Policy, number: int, body: Mapping[str, Any]) -> str:
    """Digest what a version says, bound to its policy and number."""
    return digest_json({"policy": policy.pk, "number": number, "body": dict(body)})


@transaction.atomic
def create(
    *, name: str, body: Mapping[str, Any], reason: str = "", governs_board: bool = False
) -> PolicyProposal:
    """Make a policy and propose its first version; until that is confirmed it allows nothing.

    Codes: ``policy.name``, ``policy.name_taken`` and those of ``propose``.
    """
    demand("policy.propose")
    name = " ".join(name.split())
    if not name or len(name) > NAME_MAX:
        raise InvalidInput(
            "policy.name", f"A policy's name has 1 to {NAME_MAX} characters.", field="name"
        )
    advisory_lock("policy-names")
    if Policy.objects.filter(name__iexact=name).exists():
        raise Conflict("policy.name_taken", f"There is a policy called {name} already.")
    policy = Policy.objects.create(name=name, governs_board=governs_board)
    audit.record("policy.created", policy, facts={"policy": name})
    return propose(policy_id=policy.pk, body=body, reason=reason)


@transaction.atomic
def propose(*, policy_id: int, body: Mapping[str, Any], reason: str = "") -> PolicyProposal:
    """Propose the next version of a policy.

    Codes: ``policy.unknown``, ``policy.proposed_already`` (withdraw that one first),
    ``policy.same`` (nothing would change), ``policy.unsatisfiable`` (too few people hold the
    roles), and ``policy.<field>`` for what is wrong in the body.
    """
    demand("policy.propose")
    policy = _locked_policy(policy_id)
    wanted, current = parse(body), policy.current
    _check_satisfiable(wanted)
    if PolicyProposal.objects.filter(policy=policy, state=ProposalState.OPEN).exists():
        raise Conflict(
            "policy.proposed_already",
            f"A next version of {policy.name} is proposed already. Confirm or withdraw it first.",
        )
    changes = differences(rules(current) if current else None, wanted)
    if not changes:
        raise InvalidInput("policy.same", f"This is what {policy.name} says already.")
    proposal = PolicyProposal.objects.create(
        policy=policy,
        based_on=current,
        body=wanted.body(),
        reason=reason.strip()[:1000],
        proposed_by=acting_person(),
    )
    facts = {
        "policy": policy.name,
        "number": _next_number(current),
        "changes": "; ".join(change.text for change in changes) if current else summary(wanted),
        "reason": proposal.reason,
        "body": proposal.body,
    }
    audit.record("policy.proposed", policy, facts=facts)
    return proposal


@transaction.atomic
def confirm(*, proposal_id: int) -> PolicyVersion:
    """Put a proposed version in force. Another person than the proposer, of the release board.

    Approval requests that are open under the version before are void from now on.

    Codes: ``policy.proposal_unknown``, ``policy.own_proposal``, ``policy.outdated`` (the policy
    changed since it was proposed), ``policy.unsatisfiable``.
    """
    demand("policy.confirm")
    proposal, person = _locked_proposal(proposal_id), acting_person()
    if proposal.proposed_by_id == person.pk:
        raise NotAllowed(
            "policy.own_proposal",
            "You proposed this version; another member of the release board confirms it.",
        )
    policy, current = proposal.policy, proposal.policy.current
    if current != proposal.based_on:
        raise Stale(
            "policy.outdated",
            f"{policy.name} changed since this was proposed. Withdraw it and propose it anew.",
        )
    _check_satisfiable(parse(proposal.body))
    version = _publish(proposal, person, _next_number(current))
    _close(proposal, ProposalState.CONFIRMED, person)
    facts = {
        "policy": policy.name,
        "number": version.number,
        "proposer": proposal.proposed_by.full_name,
        "digest": version.digest,
        "body": version.body,
    }
    audit.record("policy.confirmed", policy, facts=facts)
    if current is not None:
        approvals.supersede_of_policy(current, f"version {version.number} of {policy.name}")
    return version


def _publish(proposal: PolicyProposal, person: User, number: int) -> PolicyVersion:
    return PolicyVersion.objects.create(
        policy=proposal.policy,
        number=number,
        body=proposal.body,
        digest=digest_of(proposal.policy, number, proposal.body),
        published_at=database_now(),
        proposed_by=proposal.proposed_by,
        confirmed_by=person,
    )


@transaction.atomic
def withdraw(*, proposal_id: int) -> PolicyProposal:
    """Take a proposal back: whoever may propose may also withdraw."""
    demand("policy.propose")
    proposal, person = _locked_proposal(proposal_id), acting_person()
    _close(proposal, ProposalState.WITHDRAWN, person)
    audit.record("policy.withdrawn", proposal.policy, facts={"policy": proposal.policy.name})
    return proposal


def _locked_policy(policy_id: int) -> Policy:
    advisory_lock(f"policy:{policy_id}")
    policy = Policy.objects.filter(pk=policy_id).first()
    if policy is None:
        raise NotFound("policy.unknown", "There is no such policy.")
    return policy


def _locked_proposal(proposal_id: int) -> PolicyProposal:
    found = PolicyProposal.objects.filter(pk=proposal_id).first()
    if found is None:
        raise NotFound("policy.proposal_unknown", "There is no such proposal.")
    _locked_policy(found.policy_id)
    proposal = lock_rows(
        PolicyProposal.objects.filter(pk=proposal_id).select_related("policy", "proposed_by")
    )[0]
    if proposal.state != ProposalState.OPEN:
        raise NotNow("policy.proposal_closed", f"This proposal is {proposal.state} already.")
    return proposal


def _close(proposal: PolicyProposal, state: ProposalState, person: User) -> None:
    PROPOSAL.check(ProposalState(proposal.state), state)
    proposal.state = state
    proposal.closed_by = person
    proposal.closed_at = database_now()
    proposal.save(update_fields=["state", "closed_by", "closed_at"])


def _check_satisfiable(wanted: PolicyRules) -> None:
    now = database_now()
    everybody = people.people_for_counting(wanted.approvals, ())[0].values()
    if is_fulfillable(wanted.approvals, everybody, now):
        return
    counts = "; ".join(
        f"{rule_words(rule)}: {len(able_people(rule, everybody, now))} people"
        for rule in wanted.approvals
    )
    raise InvalidInput(
        "policy.unsatisfiable",
        f"Nobody could ever fulfil this, because one person fills one place only: {counts}.",
        field="approvals",
    )


def _next_number(current: PolicyVersion | None) -> int:
    return current.number + 1 if current else 1
