"""Where a request stands, recomputed from the database at every call.

Nothing here is remembered: roles, activity, exclusions and matched identities are those of now.
The number of queries does not depend on how many decisions there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from django.db.models import BigIntegerField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from core.composed import Composed, Given, Question
from core.db import database_now
from core.decisions import Allowed, Answer, Denied
from core.errors import InvalidInput
from governance.models import (
    ApprovalRequest,
    Decision,
    Exclusion,
    UnmappedIdentity,
    User,
)
from governance.rules import quorum
from governance.rules.policy import ApprovalRule, parse
from governance.selectors import delegations, people
from governance.states import ApprovalState, PersonKind, Role, Verdict

VERDICTS = {str(verdict): verdict for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class Ballot:
    """One person's decision as the page shows it; ``counts`` is falsy with the reason why not."""

    person: User
    verdict: Verdict
    comment: str
    role: str
    decided_at: datetime
    withdrawn_at: datetime | None
    counts: Answer


@dataclass(frozen=True, slots=True)
class Progress:
    """The standing of one request: what the page shows is what the gate obeys."""

    request: ApprovalRequest
    outcome: quorum.Outcome
    needed: int
    satisfied: bool
    approvals: list[Ballot]
    rejections: list[Ballot]
    withdrawn: list[Ballot]
    may_still: list[User]
    excluded: list[tuple[User, str]]
    unmapped: list[str]
    reasons: list[str]
    body: Mapping[str, Any]
    facts: quorum.Facts
    votes: tuple[quorum.Vote, ...]
    deputies: Mapping[int, str] = field(default_factory=dict)
    """For whom somebody decides, and how long: completes "Dana Fox decides"."""
    barred: Mapping[int, Denied] = field(default_factory=dict)

    def may_decide(self, user: User) -> Answer:
        """Say whether this person may decide now, with the reason when not."""
        answer = self._may_decide(user)
        why = self.barred.get(user.pk)
        if why is None or (isinstance(answer, Denied) and answer.code != "approval.no_role"):
            return answer
        return why

    def _may_decide(self, user: User) -> Answer:
        facts = self.facts
        if user.pk not in facts.people:
            # Without a countable role nobody was read for the count; the name makes the sentence.
            human = user.kind == PersonKind.PERSON
            stranger = quorum.Person(user.pk, user.full_name, user.is_active, human)
            facts = replace(facts, people={**facts.people, user.pk: stranger})
        return quorum.may_decide(self.body, self.votes, facts, user.pk)


def progress(
    request: ApprovalRequest, *, current_digest: str = "", now: datetime | None = None
) -> Progress:
    """Count a request now.

    ``current_digest`` is the subject's digest as its owner has just recomputed it; ``now`` the
    database's time when the caller has read it already.
    """
    read = _read([request], _all_shown)
    return _progress(_count(request, read, current_digest, now or database_now()), read.users)


def outcome(request: ApprovalRequest, *, current_digest: str, now: datetime) -> quorum.Outcome:
    """Count a request now, for who shows nobody: the same count, with less of people read."""
    read = _read([request], _only_counted)
    return _count(request, read, current_digest, now).outcome


def foreseen(request_id: int) -> list[Question]:
    """What counting a request will ask about its decisions, whatever its policy says."""
    return [_DECISIONS.asked(keys=[request_id]), _SHUT_OUT.asked(keys=[request_id])]


def foreseen_people(request: ApprovalRequest) -> list[Question]:
    """What counting a request will ask about who may decide on it."""
    rules = _rules(request.policy_version.body, request.also_body)
    return [delegations.foreseen(_roles(rules)), people.foreseen(rules)]


def progress_of(requests: Sequence[ApprovalRequest], *, now: datetime) -> list[Progress]:
    """Count several requests; the number of queries does not depend on how many there are."""
    if not requests:
        return []
    read = _read(requests, _all_shown)
    return [_progress(_count(request, read, "", now), read.users) for request in requests]


class _Cast(NamedTuple):
    """A decision as far as counting and showing it is concerned."""

    request_id: int
    person_id: int
    verdict: str
    digest: str
    comment: str
    role: str
    decided_at: datetime
    withdrawn_at: datetime | None


CAST = (
    "request_id",
    "person_id",
    "verdict",
    "digest",
    "comment",
    "role",
    "decided_at",
    "withdrawal__at",
)
"""The columns of ``_Cast``."""


A = TypeVar("A", bound=people.Account)
Reader = Callable[[Mapping[int, User], set[int], set[int], list[people.Seat]], Mapping[int, A]]
"""Reads people besides the known ones: who counts, who is excluded, and what seats are held."""


