"""Whether a request has the approvals it needs. Pure Python: the one place where votes count.

A request is satisfied when, at the moment of asking,

- it is open or satisfied, has not expired, and its subject is still what people were shown,
- no author of the work is unknown, and nobody rejects,
- every rule of approval that the subject's risk marks ask for has its people. Each of them approved
  that very digest and did not take it back, is an active human being, neither the requester nor
  excluded, and holds one of the rule's roles now and since before the request was opened. One
  person fills one seat of one rule only, whatever roles they hold (``seating``).

Where a request has a second policy (old and new together decide on a weakening), both must hold.
A vote that does not meet all of this simply does not count. Anything unreadable satisfies nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from core.decisions import Allowed, Answer, Denied
from core.errors import InvalidInput
from governance.events import enumeration
from governance.rules.policy import ApprovalRule, parse
from governance.rules.policy_words import who_counts, who_decides
from governance.rules.seating import Seating, seat
from governance.states import LIVE_APPROVALS, ApprovalState, Role, Verdict

Asked = tuple[tuple[ApprovalRule, ...], ...]
"""The rules that hold for a request, per policy body that decides on it."""


OTHER_ACCOUNT = "is another account of somebody who decides with the first one"
_NEVER: Mapping[Any, datetime] = MappingProxyType({})


class Person(NamedTuple):
    """Somebody, as far as counting is concerned: live roles with the moment each was granted.

    ``roles``: since when in any team; ``in_teams``: since when in the team of that slug.
    ``other_account``: somebody decides with another one, so this one never counts.
    """

    id: int
    name: str
    active: bool = True
    human: bool = True
    roles: Mapping[Role, datetime] = _NEVER
    in_teams: Mapping[tuple[Role, str], datetime] = _NEVER
    other_account: bool = False

    def since(self, role: Role, team: str | None) -> datetime | None:
        """Return since when the person holds a role; None when not."""
        return self.roles.get(role) if team is None else self.in_teams.get((role, team))


class Vote(NamedTuple):
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
    ``people`` holds everybody who voted and everybody who holds a countable role. ``marks`` are
    the subject's risk marks, ``also_body`` a second policy body that must hold too.
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
    marks: tuple[str, ...] = ()
    also_body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that stands in the way, with a stable code and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """One rule that holds for the request: who fills its seats, how many are empty, who may."""

    rule: ApprovalRule
    people: tuple[int, ...]
    empty: int
    may_still: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The count. ``missing`` is empty exactly when ``satisfied``.

    ``needed`` is how many different people must approve in all, ``short`` how many of them are
    still missing, ``counted`` everybody whose approval counts for some rule.
    """

    satisfied: bool
    needed: int
    short: int = 0
    counted: tuple[int, ...] = ()
    rejected_by: tuple[int, ...] = ()
    not_counted: tuple[tuple[int, str], ...] = ()
    may_still: tuple[int, ...] = ()
    missing: tuple[Missing, ...] = ()
    rules: tuple[RuleStanding, ...] = ()


def asked_rules(policy_body: Mapping[str, Any], facts: Facts) -> Asked:
    """Read the rules that hold for a request; raises InvalidInput when a body cannot be read."""
    bodies = [policy_body] if facts.also_body is None else [policy_body, facts.also_body]
    return tuple(parse(body).asked(facts.marks) for body in bodies)


def evaluate(policy_body: Mapping[str, Any], decisions: Iterable[Vote], facts: Facts) -> Outcome:
    """Count the decisions under a policy version's body."""
    try:
        asked = asked_rules(policy_body, facts)
    except InvalidInput as error:
        unreadable = Missing("policy.invalid", f"The policy cannot be read: {error.message}")
        return Outcome(False, needed=1, short=1, missing=(unreadable,))
    votes = [vote for vote in decisions if not vote.withdrawn]
    counted: dict[int, None] = {}
    ignored: dict[int, str] = {}
    for vote in votes:
        if vote.verdict != Verdict.APPROVE:
            continue
        answer = _counts(asked, vote, facts)
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
        if person_id not in voted and _eligible(asked, person_id, facts)
    )
    standings = [_standings(rules, tuple(counted), may_still, facts) for rules in asked]
    missing = [
        *_closed(facts),
        *_unmapped(asked, facts),
        *_rejected(against, facts),
        *_short(asked, standings, tuple(counted), may_still, facts),
    ]
    return Outcome(
        satisfied=not missing,
        needed=max(sum(rule.number for rule in rules) for rules in asked),
        short=max(sum(row.empty for row in rows) for rows in standings),
        counted=tuple(counted),
        rejected_by=against,
        not_counted=tuple(ignored.items()),
        may_still=may_still,
        missing=tuple(missing),
        rules=tuple(row for rows in standings for row in rows),
    )


def may_decide(
    policy_body: Mapping[str, Any], decisions: Iterable[Vote], facts: Facts, person_id: int
) -> Answer:
    """Say whether a person may decide on the request now, with the reason when not."""
    try:
        asked = asked_rules(policy_body, facts)
    except InvalidInput as error:
        return Denied("policy.invalid", f"The policy cannot be read: {error.message}")
    for closed in _closed(facts):
        return Denied(closed.code, closed.reason)
    for vote in decisions:
        if vote.person_id == person_id:
            return _already(vote)
    answer = _eligible(asked, person_id, facts)
    if isinstance(answer, Denied):
        return answer
    for unknown in _unmapped(asked, facts):
        return Denied(unknown.code, unknown.reason)
    return Allowed()


def role_that_counts(asked: Asked, person: Person, opened_at: datetime) -> Role | None:
    """Return the role with which a person decides: the first that counts, in the order of Role."""
    every = [rule for rules in asked for rule in rules]
    for role in Role:
        if any(_holds(rule, role, person, opened_at) for rule in every):
            return role
    return None


