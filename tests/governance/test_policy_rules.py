"""What policies say: reading, words, comparison and seating, without a database."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from governance.rules.policy import PolicyRules, parse
from governance.rules.policy_lattice import differences, weaker
from governance.rules.policy_words import describe, hours, summary
from governance.rules.seating import seat
from tests.governance.world import needs
from tests.support.policies import policies

BODY: dict[str, Any] = {**needs(2), "expires_hours": 168, "test_level": "RunLocalTests"}
NIGHT = {"days": ["fri", "mon"], "from": "22:00", "to": "04:00", "zone": "Europe/Berlin"}


@given(policies())
def test_a_policy_is_read_back_as_written(rules: PolicyRules) -> None:
    assert parse(rules.body()) == rules
    assert differences(rules, rules) == []


def rule(**changes: Any) -> dict[str, Any]:
    return {"approvals": [needs(1)["approvals"][0] | changes]}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nobody said": ({"approvals": None}, "policy.approvals"),
    "no list": ({"approvals": {}}, "policy.approvals"),
    "too many rules": ({"approvals": rule()["approvals"] * 9}, "policy.approvals"),
    "a rule of none": (rule(number=0), "policy.approvals"),
    "a rule of too many": (rule(number=21), "policy.approvals"),
    "a rule of True": (rule(number=True), "policy.approvals"),
    "a rule of 2.0": (rule(number=2.0), "policy.approvals"),
    "nobody counts": (rule(roles=[]), "policy.approvals"),
    "roles as text": (rule(roles="board_member"), "policy.approvals"),
    "a team's role anywhere": (rule(roles=["developer"]), "policy.approvals"),
    "a strange team": (rule(team="Sales Team"), "policy.approvals"),
    "a strange mark": (rule(when="full moon"), "policy.approvals"),
    "a strange field of a rule": (rule(bypass=True), "policy.approvals"),
    "the old form": ({"quorum": 2}, "policy.unknown_field"),
    "a backdoor": ({"backdoor": True}, "policy.unknown_field"),
    "no life": ({"expires_hours": 0}, "policy.expires_hours"),
    "too long a life": ({"expires_hours": 24 * 90 + 1}, "policy.expires_hours"),
    "strange tests": ({"test_level": "NoTests"}, "policy.test_level"),
    "no test level": ({"test_level": None}, "policy.test_level"),
    "a strange check": ({"checks": ["horoscope"]}, "policy.checks"),
    "a strange outside check": ({"external_checks": ["Jenkins E2E"]}, "policy.external_checks"),
    "coverage without its check": ({"min_coverage": 80}, "policy.min_coverage"),
    "too much coverage": ({"checks": ["coverage"], "min_coverage": 101}, "policy.min_coverage"),
    "a backup's age alone": ({"backup_max_hours": 3}, "policy.backup_max_hours"),
    "a window of no length": ({"windows": [NIGHT | {"to": "22:00"}]}, "policy.windows"),
    "a window on no day": ({"windows": [NIGHT | {"days": []}]}, "policy.windows"),
    "a window of no zone": ({"windows": [NIGHT | {"zone": "Mars/Olympus"}]}, "policy.windows"),
    "a window at 25": ({"windows": [NIGHT | {"from": "25:00"}]}, "policy.windows"),
    "strange starters": ({"start_roles": ["janitor"]}, "policy.start_roles"),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_a_body_that_is_wrong_is_refused_and_the_field_named(case: str) -> None:
    change, code = WRONG[case]
    with pytest.raises(InvalidInput) as caught:
        parse(BODY | change)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("field", ["approvals", "expires_hours", "test_level"])
def test_what_lets_things_pass_is_never_assumed(field: str) -> None:
    with pytest.raises(InvalidInput):
        parse({name: value for name, value in BODY.items() if name != field})


def test_a_check_brings_its_usual_limit() -> None:
    rules = parse(BODY | {"checks": ["coverage", "backup"]})
    assert (rules.min_coverage, rules.backup_max_hours) == (75, 24)


def test_a_policy_speaks_in_sentences() -> None:
    assert describe(parse(BODY), [5]) == [
        "Needs the approval of 2 of 5 board members, none of whom had a hand in it.",
        "An approval lasts 7 days.",
        "A deployment must run all tests except those of installed packages.",
    ]
    assert describe(parse(BODY | needs(1)))[0] == (
        "Needs the approval of 1 board member, who had no hand in it."
    )
    assert describe(parse(BODY | needs(0)))[0] == "Needs nobody's approval."
    assert summary(parse(BODY)) == (
        "2 board members approve, an approval lasts 7 days, RunLocalTests"
    )


def test_a_policy_with_everything_speaks_in_sentences() -> None:
    security = needs(1, "security_approver", when="permissions")["approvals"]
    body = BODY | {
        "approvals": [*BODY["approvals"], *security],
        "checks": ["build", "coverage", "backup"],
        "external_checks": ["jenkins/e2e"],
        "min_coverage": 80,
        "windows": [NIGHT],
        "start_roles": ["release_manager"],
    }
    assert describe(parse(body), [5, 1])[1:6] == [
        (
            "Also needs the approval of 1 of 1 security approver when it changes who may see or do "
            "something, who had no hand in it."
        ),
        "One person fills one of these places only, whatever roles they hold.",
        (
            "Before that: every candidate was built and its tests passed, test coverage is at "
            "least 80 %, a backup of the target is at most 1 day old and jenkins/e2e reported "
            "success."
        ),
        "Deployments run only in the window Mon, Fri 22:00–04:00 (Europe/Berlin).",
        "Only release managers may start one.",
    ]


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1 hour"), (36, "36 hours"), (24, "1 day"), (168, "7 days")]
)
def test_a_life_is_said_the_way_people_say_it(number: int, words: str) -> None:
    assert hours(number) == words


SECURITY_TOO = {"approvals": [*BODY["approvals"], *needs(1, "security_approver")["approvals"]]}
DIRECTION: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "fewer approvals": ({}, needs(1), "demands less"),
    "more approvals": ({}, needs(3), "demands more"),
    "one more role counts": ({}, needs(2, "admin", "board_member"), "demands less"),
    "one role less": (needs(2, "admin", "board_member"), {}, "demands more"),
    "another role counts": ({}, needs(2, "admin"), "demands other things"),
    "a rule more": ({}, SECURITY_TOO, "demands more"),
    "a rule less": (SECURITY_TOO, {}, "demands less"),
    "only when marked": ({}, needs(2, when="permissions"), "demands less"),
    "in a team only": ({}, needs(2, team="platform"), "demands more"),
    "a longer life": ({}, {"expires_hours": 336}, "demands less"),
    "a shorter life": ({}, {"expires_hours": 24}, "demands more"),
    "no tests": ({}, {"test_level": "NoTestRun"}, "demands less"),
    "named tests for all": ({}, {"test_level": "RunSpecifiedTests"}, "demands less"),
    "more tests": ({}, {"test_level": "RunAllTestsInOrg"}, "demands more"),
    "a check": ({}, {"checks": ["build"]}, "demands more"),
    "a check less": ({"checks": ["build"]}, {}, "demands less"),
    "an outside check": ({}, {"external_checks": ["sonar"]}, "demands more"),
    "less coverage": (
        {"checks": ["coverage"], "min_coverage": 90},
        {"checks": ["coverage"]},
        "demands less",
    ),
    "an older backup": (
        {"checks": ["backup"]},
        {"checks": ["backup"], "backup_max_hours": 48},
        "demands less",
    ),
    "a window": ({}, {"windows": [NIGHT]}, "demands more"),
    "any time": ({"windows": [NIGHT]}, {}, "demands less"),
    "a shorter window": (
        {"windows": [NIGHT]},
        {"windows": [NIGHT | {"to": "03:00"}]},
        "demands more",
    ),
    "a window elsewhere": (
        {"windows": [NIGHT]},
        {"windows": [NIGHT | {"zone": "UTC"}]},
        "demands other things",
    ),
    "who may start": ({}, {"start_roles": ["release_manager"]}, "demands more"),
    "everybody may start": ({"start_roles": ["release_manager"]}, {}, "demands less"),
}


@pytest.mark.parametrize("case", DIRECTION, ids=list(DIRECTION))
def test_a_change_says_whether_it_demands_less(case: str) -> None:
    before, after, word = DIRECTION[case]
    old, new = parse(BODY | before), parse(BODY | after)
    (found,) = differences(old, new)
    assert found.word == word
    assert weaker(old, new) is (word != "demands more")


def test_each_line_of_a_change_has_its_own_direction() -> None:
    new = BODY | SECURITY_TOO | {"expires_hours": 336}
    assert [(d.text, d.word) for d in differences(parse(BODY), parse(new))] == [
        ("also needed: 1 security approver", "demands more"),
        ("life of an approval: 7 days → 14 days", "demands less"),
    ]


def test_one_rule_of_three_is_as_good_as_two_rules_of_the_same_people() -> None:
    two = {"approvals": [*needs(1)["approvals"], *needs(2)["approvals"]]}
    assert not weaker(parse(BODY | two), parse(BODY | needs(3)))
    assert not weaker(parse(BODY | needs(3)), parse(BODY | two))


# ── Seating ──────────────────────────────────────────────────────────────────────────────────────

PEOPLE = st.dictionaries(st.integers(1, 7), st.frozensets(st.integers(0, 2)), max_size=7)
SEATS = st.lists(st.integers(1, 3), min_size=3, max_size=3)


def most_seats(numbers: list[int], able: dict[int, frozenset[int]]) -> int:
    """Try every way."""
    if not numbers:
        return 0
    *rest, number = numbers
    fit = [person for person, rules in able.items() if len(rest) in rules]
    return max(
        size + most_seats(rest, {p: r for p, r in able.items() if p not in chosen})
        for size in range(min(number, len(fit)) + 1)
        for chosen in combinations(fit, size)
    )


@given(SEATS, PEOPLE)
def test_a_seating_fills_as_many_seats_as_there_can_be(
    numbers: list[int], able: dict[int, frozenset[int]]
) -> None:
    found = seat(numbers, able)
    everybody = [person for row in found.people for person in row]
    assert len(set(everybody)) == len(everybody) == most_seats(numbers, able)
    assert all(index in able[p] for index, row in enumerate(found.people) for p in row)
    assert [len(row) + empty for row, empty in zip(found.people, found.empty, strict=True)] == (
        numbers
    )
