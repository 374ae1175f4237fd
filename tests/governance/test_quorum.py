"""The one place where votes count: truth table and properties of governance.rules.quorum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decisions import Allowed, Denied
from governance.rules.policy import parse
from governance.rules.quorum import Facts, Person, Vote, evaluate, may_decide, role_that_counts
from governance.states import ApprovalState, Role, Verdict
from tests.governance.world import needs

NOW = datetime(2026, 10, 20, 15, 0, tzinfo=UTC)
OPENED = NOW - timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=100)
DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
BODY: dict[str, Any] = {
    **needs(2),
    "expires_hours": 168,
    "test_level": "RunLocalTests",
}
BOARD = {Role.BOARD_MEMBER: LONG_AGO}
ANA, BEN, CLEO, RITA, BOT = range(1, 6)


def person(number: int, name: str, **changes: Any) -> Person:
    return Person(number, name, roles=BOARD)._replace(**changes)


PEOPLE = {
    ANA: person(ANA, "Ana"),
    BEN: person(BEN, "Ben"),
    CLEO: person(CLEO, "Cleo"),
    RITA: person(RITA, "Rita", roles={Role.RELEASE_MANAGER: LONG_AGO}),
}
FACTS = Facts(
    now=NOW,
    state=ApprovalState.OPEN,
    digest=DIGEST,
    opened_at=OPENED,
    expires_at=NOW + timedelta(hours=1),
    requester_id=RITA,
    people=PEOPLE,
)


def yes(person_id: int, **changes: Any) -> Vote:
    return Vote(person_id, Verdict.APPROVE, DIGEST)._replace(**changes)


def no(person_id: int) -> Vote:
    return Vote(person_id, Verdict.REJECT, DIGEST)


BOTH = (yes(ANA), yes(BEN))


def changed_person(number: int, **changes: Any) -> dict[int, Person]:
    return {**PEOPLE, number: PEOPLE[number]._replace(**changes)}


def test_two_board_members_satisfy_a_quorum_of_two() -> None:
    outcome = evaluate(BODY, BOTH, FACTS)
    assert outcome.satisfied
    assert outcome.missing == ()
    assert outcome.counted == (ANA, BEN)
    assert outcome.may_still == (CLEO,)


UNSATISFIED: dict[str, tuple[tuple[Vote, ...], dict[str, Any], str]] = {
    "nobody voted": ((), {}, "approval.quorum"),
    "one of two": ((yes(ANA),), {}, "approval.quorum"),
    "the same person twice": ((yes(ANA), yes(ANA)), {}, "approval.quorum"),
    "one took it back": ((yes(ANA), yes(BEN, withdrawn=True)), {}, "approval.quorum"),
    "one for another digest": ((yes(ANA), yes(BEN, digest=OTHER)), {}, "approval.quorum"),
    "the requester is one of them": (BOTH, {"requester_id": BEN}, "approval.quorum"),
    "one is excluded": (BOTH, {"excluded": {BEN: "wrote it"}}, "approval.quorum"),
    "one is not active any more": (
        BOTH,
        {"people": changed_person(BEN, active=False)},
        "approval.quorum",
    ),
    "one is a service account": (
        BOTH,
        {"people": changed_person(BEN, human=False)},
        "approval.quorum",
    ),
    "one lost the role": (BOTH, {"people": changed_person(BEN, roles={})}, "approval.quorum"),
    "one got the role after the request": (
        BOTH,
        {"people": changed_person(BEN, roles={Role.BOARD_MEMBER: NOW})},
        "approval.quorum",
    ),
    "one holds another role": (
        BOTH,
        {"people": changed_person(BEN, roles={Role.ADMIN: LONG_AGO})},
        "approval.quorum",
    ),
    "one is unknown": (BOTH, {"people": {ANA: PEOPLE[ANA]}}, "approval.quorum"),
    "somebody rejects": ((*BOTH, no(CLEO)), {}, "approval.rejected"),
    "an author is unknown": (BOTH, {"unmapped": ("Yuki <y@x>",)}, "approval.unmapped"),
    "it expired": (BOTH, {"expires_at": NOW}, "approval.expired"),
    "the subject changed": (BOTH, {"current_digest": OTHER}, "approval.stale"),
    "it was rejected": (BOTH, {"state": ApprovalState.REJECTED}, "approval.rejected"),
    "it was superseded": (BOTH, {"state": ApprovalState.SUPERSEDED}, "approval.superseded"),
    "it is closed as expired": (BOTH, {"state": ApprovalState.EXPIRED}, "approval.expired"),
    "it was withdrawn": (BOTH, {"state": ApprovalState.WITHDRAWN}, "approval.withdrawn"),
}


@pytest.mark.parametrize("case", UNSATISFIED, ids=list(UNSATISFIED))
def test_a_request_is_not_satisfied_when(case: str) -> None:
    votes, changes, code = UNSATISFIED[case]
    outcome = evaluate(BODY, votes, replace(FACTS, **changes))
    assert not outcome.satisfied
    assert code in [missing.code for missing in outcome.missing]
    assert all(missing.reason.endswith(".") for missing in outcome.missing)


@pytest.mark.parametrize("state", [ApprovalState.OPEN, ApprovalState.SATISFIED])
def test_it_counts_the_same_while_open_and_once_satisfied(state: ApprovalState) -> None:
    assert evaluate(BODY, BOTH, replace(FACTS, state=state)).satisfied


def test_a_moment_before_expiry_it_still_counts() -> None:
    facts = replace(FACTS, expires_at=NOW + timedelta(microseconds=1))
    assert evaluate(BODY, BOTH, facts).satisfied


def test_a_vote_that_does_not_count_says_why() -> None:
    facts = replace(FACTS, excluded={BEN: "wrote 6 of its commits"})
    assert evaluate(BODY, BOTH, facts).not_counted == ((BEN, "Ben wrote 6 of its commits."),)


SENTENCES: dict[str, tuple[tuple[Vote, ...], dict[str, Any], list[str]]] = {
    "two missing": ((), {}, ["Needs 2 more approvals from a board member."]),
    "one missing": ((yes(ANA),), {}, ["Needs 1 more approval from a board member."]),
    "nobody left": (
        (yes(ANA),),
        {"excluded": {BEN: "wrote it", CLEO: "wrote it"}},
        ["Needs 1 more approval from a board member, but nobody may decide."],
    ),
    "too few left": (
        (),
        {"excluded": {BEN: "wrote it", CLEO: "wrote it"}},
        ["Needs 2 more approvals from a board member, but only Ana may still decide."],
    ),
    "rejected": ((*BOTH, no(CLEO)), {}, ["Cleo rejected it."]),
    "unknown authors": (
        BOTH,
        {"unmapped": ("Yuki <y@x>", "Bo <b@x>")},
        [
            (
                "Yuki <y@x> and Bo <b@x> wrote commits and are not matched with a person here; "
                "an admin must do that first."
            )
        ],
    ),
    "expired": (
        BOTH,
        {"expires_at": NOW},
        ["The request for approval expired on 20 Oct 2026 15:00 UTC."],
    ),
}


@pytest.mark.parametrize("case", SENTENCES, ids=list(SENTENCES))
def test_what_is_missing_is_said_in_sentences(case: str) -> None:
    votes, changes, expected = SENTENCES[case]
    outcome = evaluate(BODY, votes, replace(FACTS, **changes))
    assert [missing.reason for missing in outcome.missing] == expected


def test_a_quorum_of_nobody_is_satisfied_at_once_and_asks_for_no_authors() -> None:
    body = BODY | needs(0)
    assert evaluate(body, (), replace(FACTS, unmapped=("Yuki <y@x>",))).satisfied


def test_even_a_quorum_of_nobody_does_not_outvote_a_rejection() -> None:
    assert not evaluate(BODY | needs(0), (no(ANA),), FACTS).satisfied


@pytest.mark.parametrize(
    "body",
    [
        {},
        BODY | needs(-1),
        BODY | {"approvals": "2"},
        BODY | {"extra": 1},
        BODY | needs(1, "developer"),
        BODY | needs(1, when="full moon"),
    ],
    ids=["empty", "negative", "text", "unknown field", "a team's role", "unknown mark"],
)
def test_an_unreadable_policy_satisfies_nothing_and_lets_nobody_decide(body: Any) -> None:
    outcome = evaluate(body, BOTH, FACTS)
    assert not outcome.satisfied
    assert [missing.code for missing in outcome.missing] == ["policy.invalid"]
    assert may_decide(body, (), FACTS, ANA) == Denied("policy.invalid", outcome.missing[0].reason)


MAY: dict[str, tuple[int, tuple[Vote, ...], dict[str, Any], str]] = {
    "a board member": (ANA, (), {}, ""),
    "a second one": (BEN, (yes(ANA),), {}, ""),
    "one who approved": (ANA, (yes(ANA),), {}, "approval.already_decided"),
    "one who rejected": (ANA, (no(ANA),), {}, "approval.already_decided"),
    "one who took it back": (ANA, (yes(ANA, withdrawn=True),), {}, "approval.already_withdrawn"),
    "the requester": (ANA, (), {"requester_id": ANA}, "approval.requester"),
    "somebody excluded": (ANA, (), {"excluded": {ANA: "wrote it"}}, "approval.excluded"),
    "somebody of another role": (RITA, (), {"requester_id": BEN}, "approval.no_role"),
    "somebody new on the board": (
        ANA,
        (),
        {"people": changed_person(ANA, roles={Role.BOARD_MEMBER: NOW})},
        "approval.role_too_new",
    ),
    "a closed account": (
        ANA,
        (),
        {"people": changed_person(ANA, active=False)},
        "approval.inactive",
    ),
    "a service account": (
        ANA,
        (),
        {"people": changed_person(ANA, human=False)},
        "approval.not_a_person",
    ),
    "somebody unknown": (99, (), {}, "approval.inactive"),
    "with an unknown author": (ANA, (), {"unmapped": ("Yuki <y@x>",)}, "approval.unmapped"),
    "too late": (ANA, (), {"expires_at": NOW}, "approval.expired"),
    "on a closed request": (ANA, (), {"state": ApprovalState.WITHDRAWN}, "approval.withdrawn"),
    "on something that changed": (ANA, (), {"current_digest": OTHER}, "approval.stale"),
}


@pytest.mark.parametrize("case", MAY, ids=list(MAY))
def test_who_may_decide(case: str) -> None:
    person_id, votes, changes, code = MAY[case]
    answer = may_decide(BODY, votes, replace(FACTS, **changes), person_id)
    assert answer.code == code
    assert bool(answer) is (code == "")


TWO_AND_SECURITY = {
    "approvals": [
        *needs(2)["approvals"],
        *needs(1, "security_approver", when="permissions")["approvals"],
    ],
    "expires_hours": 168,
    "test_level": "RunLocalTests",
}
SECURITY = {Role.SECURITY_APPROVER: LONG_AGO}


def test_a_rule_with_a_mark_is_asked_for_when_the_subject_carries_it() -> None:
    assert evaluate(TWO_AND_SECURITY, BOTH, FACTS).satisfied
    outcome = evaluate(TWO_AND_SECURITY, BOTH, replace(FACTS, marks=("permissions",)))
    assert (outcome.satisfied, outcome.needed, outcome.short) == (False, 3, 1)
    assert [missing.reason for missing in outcome.missing] == [
        "Needs 1 more approval from a security approver, but nobody may decide."
    ]


def test_one_person_fills_one_seat_whatever_their_roles() -> None:
    people = changed_person(BEN, roles=BOARD | SECURITY)
    facts = replace(FACTS, people=people, marks=("permissions",))
    assert not evaluate(TWO_AND_SECURITY, BOTH, facts).satisfied
    assert evaluate(TWO_AND_SECURITY, (*BOTH, yes(CLEO)), facts).satisfied


def test_who_could_serve_elsewhere_is_never_in_the_wrong_seat() -> None:
    people = {
        **PEOPLE,
        ANA: person(ANA, "Ana", roles=BOARD | SECURITY),
        BEN: person(BEN, "Ben", roles=SECURITY),
    }
    body = BODY | {
        "approvals": [*needs(1)["approvals"], *needs(1, "security_approver")["approvals"]]
    }
    outcome = evaluate(body, (yes(BEN), yes(ANA)), replace(FACTS, people=people))
    assert outcome.satisfied
    assert [row.people for row in outcome.rules] == [(ANA,), (BEN,)]
    assert evaluate(body, (yes(ANA), yes(BEN)), replace(FACTS, people=people)).satisfied


def test_too_few_different_people_are_said() -> None:
    people = {ANA: person(ANA, "Ana", roles=BOARD | SECURITY), RITA: PEOPLE[RITA]}
    body = BODY | {
        "approvals": [*needs(1)["approvals"], *needs(1, "security_approver")["approvals"]]
    }
    outcome = evaluate(body, (), replace(FACTS, people=people))
    assert outcome.missing[-1].reason == (
        "Too few different people may still decide: one person fills one of these places only."
    )


def test_a_rule_of_a_team_counts_its_members_only() -> None:
    body = BODY | needs(1, "team_lead", team="security")
    lead = Person(ANA, "Ana", roles=BOARD, in_teams={(Role.TEAM_LEAD, "security"): LONG_AGO})
    elsewhere = Person(
        BEN,
        "Ben",
        roles={Role.TEAM_LEAD: LONG_AGO},
        in_teams={(Role.TEAM_LEAD, "sales"): LONG_AGO},
    )
    facts = replace(FACTS, people={ANA: lead, BEN: elsewhere})
    assert evaluate(body, (yes(ANA),), facts).satisfied
    assert may_decide(body, (), facts, BEN).code == "approval.no_role"


def test_old_and_new_must_both_hold_and_one_vote_serves_both() -> None:
    old, new = BODY, BODY | needs(1, "security_approver")
    facts = replace(FACTS, also_body=new)
    assert not evaluate(old, BOTH, facts).satisfied
    people = changed_person(BEN, roles=BOARD | SECURITY)
    assert evaluate(old, BOTH, replace(facts, people=people)).satisfied
    assert not evaluate(old, (yes(BEN),), replace(facts, people=people)).satisfied
    unreadable = evaluate(old, BOTH, replace(FACTS, also_body={"approvals": 1}))
    assert not unreadable.satisfied


def test_a_person_decides_with_the_first_role_that_counts() -> None:
    rules = (parse(BODY | needs(2, "admin", "board_member")).approvals,)
    both = Person(ANA, "Ana", roles={Role.ADMIN: LONG_AGO, Role.BOARD_MEMBER: LONG_AGO})
    assert role_that_counts(rules, both, OPENED) == Role.BOARD_MEMBER
    admin = both._replace(roles={Role.ADMIN: LONG_AGO})
    assert role_that_counts(rules, admin, OPENED) == Role.ADMIN
    assert role_that_counts(rules, both._replace(roles={Role.ADMIN: NOW}), OPENED) is None


# ── Properties ───────────────────────────────────────────────────────────────────────────────────

NUMBERS = st.integers(1, 6)
MOMENTS = st.sampled_from([LONG_AGO, OPENED, OPENED + timedelta(seconds=1), NOW])
ROLES = st.dictionaries(st.sampled_from(list(Role)), MOMENTS, max_size=3)
VOTES = st.lists(
    st.builds(
        Vote,
        person_id=NUMBERS,
        verdict=st.sampled_from([Verdict.APPROVE] * 4 + [Verdict.REJECT]),
        digest=st.sampled_from([DIGEST] * 4 + [OTHER]),
        withdrawn=st.sampled_from([False] * 4 + [True]),
    ),
    max_size=8,
)
RULES = st.fixed_dictionaries(
    {
        "number": st.integers(1, 3),
        "roles": st.sampled_from(
            [["board_member"], ["security_approver"], ["board_member", "release_manager"]]
        ),
        "team": st.none(),
        "when": st.sampled_from(["always", "always", "permissions"]),
    }
)
BODIES = st.fixed_dictionaries(
    {
        "approvals": st.lists(RULES, max_size=3),
        "expires_hours": st.just(24),
        "test_level": st.just("RunLocalTests"),
    }
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    people = {
        number: Person(
            number,
            f"Person {number}",
            active=draw(st.sampled_from([True, True, True, False])),
            human=draw(st.sampled_from([True, True, True, False])),
            roles=draw(st.just(BOARD) | ROLES),
        )
        for number in draw(st.sets(NUMBERS))
    }
    return replace(
        FACTS,
        people=people,
        state=draw(st.sampled_from([*[ApprovalState.OPEN] * 4, *ApprovalState])),
        requester_id=draw(NUMBERS),
        excluded=draw(st.dictionaries(NUMBERS, st.just("wrote it"), max_size=2)),
        unmapped=draw(st.sampled_from([(), (), ("Yuki <y@x>",)])),
        expires_at=draw(st.sampled_from([NOW + timedelta(hours=1), NOW])),
        current_digest=draw(st.sampled_from(["", DIGEST, OTHER])),
        marks=draw(st.sampled_from([(), ("permissions",), ("destructive", "permissions")])),
        also_body=draw(st.none() | BODIES),
    )


def rules_of(body: dict[str, Any], given_facts: Facts) -> list[list[dict[str, Any]]]:
    """The rules that hold, per body, read here without the product's help."""
    bodies = [body] if given_facts.also_body is None else [body, dict(given_facts.also_body)]
    asked = {"always", *given_facts.marks}
    return [[rule for rule in each["approvals"] if rule["when"] in asked] for each in bodies]


