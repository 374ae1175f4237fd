"""A new version of a policy is itself a question put to people.

It is decided under the version that it replaces, with every risk mark that either version names.
When it demands less, the new version must hold as well: old and new decide together. A policy that
asks nobody yet, and the first version of a new one, are decided under the board's own policy. With
the last approval the version is in force, and approvals asked under the one before are void.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from core.db import advisory_lock, database_now, lock_rows
from core.digests import digest_json
from core.errors import NotFound, NotNow
from governance import approvals, audit
from governance.approvals import subjects
from governance.models import ApprovalRequest, Decision, Policy, PolicyProposal, PolicyVersion, User
from governance.rules.marks import ALWAYS
from governance.rules.policy import PolicyRules, parse
from governance.rules.policy_lattice import weaker
from governance.rules.policy_words import rule_words
from governance.rules.quorum import able_people, is_fulfillable, leaves_enough
from governance.selectors import people
from governance.states import PROPOSAL, ApprovalState, ProposalState, Role, Verdict

KIND = "policy.version"
ENDINGS: dict[ApprovalState, ProposalState] = {
    ApprovalState.REJECTED: ProposalState.REJECTED,
    ApprovalState.WITHDRAWN: ProposalState.WITHDRAWN,
    ApprovalState.EXPIRED: ProposalState.LAPSED,
    ApprovalState.SUPERSEDED: ProposalState.LAPSED,
}


def board_policy() -> PolicyVersion | None:
    """The version that governs the board's own acts now; None before it was confirmed."""
    policy = Policy.objects.filter(governs_board=True).first()
    return policy.current if policy else None


def digest_of(policy: Policy, number: int, body: Mapping[str, Any]) -> str:
    """Digest what a version says, bound to its policy and number."""
    return digest_json({"policy": policy.pk, "number": number, "body": dict(body)})


def next_number(current: PolicyVersion | None) -> int:
    """The number of the version after this one."""
    return current.number + 1 if current else 1


# ── Who decides ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Governing:
    """Under what a change is decided: a version, a second body for a weakening, risk marks."""

    version: PolicyVersion
    also_body: dict[str, Any] | None
    marks: tuple[str, ...]


def governing(current: PolicyVersion | None, wanted: PolicyRules) -> Governing | None:
    """Say who decides on putting these rules in the place of a version; None while founding."""
    old = parse(current.body) if current else None
    version = current if old is not None and old.quorum else board_policy()
    if version is None:
        return None
    less = old is not None and weaker(old, wanted)
    named = {rule.when for rules in (parse(version.body), wanted) for rule in rules.approvals}
    return Governing(version, wanted.body() if less else None, tuple(sorted(named - {ALWAYS})))


def question_digest(proposal: PolicyProposal) -> str:
    """Digest what people are asked: which policy, in whose place, what it would say."""
    based_on = proposal.based_on
    return digest_json(
        {
            "kind": KIND,
            "proposal": str(proposal.uuid),
            "policy": proposal.policy_id,
            "based_on": based_on.digest if based_on else None,
            "number": next_number(based_on),
            "body": proposal.body,
            "proposed_by": proposal.proposed_by_id,
        }
    )


def ask(proposal: PolicyProposal, under: Governing) -> ApprovalRequest:
    """Put a proposed version to the people who decide on it."""
    hours = parse(under.version.body).expires_hours
    return approvals.open_request(
        kind=KIND,
        subject_id=proposal.pk,
        digest=question_digest(proposal),
        policy_version=under.version,
        requester=proposal.proposed_by,
        exclusions=[],
        unmapped=[],
        expires_at=database_now() + timedelta(hours=hours),
        label=f"version {next_number(proposal.based_on)} of the policy {proposal.policy.name}",
        url=proposal.get_absolute_url(),
        related=[proposal.policy.public_id],
        marks=under.marks,
        also_body=under.also_body,
    )


def request_of(proposal: PolicyProposal) -> ApprovalRequest | None:
    """The question about a proposal; None for those of the founding."""
    rows = ApprovalRequest.objects.filter(subject_kind=KIND, subject_id=proposal.pk)
    return rows.select_related("policy_version__policy", "requester").order_by("-pk").first()


def unsatisfiable(wanted: PolicyRules, *, spare_requester: bool = True) -> str:
    """Say why nobody could ever fulfil these rules with the people of today; "" when they can.

    Whoever asks may not decide: with ``spare_requester`` somebody who may ask must be left over.
    """
    now = database_now()
    everybody = people.everybody_for_counting(wanted.approvals)
    if not is_fulfillable(wanted.approvals, everybody, now):
        counts = "; ".join(
            f"{rule_words(rule)}: {len(able_people(rule, everybody, now))} people"
            for rule in wanted.approvals
        )
        return f"Nobody could ever fulfil this, because one person fills one place only: {counts}."
    asking = people.holders(wanted.start_roles or {Role.RELEASE_MANAGER})
    if spare_requester and not leaves_enough(
        wanted.approvals, everybody, {user.pk for user in asking}, now
    ):
        return (
            "Nobody could ever fulfil this: whoever asks may not decide, and without them too few "
            "people are left. Appoint somebody who only asks, or another approver."
        )
    return ""


