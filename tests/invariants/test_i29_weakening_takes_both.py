"""I-29: weakening a rule needs the union of old and new sign-offs; strengthening the old one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.rules.policy import PolicyRules
from governance.rules.policy_lattice import differences, weaker
from governance.rules.quorum import Facts, Person, Vote, evaluate
from governance.states import ApprovalState, Verdict
from tests.support.policies import SOME_ROLES, policies, subsets

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
MARKS = ("permissions", "destructive")


HELD = [
    (roles, inside)
    for roles in subsets(SOME_ROLES, 0, len(SOME_ROLES))
    for inside in subsets(sorted(roles), 0, len(roles))
]
"""Some of the roles, and those of them that are held in the team that rules name."""


@st.composite
def people(draw: st.DrawFn) -> dict[int, Person]:
    """Up to six people with some of the roles, some of them in the team that rules name."""
    held = draw(st.lists(st.sampled_from(HELD), min_size=1, max_size=6))
    return {
        number: Person(
            number,
            f"Person {number}",
            roles=dict.fromkeys(roles, NOW),
            in_teams={(role, "security"): NOW for role in inside},
        )
        for number, (roles, inside) in enumerate(held, 1)
    }


def passes(rules: PolicyRules, marks: tuple[str, ...], who: dict[int, Person]) -> bool:
    """Whether everybody's approval together satisfies the rules."""
    return evaluate(rules.body(), _votes(who), _facts(marks, who)).satisfied


def _votes(who: dict[int, Person]) -> list[Vote]:
    return [Vote(number, Verdict.APPROVE, DIGEST) for number in who]


def _facts(
    marks: tuple[str, ...], who: dict[int, Person], also: PolicyRules | None = None
) -> Facts:
    return Facts(
        now=NOW,
        state=ApprovalState.OPEN,
        digest=DIGEST,
        opened_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        requester_id=0,
        people=who,
        marks=marks,
        also_body=also.body() if also else None,
    )


@given(policies())
def test_i29_nothing_is_weaker_than_itself(rules: PolicyRules) -> None:
    assert not weaker(rules, rules)
    assert differences(rules, rules) == []


@given(policies(), policies(), policies())
def test_i29_strengthenings_compose(
    first: PolicyRules, then: PolicyRules, last: PolicyRules
) -> None:
    if not weaker(first, then) and not weaker(then, last):
        assert not weaker(first, last)


@given(policies(), policies(), people(), st.sets(st.sampled_from(MARKS)))
@settings(max_examples=300)
def test_i29_what_is_not_weaker_lets_nobody_through_who_was_held_before(
    old: PolicyRules, new: PolicyRules, who: dict[int, Person], marks: set[str]
) -> None:
    asked = tuple(sorted(marks))
    if not weaker(old, new) and passes(new, asked, who):
        assert passes(old, asked, who)


@given(policies(), policies(), people(), st.sets(st.sampled_from(MARKS)))
def test_i29_the_union_is_both(
    old: PolicyRules, new: PolicyRules, who: dict[int, Person], marks: set[str]
) -> None:
    asked = tuple(sorted(marks))
    both = evaluate(old.body(), _votes(who), _facts(asked, who, also=new)).satisfied
    assert both is (passes(old, asked, who) and passes(new, asked, who))


@given(policies(), policies())
def test_i29_a_weaker_change_says_so_in_words(old: PolicyRules, new: PolicyRules) -> None:
    assert any(line.weaker for line in differences(old, new)) is weaker(old, new)
