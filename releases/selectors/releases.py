"""The list of releases."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet

from core import ids
from governance.models import Team
from releases.models import Release
from releases.selectors import paging, words
from releases.states import ReleaseState

SHOWN_STATES = tuple((state.value, words.RELEASE[state].text) for state in ReleaseState)
STATES = frozenset(ReleaseState)
OPEN = STATES - {ReleaseState.DEPLOYED, ReleaseState.CLOSED}
EXPORTED = 5000


@dataclass(frozen=True, slots=True)
class ReleaseFilter:
    """What the list's URL asks for; unknown words are left out, not refused."""

    query: str = ""
    state: str = ""
    team: str = ""

    @property
    def is_set(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.query or self.state or self.team)


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release in the list."""

    release: Release
    word: words.Word
    teams: str


def listing(
    wanted: ReleaseFilter, place: paging.Place
) -> tuple[paging.Page[Release], list[ReleaseRow]]:
    """One page of releases, newest first."""
    page = paging.page(_filtered(wanted), place)
    return page, _rows(page.rows)


def export(wanted: ReleaseFilter) -> list[ReleaseRow]:
    """The newest releases that match, at most ``EXPORTED``, for a file."""
    return _rows(list(_filtered(wanted).order_by("-pk")[:EXPORTED]))


def _rows(found: list[Release]) -> list[ReleaseRow]:
    teams = _teams([row.pk for row in found])
    return [
        ReleaseRow(row, words.release(row), ", ".join(sorted(teams.get(row.pk, []))))
        for row in found
    ]


def _teams(pks: list[int]) -> dict[int, list[str]]:
    rows = (
        Release.objects.filter(pk__in=pks)
        .annotate(
            names=ArrayAgg(
                "items__candidate__team__name",
                filter=Q(items__removed_at__isnull=True, items__isnull=False),
                distinct=True,
                default=[],
            )
        )
        .values_list("pk", "names")
    )
    return dict(rows)


def _filtered(wanted: ReleaseFilter) -> QuerySet[Release]:
    rows = Release.objects.select_related("artefact", "composed_by")
    if wanted.state in STATES:
        rows = rows.filter(state=wanted.state)
    elif wanted.state == "open":
        rows = rows.filter(state__in=OPEN)
    if wanted.team:
        rows = rows.filter(
            items__removed_at__isnull=True, items__candidate__team__slug=wanted.team
        ).distinct()
    query = wanted.query.strip()
    reference = ids.parse_ref(query.upper())
    if reference is not None:
        return rows.filter(pk=reference[1]) if reference[0] == "R" else rows.none()
    if query:
        rows = rows.filter(
            Q(title__icontains=query)
            | Q(version__startswith=query)
            | Q(composed_by__full_name__icontains=query)
            | Q(artefact__digest__startswith=f"sha256:{query.lower()}")
        )
    return rows


def contributing_teams() -> list[tuple[str, str]]:
    """Slug and name of every team that ever had a candidate, by name."""
    teams = Team.objects.filter(candidates__isnull=False, retired_at__isnull=True)
    return list(teams.distinct().order_by("name").values_list("slug", "name")[:100])
