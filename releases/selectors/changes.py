"""What a release changes in production, component by component.

The build worker computed the rows when it composed the artefact; here they are read in one query,
judged, searched, grouped and cut to a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from releases.models import Release, ReleaseChange
from releases.rules import types
from releases.rules.risk import DANGERS, Risk, assess, raised
from releases.selectors import composition

SHOWN = 15
SHOWN_AT_MOST = 2000
GROUPINGS = ("risk", "type", "team")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One component that differs from production."""

    type: str
    name: str
    is_new: bool
    teams: tuple[str, ...]
    summary: str
    risk: Risk
    marks: tuple[str, ...]
    is_removed: bool = False

    @property
    def type_label(self) -> str:
        """The type as people say it."""
        return types.spoken(self.type)

    @property
    def inside(self) -> str:
        """What changed inside, or that it is new."""
        if self.is_removed:
            return "deleted from production"
        if self.summary:
            return self.summary
        return "new" if self.is_new else "changed"

    @property
    def team_names(self) -> str:
        """The teams that bring it, in one line."""
        return ", ".join(self.teams)


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Rows below one heading."""

    title: str
    rows: tuple[ChangeRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ChangesTable:
    """The changes section of a release."""

    every: tuple[ChangeRow, ...]
    groups: tuple[ChangeGroup, ...]
    grouping: str
    query: str
    total: int
    matching: int
    shown: int
    same: int
    highest: Risk | None

    @property
    def hidden(self) -> int:
        """Rows that match and are not on this page."""
        return self.matching - self.shown


def rows_of(release: Release) -> list[ChangeRow]:
    """Every component that the release's artefact adds or changes, riskiest first."""
    judged = (_row(*value) for value in composition.values(release))
    return sorted(judged, key=lambda row: (-row.risk, row.type, row.name))


def table(
    release: Release, *, grouping: str = "", query: str = "", show_all: bool = False
) -> ChangesTable:
    """The table for a page: searched by name, type or team, grouped, and cut to ``SHOWN`` rows."""
    every = rows_of(release)
    grouping = grouping if grouping in GROUPINGS else GROUPINGS[0]
    query = query.strip()
    matching = [row for row in every if _matches(row, query.casefold())] if query else every
    limit = SHOWN_AT_MOST if show_all else SHOWN
    groups = tuple(_cut(_grouped(matching, grouping), limit))
    return ChangesTable(
        every=tuple(every),
        groups=groups,
        grouping=grouping,
        query=query,
        total=len(every),
        matching=len(matching),
        shown=sum(len(group.rows) for group in groups),
        same=composition.same(release),
        highest=max((row.risk for row in every), default=None),
    )


def phrase(rows: Iterable[ChangeRow], kinds: int = 3) -> str:
    """Name the commonest kinds of components: ``3 Apex classes, 2 fields and 4 more``."""
    every = list(rows)
    gone = Counter(row.type for row in every if row.is_removed)
    deleted = " and ".join(types.counted(name, number) for name, number in gone.most_common())
    left = _named([row for row in every if not row.is_removed], kinds)
    return f"{left}{'; ' if left else ''}deletes {deleted}" if deleted else left


def _named(rows: list[ChangeRow], kinds: int) -> str:
    counts = Counter(row.type for row in rows)
    parts = [types.counted(name, number) for name, number in counts.most_common(kinds)]
    rest = sum(counts.values()) - sum(number for _, number in counts.most_common(kinds))
    if rest:
        return f"{', '.join(parts)} and {rest:,} more"
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


CSV_HEAD = ("Component", "Type", "Change", "What changed inside", "Teams", "Risk", "Marks")


def csv_rows(release: Release) -> Iterator[tuple[str, ...]]:
    """The table as lines of a file: everything that differs from production."""
    for row in rows_of(release):
        change = "new" if row.is_new else "deleted" if row.is_removed else "changed"
        marks = ", ".join(row.marks)
        risk = row.risk.word
        yield (row.name, row.type, change, row.summary, row.team_names, risk, marks)


def _row(
    type_name: str, name: str, kind: str, teams: list[str], summary: str, slugs: list[str]
) -> ChangeRow:
    is_new = kind == ReleaseChange.Kind.ADDED
    removed = kind == ReleaseChange.Kind.REMOVED
    judged = assess(type_name, is_new=is_new, team_count=len(teams), is_removed=removed)
    risk = raised(judged.risk, slugs)
    marks = (*judged.marks, *(DANGERS[slug] for slug in slugs if slug in DANGERS))
    return ChangeRow(type_name, name, is_new, tuple(teams), summary, risk, marks, removed)


def _matches(row: ChangeRow, needle: str) -> bool:
    haystack = f"{row.name} {row.type} {row.type_label} {row.team_names} {' '.join(row.marks)}"
    return needle in haystack.casefold()


def _grouped(rows: list[ChangeRow], grouping: str) -> list[tuple[str, list[ChangeRow]]]:
    titles: dict[str, Callable[[ChangeRow], str]] = {
        "risk": lambda row: row.risk.label,
        "type": lambda row: row.type_label,
        "team": lambda row: row.team_names or "No team",
    }
    groups: dict[str, list[ChangeRow]] = {}
    for row in rows:
        groups.setdefault(titles[grouping](row), []).append(row)
    if grouping == "risk":
        return list(groups.items())
    return sorted(groups.items())


def _cut(groups: list[tuple[str, list[ChangeRow]]], limit: int) -> Iterator[ChangeGroup]:
    for title, rows in groups:
        if limit <= 0:
            return
        shown = tuple(rows[:limit])
        limit -= len(shown)
        yield ChangeGroup(title, shown, len(rows))
