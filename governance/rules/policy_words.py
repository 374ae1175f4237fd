"""A policy in sentences. Pure Python."""

from __future__ import annotations

from collections.abc import Iterable

from governance.events import enumeration
from governance.rules.marks import ALWAYS, RISK_MARKS
from governance.rules.policy import CHECKS, TEST_LEVELS, ApprovalRule, PolicyRules
from governance.states import Role


def describe(rules: PolicyRules, eligible: Iterable[int] = ()) -> list[str]:
    """Say a policy in sentences; ``eligible``: how many people can fill each rule today."""
    known = list(eligible)
    return [
        *_approvals(rules.approvals, known),
        *_checks(rules),
        *_when(rules),
        f"An approval lasts {hours(rules.expires_hours)}.",
        f"A deployment must {TEST_LEVELS[rules.test_level]}.",
    ]


def summary(rules: PolicyRules) -> str:
    """Say a policy in a few words, for the middle of a sentence."""
    if rules.approvals:
        plural = rules.approvals[0].number > 1 or len(rules.approvals) > 1
        people = enumeration([_people(rule, None) for rule in rules.approvals])
        approvals = f"{people} approve{'' if plural else 's'}"
    else:
        approvals = "nobody is asked"
    return f"{approvals}, an approval lasts {hours(rules.expires_hours)}, {rules.test_level}"


def rule_words(rule: ApprovalRule) -> str:
    """Say one rule without a verb: ``1 security approver when it deletes components``."""
    return _people(rule, None)


def who_counts(rule: ApprovalRule, number: int) -> str:
    """Name the people whose approval counts for a rule: ``board members``."""
    plural = "" if number == 1 else "s"
    people = enumeration([f"{role.title}{plural}" for role in Role if role in rule.roles], "or")
    return f"{people} of team {rule.team}" if rule.team else people


def who_decides(rules: Iterable[ApprovalRule]) -> str:
    """Name everybody whose approval counts for any of the rules."""
    return enumeration(list(dict.fromkeys(who_counts(rule, 2) for rule in rules)), "and")


def hours(number: int) -> str:
    """Write a life in hours the way people say it: ``7 days``, ``36 hours``."""
    if number % 24 == 0:
        days = number // 24
        return f"{days} day" if days == 1 else f"{days} days"
    return f"{number} hour" if number == 1 else f"{number} hours"


def start_words(roles: Iterable[Role]) -> str:
    """Say who may start: ``release managers``, or everybody with the right."""
    wanted = set(roles)
    names = [f"{role.title}s" for role in Role if role in wanted]
    return enumeration(names, "or") if names else "everybody who may deploy"


def _people(rule: ApprovalRule, eligible: int | None) -> str:
    of = "" if eligible is None else f" of {eligible}"
    who = who_counts(rule, rule.number if eligible is None else eligible)
    when = "" if rule.when == ALWAYS else f" when {RISK_MARKS[rule.when]}"
    return f"{rule.number}{of} {who}{when}"


def _apart(rules: tuple[ApprovalRule, ...]) -> str:
    several = len(rules) > 1 or rules[0].number > 1
    return "none of whom had a hand in it" if several else "who had no hand in it"


def _approvals(rules: tuple[ApprovalRule, ...], eligible: list[int]) -> list[str]:
    if not rules:
        return ["Needs nobody's approval."]
    found = []
    for index, rule in enumerate(rules):
        verb = "Needs" if index == 0 else "Also needs"
        who = _people(rule, eligible[index] if eligible else None)
        found.append(f"{verb} the approval of {who}, {_apart((rule,))}.")
    if len(rules) > 1:
        found.append("One person fills one of these places only, whatever roles they hold.")
    return found


def _checks(rules: PolicyRules) -> list[str]:
    found = []
    for name, words in CHECKS.items():
        if name not in rules.checks:
            continue
        if name == "coverage":
            found.append(f"test coverage is at least {rules.min_coverage} %")
        elif name == "backup" and rules.backup_max_hours is not None:
            age = hours(rules.backup_max_hours)
            found.append(f"a backup of the target is at most {age} old")
        else:
            found.append(words)
    if rules.external_checks:
        found.append(f"{enumeration(sorted(rules.external_checks))} reported success")
    return [f"Before that: {enumeration(found)}."] if found else []


def _when(rules: PolicyRules) -> list[str]:
    found = []
    if rules.windows:
        windows = enumeration([window.describe() for window in rules.windows], "or")
        found.append(f"Deployments run only in the window {windows}.")
    if rules.start_roles:
        found.append(f"Only {start_words(rules.start_roles)} may start one.")
    return found