@dataclass(frozen=True, slots=True)
class _Read(Generic[A]):
    """What the counts of some requests need, by request.

    ``excluded``: who and why; ``unmapped``: address and name.
    """

    decisions: Mapping[int, list[_Cast]]
    excluded: Mapping[int, list[tuple[int, str]]]
    unmapped: Mapping[int, list[tuple[str, str]]]
    identities: people.Identities
    rules: Mapping[int, list[ApprovalRule]]
    loans: list[delegations.Loan]
    seats: list[people.Seat]
    users: Mapping[int, A]


@dataclass(frozen=True, slots=True)
class _Count:
    """One request's count and what it was made of."""

    request: ApprovalRequest
    outcome: quorum.Outcome
    decisions: list[_Cast]
    shut_out: Mapping[int, str]
    unmapped: list[str]
    matched: Mapping[int, User]
    facts: quorum.Facts
    votes: tuple[quorum.Vote, ...]
    lent: delegations.Lent


def _read(requests: Sequence[ApprovalRequest], reader: Reader[A]) -> _Read[A]:
    keys = [request.pk for request in requests]
    decisions: dict[int, list[_Cast]] = defaultdict(list)
    for row in map(_Cast._make, _DECISIONS(keys=keys)):
        decisions[row.request_id].append(row)
    excluded, unmapped = _shut_out(keys)
    authors = [author for rows in unmapped.values() for author in rows]
    rules = {each.pk: _rules(each.policy_version.body, each.also_body) for each in requests}
    every = [rule for mine in rules.values() for rule in mine]
    loans = delegations.loans(_roles(every))
    seats = people.seats_for_counting(every)
    counted = {
        *(row.person_id for rows in decisions.values() for row in rows),
        *(loan.deputy_id for loan in loans),
        *(seat.user_id for seat in seats),
    }
    barred = {person_id for rows in excluded.values() for person_id, _ in rows}
    return _Read(
        decisions=decisions,
        excluded=excluded,
        unmapped=unmapped,
        identities=people.resolve_identities(authors) if authors else people.Identities({}, {}),
        rules=rules,
        loans=loans,
        seats=seats,
        users=reader(
            {each.requester_id: each.requester for each in requests}, counted, barred, seats
        ),
    )


def _all_shown(
    known: Mapping[int, User], counted: set[int], barred: set[int], _: list[people.Seat]
) -> Mapping[int, User]:
    return people.users_by_id(known, counted | barred)


def _only_counted(
    known: Mapping[int, User], counted: set[int], _: set[int], seats: list[people.Seat]
) -> Mapping[int, people.Account]:
    return people.accounts_by_id(known, counted, seats)


def _shut_out(
    keys: list[int],
) -> tuple[Mapping[int, list[tuple[int, str]]], Mapping[int, list[tuple[str, str]]]]:
    """Read by request who is excluded and which addresses are unmatched, in one query."""
    excluded, unmapped = defaultdict(list), defaultdict(list)
    for number, _, person_id, email, text in sorted(_SHUT_OUT(keys=keys), key=itemgetter(1)):
        if person_id is None:
            unmapped[number].append((email, text))
        else:
            excluded[number].append((person_id, text))
    return excluded, unmapped


def _decisions() -> QuerySet[Decision, Any]:
    rows = Decision.objects.filter(request_id__in=Given("keys", "bigint[]")).order_by("pk")
    return rows.values_list(*CAST)


def _exclusions() -> QuerySet[Exclusion, Any]:
    keys = Given("keys", "bigint[]")
    persons = Exclusion.objects.filter(request_id__in=keys).order_by()
    nobody = Cast(Value(None), BigIntegerField())
    nothing = Cast(Value(""), TextField())
    addresses = UnmappedIdentity.objects.filter(request_id__in=keys).order_by()
    return persons.values_list("request_id", "pk", "user_id", nothing, "reason").union(
        addresses.values_list("request_id", "pk", nobody, "email", "name"), all=True
    )


_DECISIONS = Composed(_decisions)
_SHUT_OUT = Composed(_exclusions)


