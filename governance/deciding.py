"""Who decides on a question, rule by rule, in words for a page."""

from __future__ import annotations

from dataclasses import dataclass

from governance.approvals import Progress
from governance.rules.policy_words import rule_words


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule that must hold, with the people on its seats and those who may still take one."""

    words: str
    people: tuple[str, ...]
    empty: int
    may_still: tuple[str, ...]


def rule_rows(standing: Progress) -> list[RuleRow]:
    """Every rule that holds for a question; asks the database nothing."""
    names = {number: person.name for number, person in standing.facts.people.items()}
    return [
        RuleRow(
            words=rule_words(row.rule),
            people=tuple(names[number] for number in row.people),
            empty=row.empty,
            may_still=tuple(names[number] for number in row.may_still),
        )
        for row in standing.outcome.rules
    ]
