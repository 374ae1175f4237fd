"""Whether one policy demands at least as much as another, and what differs, in words. Pure Python.

``at_least(new, old)`` is a preorder per field: everything that ``new`` lets pass, ``old`` lets
pass. A change is weaker when some field fails it. For approvals the question is decided exactly,
see ``approvals_at_least``; for windows of different time zones it errs on the side of "weaker".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from governance.events import enumeration
from governance.rules.marks import ALWAYS
from governance.rules.policy import CHECKS, ApprovalRule, PolicyRules, meets
from governance.rules.policy_words import describe, hours, rule_words, start_words
from governance.rules.windows import allows_no_more
from governance.states import Role

Atom = tuple[Role, str | None]
"""A role, and the team in which it is held when a rule names one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a new version changes, in words.

    ``weaker``: something passes that did not pass before. ``stronger``: something that passed
    before does not any more. Both hold when other people are asked.
    """

    text: str
    weaker: bool
    stronger: bool = False

    @property
    def word(self) -> str:
        """How the page marks the line."""
        if self.weaker and self.stronger:
            return "demands other things"
        return "demands less" if self.weaker else "demands more" if self.stronger else "the same"


Words = Callable[[PolicyRules, PolicyRules], list[Difference]]
"""Says the lines of one field; a line may claim more than the field turns out to be."""


def weaker(old: PolicyRules, new: PolicyRules) -> bool:
    """Tell whether anything passes under the new rules that did not pass under the old."""
    return not all(field.at_least(new, old) for field in FIELDS)


def at_least(new: PolicyRules, old: PolicyRules) -> bool:
    """Tell whether the new rules demand at least what the old ones do."""
    return not weaker(old, new)


def differences(old: PolicyRules | None, new: PolicyRules) -> list[Difference]:
    """Say in words what a new version changes; nothing for equal rules."""
    if old is None:
        return [Difference(text, False) for text in describe(new)]
    changed = (field for field in FIELDS if field.value(old) != field.value(new))
    return [line for field in changed for line in _flagged(field, old, new)]


def _flagged(field: _Field, old: PolicyRules, new: PolicyRules) -> list[Difference]:
    """The lines of a field; together they are weaker or stronger exactly when the field is."""
    is_weaker, is_stronger = not field.at_least(new, old), not field.at_least(old, new)
    lines = [
        replace(line, weaker=line.weaker and is_weaker, stronger=line.stronger and is_stronger)
        for line in field.words(old, new)
    ]
    if is_weaker and not any(line.weaker for line in lines):
        lines = [replace(line, weaker=True) for line in lines]
    if is_stronger and not any(line.stronger for line in lines):
        lines = [replace(line, stronger=True) for line in lines]
    return lines


# ── Approvals ────────────────────────────────────────────────────────────────────────────────────


def approvals_at_least(new: PolicyRules, old: PolicyRules) -> bool:
    """Decide exactly whether everybody who satisfies ``new`` satisfies ``old``, for all marks.

    The worst case for ``old`` are people of one role each, one per seat of ``new``, chosen to fill
    as few seats of some set S of its rules as possible: a rule of ``new`` surely helps S only when
    all of its roles count there. By Hall's theorem ``old`` is satisfied exactly when for every S
    those rules bring enough people; marks beyond those that S itself names only add rules.
    """
    for chosen in _subsets(old.approvals):
        marks = {rule.when for rule in chosen} | {ALWAYS}
        atoms = frozenset().union(*(_atoms(rule) for rule in chosen))
        sure = sum(
            rule.number
            for rule in new.approvals
            if rule.when in marks and all(_covered(atom, atoms) for atom in _atoms(rule))
        )
        if sure < sum(rule.number for rule in chosen):
            return False
    return True


def _subsets(rules: tuple[ApprovalRule, ...]) -> Iterator[tuple[ApprovalRule, ...]]:
    for size in range(1, len(rules) + 1):
        yield from combinations(rules, size)


def _atoms(rule: ApprovalRule) -> frozenset[Atom]:
    return frozenset((role, rule.team) for role in rule.roles)


def _covered(atom: Atom, atoms: frozenset[Atom]) -> bool:
    """Whoever holds a role in a team holds it in any team."""
    return atom in atoms or (atom[0], None) in atoms


def _approval_words(old: PolicyRules, new: PolicyRules) -> list[Difference]:
    gone, come = list(old.approvals), list(new.approvals)
    for rule in old.approvals:
        if rule in come:
            come.remove(rule)
            gone.remove(rule)
    found = []
    for before, after in _pairs(gone, come):
        gone.remove(before)
        come.remove(after)
        was, will = (replace(rules, approvals=(r,)) for rules, r in ((old, before), (new, after)))
        found.append(
            Difference(
                f"approvals needed: {rule_words(before)} → {rule_words(after)}",
                weaker=not approvals_at_least(will, was),
                stronger=not approvals_at_least(was, will),
            )
        )
    found += [Difference(f"no longer needed: {rule_words(rule)}", True) for rule in gone]
    found += [Difference(f"also needed: {rule_words(rule)}", False, True) for rule in come]
    return found or [Difference("approvals needed: the same in another order", False)]


def _pairs(
    gone: list[ApprovalRule], come: list[ApprovalRule]
) -> list[tuple[ApprovalRule, ApprovalRule]]:
    """Match rules that changed: those of the same case first, then those of the same people."""
    found: list[tuple[ApprovalRule, ApprovalRule]] = []
    keys: list[Callable[[ApprovalRule], object]] = [
        lambda rule: (rule.team, rule.when),
        lambda rule: rule.roles,
    ]
    for key in keys:
        for before in gone:
            free = [rule for rule in come if all(rule is not after for _, after in found)]
            after = next((rule for rule in free if key(rule) == key(before)), None)
            if after is not None and all(before is not other for other, _ in found):
                found.append((before, after))
    return found


# ── The other fields ─────────────────────────────────────────────────────────────────────────────


def _start_at_least(new: PolicyRules, old: PolicyRules) -> bool:
    return not old.start_roles or bool(new.start_roles and new.start_roles <= old.start_roles)


def _backup_at_least(new: PolicyRules, old: PolicyRules) -> bool:
    if old.backup_max_hours is None:
        return True
    return new.backup_max_hours is not None and new.backup_max_hours <= old.backup_max_hours


def _set_words(what: str, value: Callable[[PolicyRules], frozenset[str]]) -> Words:
    def words(old: PolicyRules, new: PolicyRules) -> list[Difference]:
        come, gone = sorted(value(new) - value(old)), sorted(value(old) - value(new))
        found = []
        if gone:
            found.append(Difference(f"{what} no longer required: {enumeration(gone)}", True))
        if come:
            text = f"{what} required from now on: {enumeration(come)}"
            found.append(Difference(text, False, True))
        return found

    return words


def _arrow(what: str, say: Callable[[PolicyRules], str]) -> Words:
    return lambda old, new: [Difference(f"{what}: {say(old)} → {say(new)}", True, True)]


def _check_names(rules: PolicyRules) -> frozenset[str]:
    return frozenset(CHECKS[name] for name in rules.checks)


def _window_words(rules: PolicyRules) -> str:
    texts = [window.describe() for window in rules.windows]
    return enumeration(texts, "or") if texts else "any time"


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of the body: the preorder on it, its value, and its lines in words."""

    at_least: Callable[[PolicyRules, PolicyRules], bool]
    value: Callable[[PolicyRules], object]
    words: Words