def can_fill(rules: list[dict[str, Any]], voters: list[Person], since: datetime) -> bool:
    """Try every way to seat people on the rules: slow, and plainly right."""
    if not rules:
        return True
    first, rest = rules[0], rules[1:]
    able = [
        v
        for v in voters
        if any(str(r) in first["roles"] and t <= since for r, t in v.roles.items())
    ]
    return any(
        can_fill(rest, [v for v in voters if v not in chosen], since)
        for chosen in combinations(able, first["number"])
    )


@given(BODIES, VOTES, facts())
def test_satisfied_means_everything_the_promise_says(
    body: dict[str, Any], votes: list[Vote], given_facts: Facts
) -> None:
    outcome = evaluate(body, votes, given_facts)
    assert outcome.satisfied is (not outcome.missing)
    if not outcome.satisfied:
        return
    assert given_facts.state in (ApprovalState.OPEN, ApprovalState.SATISFIED)
    assert given_facts.expires_at > given_facts.now
    assert given_facts.current_digest in ("", given_facts.digest)
    asked = rules_of(body, given_facts)
    assert not given_facts.unmapped or not any(asked)
    assert not [v for v in votes if v.verdict == Verdict.REJECT and not v.withdrawn]
    assert len(set(outcome.counted)) == len(outcome.counted) >= outcome.needed
    voters = [given_facts.people[number] for number in outcome.counted]
    assert all(can_fill(rules, voters, given_facts.opened_at) for rules in asked)
    for person_id in outcome.counted:
        voter = given_facts.people[person_id]
        assert voter.active
        assert voter.human
        assert person_id != given_facts.requester_id
        assert person_id not in given_facts.excluded
        assert any(
            str(role) in rule["roles"] and since <= given_facts.opened_at
            for role, since in voter.roles.items()
            for rules in asked
            for rule in rules
        )
        assert any(
            v.person_id == person_id and v.digest == given_facts.digest and not v.withdrawn
            for v in votes
        )