def _count(request: ApprovalRequest, read: _Read[A], current_digest: str, now: datetime) -> _Count:
    decisions, excluded = read.decisions.get(request.pk, []), read.excluded.get(request.pk, [])
    unmapped, authors = _identities(read.unmapped.get(request.pk, []), read.identities)
    rules = read.rules[request.pk]
    roles = _roles(rules)
    loans = [loan for loan in read.loans if loan.role in roles]
    also = {row.person_id for row in decisions} | {loan.deputy_id for loan in loans}
    counted = people.people_for_counting(
        rules, read.seats, read.users, {request.requester_id, *also}
    )
    reasons = {user.pk: reason for user, reason in authors} | dict(excluded)
    lent = _lend(counted, loans, {request.requester_id, *reasons}, decisions)
    facts = quorum.Facts(
        now=now,
        state=ApprovalState(request.state),
        digest=request.digest,
        current_digest=current_digest,
        opened_at=request.opened_at,
        expires_at=request.expires_at,
        requester_id=request.requester_id,
        people=lent.people,
        excluded=reasons,
        unmapped=tuple(unmapped),
        marks=tuple(request.marks),
        also_body=request.also_body,
    )
    votes = tuple(_vote(decision) for decision in decisions)
    return _Count(
        request=request,
        outcome=quorum.evaluate(request.policy_version.body, votes, facts),
        decisions=decisions,
        shut_out=reasons,
        unmapped=unmapped,
        matched={user.pk: user for user, _ in authors},
        facts=facts,
        votes=votes,
        lent=lent,
    )


def _progress(count: _Count, users: Mapping[int, User]) -> Progress:
    """Put people to a count, for the pages."""
    found, known = count.outcome, {**count.matched, **users}
    ignored = dict(found.not_counted)
    ballots = [_ballot(row, known[row.person_id], ignored) for row in count.decisions]
    return Progress(
        request=count.request,
        outcome=found,
        needed=found.needed,
        satisfied=found.satisfied,
        approvals=[b for b in ballots if b.verdict == Verdict.APPROVE and not b.withdrawn_at],
        rejections=[b for b in ballots if b.verdict == Verdict.REJECT and not b.withdrawn_at],
        withdrawn=[b for b in ballots if b.withdrawn_at],
        may_still=[known[person_id] for person_id in found.may_still],
        excluded=[(known[person_id], reason) for person_id, reason in count.shut_out.items()],
        unmapped=count.unmapped,
        reasons=[missing.reason for missing in found.missing],
        body=count.request.policy_version.body,
        facts=count.facts,
        votes=count.votes,
        deputies=count.lent.seats,
        barred=count.lent.barred,
    )


def _rules(*bodies: Mapping[str, Any] | None) -> list[ApprovalRule]:
    """Every rule of the bodies; none when one cannot be read, which the count then says."""
    try:
        return [rule for body in bodies if body is not None for rule in parse(body).approvals]
    except InvalidInput:
        return []


def _roles(rules: Iterable[ApprovalRule]) -> set[Role]:
    return {role for rule in rules for role in rule.roles}


def _lend(
    counted: Mapping[int, quorum.Person],
    loans: list[delegations.Loan],
    barred: set[int],
    decisions: list[_Cast],
) -> delegations.Lent:
    """Give deputies what counts of what they were lent, beside the decisions that stand."""
    standing = [row for row in decisions if row.withdrawn_at is None]
    return delegations.lend(
        counted,
        loans,
        barred=barred,
        approved={row.person_id for row in standing if row.verdict == Verdict.APPROVE},
        voted={row.person_id for row in standing},
    )


def _identities(
    rows: list[tuple[str, str]], found: people.Identities
) -> tuple[list[str], list[tuple[User, str]]]:
    """Split the addresses that were unknown at opening: still unknown, and matched since.

    Whoever turned out to be an author is excluded like the others.
    """
    names = {people.as_address(email): name for email, name in rows}
    unknown = [f"{name} <{email}>" for email, name in names.items() if email in found.unmapped]
    matched = [(email, found.mapped[email]) for email in names if email in found.mapped]
    return unknown, [(user, f"wrote commits as {email}") for email, user in matched]


def _vote(row: _Cast) -> quorum.Vote:
    withdrawn = row.withdrawn_at is not None
    return quorum.Vote(row.person_id, VERDICTS[row.verdict], row.digest, withdrawn)


def _ballot(row: _Cast, person: User, ignored: Mapping[int, str]) -> Ballot:
    counts: Answer = Allowed()
    if row.person_id in ignored:
        counts = Denied("approval.not_counted", ignored[row.person_id])
    return Ballot(
        person=person,
        verdict=Verdict(row.verdict),
        comment=row.comment,
        role=row.role.replace("_", " "),
        decided_at=row.decided_at,
        withdrawn_at=row.withdrawn_at,
        counts=counts,
    )
