"""Whether a request has the approvals it needs. Pure Python: the one place where votes count.

A request is satisfied when, at the moment of asking,

- it is open or satisfied, has not expired, and its subject is still what people were shown,
- no author of the work is unknown, and nobody rejects,
- at least ``quorum`` different people approved that very digest and did not take it back, each of
  them an active human being, neither the requester nor excluded, holding one of the policy's roles
  now and since before the request was opened.

A vote that does not meet all of this simply does not count. Anything unreadable satisfies nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.decisions import Allowed, Answer, Denied
from core.errors import InvalidInput
from governance.events import enumeration
from governance.rules.policy import PolicyRules, parse, who_counts
from governance.states import LIVE_APPROVALS, ApprovalState, Role, Verdict


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as far as counting is concerned: live roles with the moment each was granted."""

    id: int
    name: str
    active: bool = True
    human: bool = True
    roles: Mapping[Role, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vote:
    """A decision as stored, and whether it was taken back."""

    person_id: int
    verdict: Verdict
    digest: str
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything else that the outcome depends on, read in one transaction.

    ``digest`` is what the request asks about; ``current_digest`` what the subject is now ("" when
    the caller did not recompute it: then only the request's own digest is compared).
    ``people`` holds everybody who voted and everybody who holds a countable role.
    """

    now: datetime
    state: ApprovalState
    digest: str
    opened_at: datetime
    expires_at: datetime
    requester_id: int
    people: Mapping[int, Person]
    excluded: Mapping[int, str] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    current_digest: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that stands in the way, with a stable code and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The count. ``missing`` is empty exactly when ``satisfied``."""

    satisfied: bool
    needed: int
    counted: tuple[int, ...] = ()
    rejected_by: tuple[int, ...] = ()
    not_counted: tuple[tuple[int, str], ...] = ()
    may_still: tuple[int, ...] = ()
    missing: tuple[Missing, ...] = ()


def evaluate(policy_body: Mapping[str, Any], decisions: Iterable[Vote], facts: Facts) -> Outcome:
    """Count the decisions under a policy version's body."""
    try:
        rules = parse(policy_body)
    except InvalidInput as error:
        unreadable = Missing("policy.invalid", f"The policy cannot be read: {error.message}")
        return Outcome(False, needed=1, missing=(unreadable,))
    votes = [vote for vote in decisions if not vote.withdrawn]
    counted: dict[int, None] = {}
    ignored: dict[int, str] = {}
    for vote in votes:
        if vote.verdict != Verdict.APPROVE:
            continue
        answer = _counts(rules, vote, facts)
        if isinstance(answer, Denied):
            ignored[vote.person_id] = answer.reason
        else:
            counted[vote.person_id] = None
    against = tuple(
        dict.fromkeys(vote.person_id for vote in votes if vote.verdict == Verdict.REJECT)
    )
    voted = {vote.person_id for vote in votes}
    may_still = tuple(
        person_id
        for person_id in sorted(facts.people)
        if person_id not in voted and _eligible(rules, person_id, facts)
    )
    missing = [
        *_closed(facts),
        *_unmapped(rules, facts),
        *_rejected(against, facts),
        *_short(rules, len(counted), may_still, facts),
    ]
    return Outcome(
        satisfied=not missing,
        needed=rules.quorum,
        counted=tuple(counted),
        rejected_by=against,
        not_counted=tuple(ignored.items()),
        may_still=may_still,
        missing=tuple(missing),
    )


def may_decide(
    policy_body: Mapping[str, Any], decisions: Iterable[Vote], facts: Facts, person_id: int
) -> Answer:
    """Say whether a person may decide on the request now, with the reason when not."""
    try:
        rules = parse(policy_body)
    except InvalidInput as error:
        return Denied("policy.invalid", f"The policy cannot be read: {error.message}")
    for closed in _closed(facts):
        return Denied(closed.code, closed.reason)
    for vote in decisions:
        if vote.person_id == person_id:
            return _already(vote)
    answer = _eligible(rules, person_id, facts)
    if isinstance(answer, Denied):
        return answer
    for unknown in _unmapped(rules, facts):
        return Denied(unknown.code, unknown.reason)
    return Allowed()


def role_that_counts(rules: PolicyRules, person: Person, opened_at: datetime) -> Role | None:
    """Return the role with which a person decides: the first that counts, in the order of Role."""
    for role in Role:
        granted = person.roles.get(role)
        if role in rules.roles and granted is not None and granted <= opened_at:
            return role
    return None


def _counts(rules: PolicyRules, vote: Vote, facts: Facts) -> Answer:
    if vote.digest != facts.digest:
        return Denied("approval.other_digest", "It was given to something else.")
    return _eligible(rules, vote.person_id, facts)


def _eligible(rules: PolicyRules, person_id: int, facts: Facts) -> Answer:
    person = facts.people.get(person_id)
    if person is None or not person.active:
        return Denied("approval.inactive", "This account is not active.")
    if not person.human:
        return Denied("approval.not_a_person", "Service accounts do not decide.")
    if person_id == facts.requester_id:
        return Denied("approval.requester", f"{person.name} asked for this approval.")
    if person_id in facts.excluded:
        return Denied("approval.excluded", f"{person.name} {facts.excluded[person_id]}.")
    if role_that_counts(rules, person, facts.opened_at) is not None:
        return Allowed()
    if rules.roles & set(person.roles):
        return Denied(
            "approval.role_too_new",
            f"{person.name} got the role after this request was opened; it counts from the next "
            "request on.",
        )
    who = who_counts(rules.roles, 2) or "nobody"
    return Denied("approval.no_role", f"Only {who} decide on this; {person.name} is none of them.")


def _already(vote: Vote) -> Denied:
    if vote.withdrawn:
        return Denied(
            "approval.already_withdrawn",
            "You took your decision back; a new request is needed before you decide again.",
        )
    word = "approved" if vote.verdict == Verdict.APPROVE else "rejected"
    return Denied("approval.already_decided", f"You {word} this already.")


def _closed(facts: Facts) -> list[Missing]:
    if facts.state not in LIVE_APPROVALS:
        return [Missing(f"approval.{facts.state}", f"The request for approval is {facts.state}.")]
    if facts.expires_at <= facts.now:
        at = f"{facts.expires_at:%-d %b %Y %H:%M} UTC"
        return [Missing("approval.expired", f"The request for approval expired on {at}.")]
    if facts.current_digest and facts.current_digest != facts.digest:
        return [
            Missing(
                "approval.stale",
                "What was submitted has changed since; it must be submitted for approval again.",
            )
        ]
    return []


def _unmapped(rules: PolicyRules, facts: Facts) -> list[Missing]:
    if not facts.unmapped or not rules.quorum:
        return []
    verb = "is" if len(facts.unmapped) == 1 else "are"
    return [
        Missing(
            "approval.unmapped",
            f"{enumeration(list(facts.unmapped))} wrote commits and {verb} not matched with a "
            "person here; an admin must do that first.",
        )
    ]


def _rejected(against: tuple[int, ...], facts: Facts) -> list[Missing]:
    names = [_name(person_id, facts) for person_id in against]
    return [Missing("approval.rejected", f"{enumeration(names)} rejected it.")] if names else []


def _short(
    rules: PolicyRules, counted: int, may_still: tuple[int, ...], facts: Facts
) -> list[Missing]:
    short = rules.quorum - counted
    if short <= 0:
        return []
    who = who_counts(rules.roles, 1)
    more = "more approval" if short == 1 else "more approvals"
    text = f"Needs {short} {more} from a {who}"
    if short > len(may_still):
        left = enumeration([_name(person_id, facts) for person_id in may_still])
        text += f", but only {left} may still decide" if may_still else ", but nobody may decide"
    return [Missing("approval.quorum", f"{text}.")]


def _name(person_id: int, facts: Facts) -> str:
    person = facts.people.get(person_id)
    return person.name if person else "Somebody"
