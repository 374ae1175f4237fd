"""Seating people on the rules of a policy: one person, one seat. Pure Python.

A rule has as many seats as it needs approvals; a person may take a seat of every rule for which
their roles count, but only one. ``seat`` finds a seating that fills as many seats as possible
(bipartite matching by augmenting paths), so a request is never short because somebody who could
also have served elsewhere was put in the wrong place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seating:
    """Who sits where: per rule its people, and how many of its seats are empty."""

    people: tuple[tuple[int, ...], ...]
    empty: tuple[int, ...]

    @property
    def is_full(self) -> bool:
        """Tell whether every rule has its people."""
        return not any(self.empty)


def seat(numbers: Sequence[int], able: Mapping[int, Collection[int]]) -> Seating:
    """Fill as many seats as possible.

    ``numbers``: seats per rule. ``able``: per person the indices of the rules that they may fill;
    who comes first is seated first and never loses the seat to somebody who comes later.
    """
    table: list[list[int]] = [[] for _ in numbers]
    hopeless: set[frozenset[int]] = set()
    for person, rules in able.items():
        if all(len(row) >= number for row, number in zip(table, numbers, strict=True)):
            break
        # Whoever finds no seat leaves the rules within reach full for good, so nobody with the
        # same choice finds one later.
        choice = frozenset(rules)
        if choice not in hopeless and not _place(person, rules, numbers, able, table, set()):
            hopeless.add(choice)
    return Seating(
        people=tuple(tuple(row) for row in table),
        empty=tuple(number - len(row) for row, number in zip(table, numbers, strict=True)),
    )


def _place(
    person: int,
    rules: Collection[int],
    numbers: Sequence[int],
    able: Mapping[int, Collection[int]],
    table: list[list[int]],
    tried: set[int],
) -> bool:
    """Seat a person, moving others to other rules where that makes room."""
    for rule in rules:
        if rule in tried:
            continue
        tried.add(rule)
        if len(table[rule]) < numbers[rule]:
            table[rule].append(person)
            return True
        for index, sitting in enumerate(table[rule]):
            if _place(sitting, able[sitting], numbers, able, table, tried):
                table[rule][index] = person
                return True
    return False
