"""Where teams meet, as people read it: the list, and short ones for other pages.

A fixed number of queries, whatever the number of collisions, teams and commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.db.models import Count, Q, QuerySet, Window
from django.urls import reverse

from governance.models import Team
from metadata import wording
from metadata.collisions import Closeness
from releases.models import Build, Candidate, Collision, CollisionSide, ReleaseItem, TeamWork
from releases.rules import types
from releases.selectors import words
from releases.selectors.words import Word

PAGE = 30
SHORT = 5
EXPORTED = 5_000

RANKS: dict[Closeness, Word] = {
    Closeness.ELEMENT: Word("failed", "Same element"),
    Closeness.COMPONENT: Word("waiting", "Same component"),
    Closeness.REFERENCE: Word("none", "Reference"),
}
RANK_NAMES = tuple((rank.name.lower(), word.text) for rank, word in RANKS.items())


@dataclass(frozen=True, slots=True)
class Side:
    """One team's part: how far its change has come, its commits and where it can be read."""

    team: Team
    stage: str
    commits: tuple[dict[str, str], ...]
    url: str

    @property
    def told(self) -> str:
        """The side in one line of a file."""
        commits = ", ".join(f"{each['sha'][:7]} {each['author']}" for each in self.commits)
        return f"{self.team.name} ({self.stage}): {commits or 'no commit known'}"


@dataclass(frozen=True, slots=True)
class CollisionRow:
    """One collision in a list."""

    rank: Word
    type_label: str
    name: str
    inside: str
    sides: tuple[Side, ...]
    first_seen_at: datetime

    @property
    def teams(self) -> str:
        """The teams that meet, as a sentence names them."""
        return " and ".join(side.team.name for side in self.sides)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list, as the URL has them."""

    rank: str = ""
    team: str = ""
    query: str = ""
    after: str = ""

    @property
    def is_set(self) -> bool:
        """Whether any filter narrows the list."""
        return bool(self.rank or self.team or self.query)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of collisions, the closest first; ``after`` begins the next one."""

    rows: tuple[CollisionRow, ...]
    after: str