# ── Deciding ─────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def decide(
    *, proposal_id: int, verdict: str, comment: str, shown_digest: str, auth_strength: str
) -> Decision:
    """Record the acting person's answer to a proposed version.

    Codes: ``policy.proposal_unknown``, ``policy.proposal_closed``, ``policy.unsatisfiable``
    (people left since it was proposed), those of ``approvals.decide``.
    """
    proposal, request = _asked(proposal_id)
    if verdict == Verdict.APPROVE and (problem := unsatisfiable(parse(proposal.body))):
        raise NotNow("policy.unsatisfiable", problem)
    return approvals.decide(
        request_id=request.pk,
        verdict=verdict,
        comment=comment,
        shown_digest=shown_digest,
        current_digest=question_digest(proposal),
        auth_strength=auth_strength,
    )


@transaction.atomic
def withdraw_decision(*, proposal_id: int, reason: str = "") -> None:
    """Take the acting person's own decision back while the version is not in force."""
    _, request = _asked(proposal_id)
    approvals.withdraw_decision(request_id=request.pk, reason=reason)


def _asked(proposal_id: int) -> tuple[PolicyProposal, ApprovalRequest]:
    """The open proposal and its question, the question locked first."""
    proposal = find(proposal_id)
    lock_rows(ApprovalRequest.objects.filter(subject_kind=KIND, subject_id=proposal.pk))
    proposal.refresh_from_db(fields=["state"])
    request = request_of(proposal)
    if proposal.state != ProposalState.OPEN or request is None:
        raise NotNow("policy.proposal_closed", f"This proposal is {proposal.state} already.")
    return proposal, request


def find(proposal_id: int) -> PolicyProposal:
    """Return a proposal. Codes: ``policy.proposal_unknown``."""
    rows = PolicyProposal.objects.select_related("policy", "based_on", "proposed_by", "closed_by")
    proposal = rows.filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("policy.proposal_unknown", "There is no such proposal.")
    return proposal


def outcome(request_id: int) -> None:
    """Put the version in force with the last approval; close the proposal with its question."""
    request = ApprovalRequest.objects.get(pk=request_id)
    proposal = find(request.subject_id)
    state = ApprovalState(request.state)
    if proposal.state != ProposalState.OPEN or state == ApprovalState.OPEN:
        return
    advisory_lock(f"policy:{proposal.policy_id}")
    if state != ApprovalState.SATISFIED:
        close(proposal, ENDINGS[state], None)
        return
    counted = approvals.progress(request, current_digest=question_digest(proposal))
    if counted.satisfied and proposal.policy.current == proposal.based_on:
        last = counted.outcome.counted[-1]
        version = publish(proposal, User.objects.get(pk=last), request)
        approvals.use(request.pk, f"{version} is in force")


def publish(
    proposal: PolicyProposal, person: User, request: ApprovalRequest | None
) -> PolicyVersion:
    """Put a proposed version in force; the caller holds the policy and has judged who may."""
    policy, current = proposal.policy, proposal.policy.current
    number = next_number(current)
    if current is not None:
        # Before the version is there: the database voids what is still open then, and tells nobody.
        reason = f"version {number} of {policy.name}"
        approvals.supersede_of_policy(current, reason, besides=request)
    version = PolicyVersion.objects.create(
        policy=policy,
        number=number,
        body=proposal.body,
        digest=digest_of(policy, number, proposal.body),
        published_at=database_now(),
        proposed_by=proposal.proposed_by,
        confirmed_by=person,
        request=request,
    )
    close(proposal, ProposalState.CONFIRMED, person)
    facts = {
        "policy": policy.name,
        "number": version.number,
        "proposer": proposal.proposed_by.full_name,
        "digest": version.digest,
        "body": version.body,
    }
    related = [request.public_id] if request else []
    audit.record("policy.confirmed", policy, facts=facts, related=related)
    return version


def close(proposal: PolicyProposal, state: ProposalState, person: User | None) -> None:
    """End a proposal."""
    PROPOSAL.check(ProposalState(proposal.state), state)
    proposal.state = state
    proposal.closed_by = person
    proposal.closed_at = database_now()
    proposal.save(update_fields=["state", "closed_by", "closed_at"])


def describe(proposals: Collection[int]) -> dict[int, subjects.Facts]:
    """Describe proposed versions for the inbox."""
    rows = PolicyProposal.objects.filter(pk__in=proposals).select_related("proposed_by")
    return {row.pk: (f"proposed by {row.proposed_by.full_name}",) for row in rows}