FIELDS: tuple[_Field, ...] = (
    _Field(approvals_at_least, lambda rules: rules.approvals, _approval_words),
    _Field(
        lambda new, old: new.checks >= old.checks,
        lambda rules: rules.checks,
        _set_words("check", _check_names),
    ),
    _Field(
        lambda new, old: new.external_checks >= old.external_checks,
        lambda rules: rules.external_checks,
        _set_words("check of another system", lambda rules: rules.external_checks),
    ),
    _Field(
        lambda new, old: new.min_coverage >= old.min_coverage,
        lambda rules: rules.min_coverage,
        _arrow("least coverage", lambda rules: f"{rules.min_coverage} %"),
    ),
    _Field(
        _backup_at_least,
        lambda rules: rules.backup_max_hours,
        _arrow(
            "age of the backup",
            lambda rules: hours(rules.backup_max_hours) if rules.backup_max_hours else "any",
        ),
    ),
    _Field(
        lambda new, old: allows_no_more(new.windows, old.windows),
        lambda rules: rules.windows,
        _arrow("windows", _window_words),
    ),
    _Field(
        _start_at_least,
        lambda rules: rules.start_roles,
        _arrow("who may start", lambda rules: start_words(rules.start_roles)),
    ),
    _Field(
        lambda new, old: new.expires_hours <= old.expires_hours,
        lambda rules: rules.expires_hours,
        _arrow("life of an approval", lambda rules: hours(rules.expires_hours)),
    ),
    _Field(
        lambda new, old: meets(new.test_level, old.test_level),
        lambda rules: rules.test_level,
        _arrow("tests", lambda rules: rules.test_level),
    ),
)