@given(BODIES, VOTES, facts(), NUMBERS)
def test_taking_anything_away_never_satisfies(
    body: dict[str, Any], votes: list[Vote], given_facts: Facts, number: int
) -> None:
    if evaluate(body, votes, given_facts).satisfied:
        return
    fewer_votes = [v for v in votes if v.person_id != number or v.verdict == Verdict.REJECT]
    excluded = {**given_facts.excluded, number: "wrote it"}
    inactive = {
        key: value._replace(active=value.active and key != number)
        for key, value in given_facts.people.items()
    }
    without_role = {
        key: value._replace(roles={} if key == number else value.roles)
        for key, value in given_facts.people.items()
    }
    assert not evaluate(body, fewer_votes, given_facts).satisfied
    assert not evaluate(body, votes, replace(given_facts, excluded=excluded)).satisfied
    assert not evaluate(body, votes, replace(given_facts, people=inactive)).satisfied
    assert not evaluate(body, votes, replace(given_facts, people=without_role)).satisfied
    more = body | {"approvals": [*body["approvals"], *needs(1)["approvals"]]}
    assert not evaluate(more, votes, given_facts).satisfied


@given(BODIES, VOTES, facts())
def test_nobody_is_short_when_the_seats_can_be_filled(
    body: dict[str, Any], votes: list[Vote], given_facts: Facts
) -> None:
    outcome = evaluate(body, votes, given_facts)
    voters = [given_facts.people[number] for number in outcome.counted]
    fits = all(
        can_fill(rules, voters, given_facts.opened_at) for rules in rules_of(body, given_facts)
    )
    assert (outcome.short == 0) is fits