def is_fulfillable(rules: Iterable[ApprovalRule], people: Iterable[Person], at: datetime) -> bool:
    """Tell whether these people together could fill every seat of these rules."""
    wanted = tuple(rules)
    able = {person.id: _able(wanted, person, at) for person in people}
    return seat([rule.number for rule in wanted], able).is_full


def leaves_enough(
    rules: Iterable[ApprovalRule], people: Iterable[Person], asking: Collection[int], at: datetime
) -> bool:
    """Tell whether somebody can ask so that the others still fill every seat.

    ``asking``: who may ask; while nobody may yet, it will be one of these people.
    """
    wanted, everybody = tuple(rules), tuple(people)
    if not wanted:
        return True
    may_ask = asking or [person.id for person in everybody]
    return any(
        is_fulfillable(wanted, (person for person in everybody if person.id != one), at)
        for one in may_ask
    )


def able_people(rule: ApprovalRule, people: Iterable[Person], at: datetime) -> tuple[int, ...]:
    """Return who of these people could fill a seat of a rule, were the request opened then."""
    return tuple(person.id for person in people if _able((rule,), person, at))


def _able(rules: tuple[ApprovalRule, ...], person: Person, opened_at: datetime) -> tuple[int, ...]:
    """The indices of the rules of which an active human being may fill a seat."""
    if not (person.active and person.human) or person.other_account:
        return ()
    return tuple([index for index, rule in enumerate(rules) if _fills(rule, person, opened_at)])


def _fills(rule: ApprovalRule, person: Person, opened_at: datetime) -> bool:
    """Whether a role of the person's fills a seat of the rule."""
    for role in rule.roles:
        since = person.since(role, rule.team)
        if since is not None and since <= opened_at:
            return True
    return False


def _holds(rule: ApprovalRule, role: Role, person: Person, opened_at: datetime) -> bool:
    since = person.since(role, rule.team) if role in rule.roles else None
    return since is not None and since <= opened_at


def _seating(rules: tuple[ApprovalRule, ...], people: Iterable[int], facts: Facts) -> Seating:
    able = {number: _able(rules, facts.people[number], facts.opened_at) for number in people}
    return seat([rule.number for rule in rules], able)


def _standings(
    rules: tuple[ApprovalRule, ...],
    counted: tuple[int, ...],
    may_still: tuple[int, ...],
    facts: Facts,
) -> list[RuleStanding]:
    seating = _seating(rules, counted, facts)
    still = {number: _able(rules, facts.people[number], facts.opened_at) for number in may_still}
    return [
        RuleStanding(
            rule=rule,
            people=seating.people[index],
            empty=seating.empty[index],
            may_still=tuple(number for number, able in still.items() if index in able),
        )
        for index, rule in enumerate(rules)
    ]


def _counts(asked: Asked, vote: Vote, facts: Facts) -> Answer:
    if vote.digest != facts.digest:
        return Denied("approval.other_digest", "It was given to something else.")
    return _eligible(asked, vote.person_id, facts)


def _eligible(asked: Asked, person_id: int, facts: Facts) -> Answer:
    person = facts.people.get(person_id)
    if person is None or not person.active:
        return Denied("approval.inactive", "This account is not active.")
    if not person.human:
        return Denied("approval.not_a_person", "Service accounts do not decide.")
    if person.other_account:
        return Denied("approval.other_account", f"{person.name} {OTHER_ACCOUNT}.")
    if person_id == facts.requester_id:
        return Denied("approval.requester", f"{person.name} asked for this approval.")
    if person_id in facts.excluded:
        return Denied("approval.excluded", f"{person.name} {facts.excluded[person_id]}.")
    every = [rule for rules in asked for rule in rules]
    for rule in every:
        if _fills(rule, person, facts.opened_at):
            return Allowed()
    if any(person.since(role, rule.team) for rule in every for role in rule.roles):
        return Denied(
            "approval.role_too_new",
            f"{person.name} got the role after this request was opened; it counts from the next "
            "request on.",
        )
    who = who_decides(every) or "nobody"
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


def _unmapped(asked: Asked, facts: Facts) -> list[Missing]:
    if not facts.unmapped or not any(asked):
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
    asked: Asked,
    standings: list[list[RuleStanding]],
    counted: tuple[int, ...],
    may_still: tuple[int, ...],
    facts: Facts,
) -> list[Missing]:
    """What each rule still needs, and whether the people for it are there at all."""
    found: dict[str, Missing] = {}
    for rules, rows in zip(asked, standings, strict=True):
        short = [row for row in rows if row.empty]
        for row in short:
            text = _rule_short(row, facts)
            found[text] = Missing("approval.quorum", text)
        too_few = any(row.empty > len(row.may_still) for row in short)
        if short and not too_few and not _seating(rules, (*counted, *may_still), facts).is_full:
            text = (
                "Too few different people may still decide: one person fills one of these places "
                "only."
            )
            found[text] = Missing("approval.quorum", text)
    return list(found.values())


def _rule_short(row: RuleStanding, facts: Facts) -> str:
    more = "more approval" if row.empty == 1 else "more approvals"
    text = f"Needs {row.empty} {more} from a {who_counts(row.rule, 1)}"
    if row.empty > len(row.may_still):
        left = enumeration([_name(person_id, facts) for person_id in row.may_still])
        text += (
            f", but only {left} may still decide" if row.may_still else ", but nobody may decide"
        )
    return f"{text}."


def _name(person_id: int, facts: Facts) -> str:
    person = facts.people.get(person_id)
    return person.name if person else "Somebody"
