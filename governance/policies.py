"""Policies: reading the version in force, proposing the next.

A version never changes. The next one is proposed by one person and decided by others
(``policy_changes``). Only the first policies of all, when there is nobody yet under whose rules to
ask, are confirmed by a second member of the release board.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from core.db import advisory_lock, database_now, lock_rows
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotNow
from core.names import plain
from governance import approvals, audit
from governance.events import enumeration
from governance.models import Policy, PolicyProposal, PolicyVersion, Team
from governance.permissions import acting_person, demand
from governance.policy_changes import (
    ask,
    board_policy,
    close,
    decide,
    digest_of,
    governing,
    next_number,
    publish,
    request_of,
    unsatisfiable,
    withdraw_decision,
)
from governance.rules.policy import PolicyRules, parse
from governance.rules.policy_lattice import differences
from governance.rules.policy_words import summary
from governance.states import ProposalState

__all__ = [
    "board_policy",
    "confirm",
    "create",
    "decide",
    "digest_of",
    "propose",
    "rules",
    "unsatisfiable",
    "withdraw",
    "withdraw_decision",
]

NAME_MAX = 80


def rules(version: PolicyVersion) -> PolicyRules:
    """Read a version; raises InvalidInput when its body cannot be read, which allows nothing."""
    return parse(version.body)


def quorum(version: PolicyVersion) -> int:
    """How many people must approve whatever the change is."""
    return rules(version).quorum


def expires_hours(version: PolicyVersion) -> int:
    """How many hours an approval lasts."""
    return rules(version).expires_hours


def test_level(version: PolicyVersion) -> str:
    """Which of Salesforce's test levels a deployment runs."""
    return rules(version).test_level


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a policy governs; ``needs_people``: it takes no policy that asks nobody."""

    name: str
    needs_people: bool


Uses = Callable[[Policy], list[Use]]

_uses: dict[str, Uses] = {}


def register_uses(name: str, uses: Uses) -> None:
    """Let an app say what a policy governs there; once per name."""
    if _uses.setdefault(name, uses) is not uses:
        raise ValueError(f"uses of policies by {name} are registered twice")


def uses_of(policy: Policy) -> list[Use]:
    """List what a policy governs now."""
    board = [Use("the release board itself", True)] if policy.governs_board else []
    return [*board, *(use for uses in _uses.values() for use in uses(policy))]


@transaction.atomic
def create(
    *, name: str, body: Mapping[str, Any], reason: str = "", governs_board: bool = False
) -> PolicyProposal:
    """Make a policy and propose its first version; until that is confirmed it allows nothing.

    Codes: ``policy.name``, ``policy.name_taken`` and those of ``propose``.
    """
    demand("policy.propose")
    name = plain(name)
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
    roles), ``policy.team_unknown``, ``policy.asks_nobody`` (what it governs needs people),
    ``policy.<field>`` for what is wrong in the body, and those of ``approvals.open_request``.
    """
    demand("policy.propose")
    policy = _locked_policy(policy_id)
    if policy.retired_at is not None:
        raise NotNow("policy.retired", f"The policy {policy.name} is retired; nobody uses it.")
    wanted, current = parse(body), policy.current
    under = governing(current, wanted)
    _check_teams(wanted)
    _check_uses(policy, wanted)
    _check_satisfiable(wanted, spare_requester=under is not None)
    if PolicyProposal.objects.filter(policy=policy, state=ProposalState.OPEN).exists():
        raise Conflict(
            "policy.proposed_already",
            f"A next version of {policy.name} is proposed already. Decide on it or withdraw it.",
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
        "number": next_number(current),
        "changes": "; ".join(change.text for change in changes) if current else summary(wanted),
        "reason": proposal.reason,
        "body": proposal.body,
    }
    audit.record("policy.proposed", policy, facts=facts)
    if under is not None:
        ask(proposal, under)
    return proposal


@transaction.atomic
def confirm(*, proposal_id: int) -> PolicyVersion:
    """Put a first policy in force, while founding. Another person than the proposer, of the board.

    Codes: ``policy.proposal_unknown``, ``policy.own_proposal``, ``policy.asked`` (people decide on
    it on its own page), ``policy.outdated``, ``policy.unsatisfiable``.
    """
    demand("policy.confirm")
    proposal, person = _locked_proposal(proposal_id), acting_person()
    if proposal.proposed_by_id == person.pk:
        raise NotAllowed(
            "policy.own_proposal",
            "You proposed this version; another member of the release board confirms it.",
        )
    if request_of(proposal) is not None or proposal.policy.current is not None:
        raise NotNow("policy.asked", "People decide on this version on its own page.")
    _check_satisfiable(parse(proposal.body), spare_requester=False)
    return publish(proposal, person, None)


@transaction.atomic
def withdraw(*, proposal_id: int) -> PolicyProposal:
    """Take a proposal back: whoever may propose may also withdraw."""
    demand("policy.propose")
    proposal = PolicyProposal.objects.filter(pk=proposal_id).first()
    request = request_of(proposal) if proposal else None
    if request is not None and request.is_live:
        # Locks the question first, as whoever decides does; the proposal follows it.
        approvals.withdraw_request(request_id=request.pk, reason="the proposal was withdrawn")
        proposal = PolicyProposal.objects.select_related("policy").get(pk=proposal_id)
    else:
        proposal = _locked_proposal(proposal_id)
        close(proposal, ProposalState.WITHDRAWN, acting_person())
    audit.record("policy.withdrawn", proposal.policy, facts={"policy": proposal.policy.name})
    return proposal


@transaction.atomic
def retire(*, policy_id: int) -> Policy:
    """Take a policy out of use for good; its versions and what was decided under them stay.

    Codes: ``policy.unknown``, ``policy.retired``, ``policy.in_use`` (environments or the board obey
    it), ``policy.has_requests`` (people are being asked under it).
    """
    demand("policy.propose")
    policy = _locked_policy(policy_id)
    if policy.retired_at is not None:
        raise NotNow("policy.retired", f"The policy {policy.name} is retired already.")
    uses = [use.name for use in uses_of(policy)]
    if uses:
        raise NotNow(
            "policy.in_use",
            f"{policy.name} governs {enumeration(uses)}; give that another policy first.",
        )
    if approvals.live_under(policy):
        raise NotNow(
            "policy.has_requests",
            f"People are being asked under {policy.name}; wait until they have decided, or have "
            "the question withdrawn.",
        )
    policy.retired_at = database_now()
    policy.save(update_fields=["retired_at"])
    audit.record("policy.retired", policy, facts={"policy": policy.name})
    return policy


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


def _check_teams(wanted: PolicyRules) -> None:
    named = {rule.team for rule in wanted.approvals if rule.team}
    known = set(Team.objects.filter(slug__in=named, retired_at=None).values_list("slug", flat=True))
    if unknown := sorted(named - known):
        raise InvalidInput(
            "policy.team_unknown",
            f"There is no team {enumeration(unknown, 'or')}; name teams by their slug.",
            field="approvals",
        )


def _check_uses(policy: Policy, wanted: PolicyRules) -> None:
    strict = [use.name for use in uses_of(policy) if use.needs_people]
    if strict and not wanted.quorum:
        raise InvalidInput(
            "policy.asks_nobody",
            f"{policy.name} governs {enumeration(strict)}, so it must always ask somebody.",
            field="approvals",
        )


def _check_satisfiable(wanted: PolicyRules, *, spare_requester: bool) -> None:
    if problem := unsatisfiable(wanted, spare_requester=spare_requester):
        raise InvalidInput("policy.unsatisfiable", problem, field="approvals")