def listing(wanted: Wanted) -> Listing:
    """One page: same elements first, of one rank the newest first."""
    rows = _wanted(wanted)
    rank, _, key = wanted.after.partition("-")
    if rank.isdecimal() and key.isdecimal() and len(rank) < 3 and len(key) < 19:
        rows = rows.filter(Q(closeness__gt=int(rank)) | Q(closeness=int(rank), pk__lt=int(key)))
    found = list(rows[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Listing(rows_of(found[:PAGE]), f"{last.closeness}-{last.pk}" if last else "")


def export(wanted: Wanted) -> Iterator[CollisionRow]:
    """The whole list for a file."""
    yield from rows_of(list(_wanted(wanted)[:EXPORTED]))


def of_team(team: Team) -> tuple[CollisionRow, ...]:
    """The closest collisions of a team that are more than a reference."""
    rows = _now().filter(sides__team=team, closeness__lt=Closeness.REFERENCE)
    return rows_of(list(rows[:SHORT]))


def of_candidates(candidates: Iterable[Candidate]) -> tuple[CollisionRow, ...]:
    """The closest collisions that some candidates have with other teams' work."""
    sides = CollisionSide.objects.filter(candidate__in=[row.pk for row in candidates])
    rows = _now().filter(pk__in=sides.values("collision_id"), closeness__lt=Closeness.REFERENCE)
    return rows_of(list(rows[: 2 * SHORT]))


def attention() -> list[tuple[str, str, str, str, datetime | None, str, str]]:
    """The line of the home page, when teams meet closer than at a reference; two queries."""
    rows = _now().filter(closeness__lt=Closeness.REFERENCE)
    first = rows.annotate(number=Window(Count("pk"))).first()
    if first is None:
        return []
    number = first.number
    sides = first.sides.select_related("team").order_by("team__name")
    teams = " and ".join(side.team.name for side in sides)
    more = f" and {number - 1:,} more" if number > 1 else ""
    return [
        (
            "none",
            "warning",
            f"{words.plural(number, 'collision')} between teams before any release:",
            f"{types.spoken(first.type)} {first.name} ({teams}){more}",
            first.first_seen_at,
            reverse("releases:collisions"),
            "Compare",
        )
    ]


def unread() -> list[TeamWork]:
    """Commits that the radar could not read, with the reason."""
    rows = TeamWork.objects.exclude(problem="").select_related("repository__team", "candidate")
    return list(rows.order_by("repository__team__name", "pk")[:PAGE])


def teams() -> list[tuple[str, str]]:
    """Slug and name of every team that takes part in a collision now."""
    sides = CollisionSide.objects.filter(collision__gone_at__isnull=True)
    rows = Team.objects.filter(pk__in=sides.values("team_id")).order_by("name")
    return list(rows.values_list("slug", "name"))


def _now() -> QuerySet[Collision]:
    return Collision.objects.filter(gone_at__isnull=True).order_by("closeness", "-pk")


def _wanted(wanted: Wanted) -> QuerySet[Collision]:
    rows = _now()
    ranks = {rank.name.lower(): rank for rank in Closeness}
    if wanted.rank in ranks:
        rows = rows.filter(closeness=ranks[wanted.rank])
    if wanted.team:
        rows = rows.filter(sides__team__slug=wanted.team)
    query = wanted.query.strip()
    if query:
        spoken = [name for name in _types() if query.casefold() in types.spoken(name).casefold()]
        rows = rows.filter(
            Q(name__icontains=query) | Q(named_by_name__icontains=query) | Q(type__in=spoken)
        )
    return rows


def _types() -> list[str]:
    rows = Collision.objects.filter(gone_at__isnull=True)
    return list(rows.order_by("type").values_list("type", flat=True).distinct())


def rows_of(rows: Sequence[Collision]) -> tuple[CollisionRow, ...]:
    """Rows for a list: sides, the releases of their candidates and the builds of their commits."""
    sides = list(
        CollisionSide.objects.filter(collision__in=rows)
        .select_related("team", "candidate__team", "work")
        .order_by("team__name")
    )
    held = {
        item.candidate_id: item.release
        for item in ReleaseItem.objects.filter(
            candidate__in={side.candidate_id for side in sides if side.candidate_id},
            removed_at__isnull=True,
        ).select_related("release")
    }
    builds = {
        (build.repository_id, build.sha): build
        for build in Build.objects.filter(
            sha__in={side.sha for side in sides}, artefact__isnull=False
        )
    }
    keys = {row.pk: "" if row.named_by_type else f"{row.type}/{quote(row.name)}" for row in rows}
    by_row: dict[int, list[Side]] = {}
    for side in sides:
        if side.candidate is None:
            stage = "on main"
        elif side.candidate_id in held:
            stage = f"{side.candidate.tag}, in {held[side.candidate_id].public_id}"
        else:
            stage = f"{side.candidate.tag}, {words.candidate(side.candidate).text.lower()}"
        build = builds.get((side.work.repository_id, side.sha))
        url = _url(side, build, keys[side.collision_id])
        by_row.setdefault(side.collision_id, []).append(
            Side(side.team, stage, tuple(side.commits), url)
        )
    return tuple(_row(row, by_row.get(row.pk, [])) for row in rows)


def _url(side: CollisionSide, build: Build | None, component: str) -> str:
    """Where the change can be read: in the candidate, else in the build of the commit."""
    held = side.candidate if side.candidate is not None and side.candidate.artefact_id else build
    return f"{held.get_absolute_url()}changes/{component}" if held else ""


def _row(row: Collision, sides: Sequence[Side]) -> CollisionRow:
    inside = ""
    if row.named_by_type:
        inside = f"named by {wording.singular(row.named_by_type)} {row.named_by_name}"
    elif row.elements:
        shown = ", ".join(row.elements[:3])
        more = f" and {len(row.elements) - 3} more" if len(row.elements) > 3 else ""
        inside = f"both change {shown}{more}"
    return CollisionRow(
        rank=RANKS[Closeness(row.closeness)],
        type_label=types.spoken(row.type),
        name=row.name,
        inside=inside,
        sides=tuple(sides),
        first_seen_at=row.first_seen_at,
    )