@given(BODIES, VOTES, facts())
def test_who_may_still_decide_is_who_may_decide(
    body: dict[str, Any], votes: list[Vote], given_facts: Facts
) -> None:
    outcome = evaluate(body, votes, given_facts)
    for person_id in given_facts.people:
        if may_decide(body, votes, given_facts, person_id):
            assert person_id in outcome.may_still
    closed_or_unknown = {m.code for m in outcome.missing} & {
        "approval.unmapped",
        "approval.stale",
        "approval.expired",
        *(f"approval.{state}" for state in ApprovalState),
    }
    voted = {vote.person_id for vote in votes}
    if not closed_or_unknown:
        for person_id in outcome.may_still:
            assert person_id not in voted or any(v.withdrawn for v in votes)


@given(BODIES, VOTES, facts(), NUMBERS)
def test_one_approval_by_somebody_who_may_brings_it_one_step_closer(
    body: dict[str, Any], votes: list[Vote], given_facts: Facts, number: int
) -> None:
    if may_decide(body, votes, given_facts, number) != Allowed():
        return
    before = evaluate(body, votes, given_facts)
    after = evaluate(body, [*votes, Vote(number, Verdict.APPROVE, DIGEST)], given_facts)
    assert len(after.counted) == len(before.counted) + 1
    assert before.short - 1 <= after.short <= before.short
    if before.satisfied:
        assert after.satisfied
