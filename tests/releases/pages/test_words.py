"""Words, risks, causes: the small rules behind the pages."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.templatetags.gatehouse import STATES
from releases.rules import causes, types
from releases.rules.risk import Risk, assess
from releases.selectors import brought, changes, words
from releases.states import (
    BuildState,
    CandidateState,
    DeploymentState,
    Purpose,
    ReleaseState,
    StepKind,
    StepState,
)
from releases.templatetags.wrapping import breakable


@pytest.mark.parametrize(
    ("table", "states"),
    [
        (words.RELEASE, ReleaseState),
        (words.DEPLOYMENT, DeploymentState),
        (words.STEP, StepState),
        (words.CANDIDATE, CandidateState),
        (words.BUILD, BuildState),
    ],
    ids=["release", "deployment", "step", "candidate", "build"],
)
def test_every_state_has_a_word_and_a_colour(
    table: dict[Any, words.Word], states: type[StrEnum]
) -> None:
    assert set(table) == set(states)
    assert {word.state for word in table.values()} <= STATES


def test_every_purpose_and_step_has_a_name() -> None:
    assert set(words.PURPOSE) == set(Purpose)
    assert set(words.STEP_KIND) == set(words.STEP_PURPOSE) == set(StepKind)


@pytest.mark.parametrize(
    ("type_name", "is_new", "teams", "risk", "marks"),
    [
        ("Layout", False, 1, Risk.LOW, ()),
        ("ApexClass", False, 1, Risk.MEDIUM, ()),
        ("ApexClass", True, 1, Risk.LOW, ()),
        ("Flow", True, 1, Risk.MEDIUM, ("runs by itself",)),
        ("PermissionSet", True, 1, Risk.MEDIUM, ("changes permissions",)),
        ("Profile", True, 1, Risk.HIGH, ("changes permissions",)),
        ("SharingRules", False, 1, Risk.HIGH, ("changes who sees records",)),
        ("NamedCredential", True, 1, Risk.HIGH, ("changes connections to other systems",)),
        ("SecuritySettings", False, 1, Risk.HIGH, ("settings of the whole org",)),
        ("CustomObject", False, 2, Risk.HIGH, ("two teams",)),
        ("Layout", False, 3, Risk.MEDIUM, ("3 teams",)),
        ("NeverHeardOf", False, 1, Risk.LOW, ()),
    ],
)
def test_risk_follows_what_a_kind_can_do(
    type_name: str, is_new: bool, teams: int, risk: Risk, marks: tuple[str, ...]
) -> None:
    judged = assess(type_name, is_new=is_new, team_count=teams)
    assert (judged.risk, judged.marks) == (risk, marks)


@given(st.text(), st.integers(1, 9))
def test_more_teams_and_less_novelty_never_lower_a_risk(type_name: str, teams: int) -> None:
    alone = assess(type_name, is_new=False, team_count=1).risk
    assert assess(type_name, is_new=False, team_count=teams).risk >= alone
    assert assess(type_name, is_new=True, team_count=1).risk <= alone


@pytest.mark.parametrize(
    ("type_name", "number", "said"),
    [
        ("ApexClass", 1, "1 Apex class"),
        ("ApexClass", 3, "3 Apex classes"),
        ("CustomField", 2, "2 fields"),
        ("PermissionSet", 2, "2 permission sets"),
        ("CustomLabels", 1, "1 labels"),
        ("ApprovalProcess", 2, "2 approval processes"),
        ("Entity", 2, "2 entities"),
        ("LightningComponentBundle", 2, "2 Lightning web components"),
        ("EmbeddedServiceAPI", 2, "2 embedded service APIs"),
    ],
)
def test_components_are_counted_as_people_say_it(type_name: str, number: int, said: str) -> None:
    assert types.counted(type_name, number) == said


def test_a_phrase_names_the_commonest_kinds_and_counts_the_rest() -> None:
    kinds = ["ApexClass"] * 3 + ["CustomField"] * 2 + ["Flow"] * 2 + ["Layout", "CustomTab"]
    rows = [changes.ChangeRow(kind, "x", True, (), "", Risk.LOW, ()) for kind in kinds]
    assert changes.phrase(rows) == "3 Apex classes, 2 fields, 2 flows and 2 more"
    assert changes.phrase(rows[:4]) == "3 Apex classes and 1 field"
    assert changes.phrase([]) == ""


@pytest.mark.parametrize(
    ("problem", "named"),
    [
        ("Invalid type: lkit.TierCalculator", "lkit.TierCalculator"),
        ("Variable does not exist: total", "total"),
        ("In field: field - no CustomField named Account.Tier__c found", "Account.Tier__c"),
        ("Entity of type 'ApexClass' named 'Foo' cannot be found", "Foo"),
        ("System.AssertException: Assertion Failed: Expected: 1, Actual: 2", "another result"),
        ("Expecting '}' but was: '<EOF>'", "brace"),
        ("UNABLE_TO_LOCK_ROW, unable to obtain exclusive access", "same records"),
        ("Your code coverage is 62%. You need at least 75%", "covered by tests"),
    ],
)
def test_a_likely_cause_names_what_the_org_named(problem: str, named: str) -> None:
    assert named in causes.likely(problem)


@given(st.text(max_size=300))
def test_no_message_is_too_odd_to_look_for_a_cause(problem: str) -> None:
    assert isinstance(causes.likely(problem), str)


@pytest.mark.parametrize(
    ("titles", "said"),
    [
        ([], ""),
        (["Households on accounts"], "Households on accounts"),
        (["One two three", "Four five"], "One two three; Four five"),
        (["One two three four five six", "a b c d e"], "One two three four five six and 1 more"),
        (["a b c d e f g h i j k l"], "a b c d e f g h i j…"),
        (["a b c d e f g h i j k l", "m"], "a b c d e f g h i j… and 1 more"),
    ],
)
def test_a_team_says_in_ten_words_what_it_brings(titles: list[str], said: str) -> None:
    assert brought.sentence(titles) == said


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("SAL-12 Household discount", "Household discount"),
        ("[SAL-12]: household discount", "Household discount"),
        ("feat(quotes)!: household discount", "Household discount"),
        ("fix: SAL-12 household discount", "Household discount"),
        ("Household discount: more", "Household discount: more"),
    ],
)
def test_titles_lose_keys_and_types(message: str, title: str) -> None:
    assert brought._clean(message) == title


@given(st.text(min_size=1, max_size=120))
def test_a_breakable_name_says_the_same(name: str) -> None:
    from django.utils.html import escape

    assert breakable(name).replace("<wbr>", "") == escape(name)


def test_a_long_name_breaks_between_its_words() -> None:
    assert breakable("RenewalQuoteDiscountSchedulerTest.worksWell") == (
        "Renewal<wbr>Quote<wbr>Discount<wbr>Scheduler<wbr>Test.<wbr>works<wbr>Well"
    )
