"""Keep what teams change at the same time: one rebuild at a time, by build workers only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from core import db
from governance import audit, notices
from governance.models import Team
from governance.selectors import people
from jobs.wake import wake
from metadata import collisions, wording
from metadata.collisions import Closeness
from metadata.components import ComponentKey, folded
from metadata.touched import Touch
from releases.models import (
    Collision,
    CollisionSide,
    Repository,
    TeamWork,
    TouchedComponent,
)
from releases.selectors import radar

KIND = "releases.radar"
MAX_TOUCHED = 10_000
"""Components of one work that are compared; the platform deploys no more at once."""

MAX_COLLISIONS = 2_000
TOLD = 20
KEPT = timedelta(days=30)
"""How long a collision that is over is remembered, so that nobody is told twice."""

Identity = tuple[int, str, str, str, str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a worker found at one tip: the touched components, or why it could not be read."""

    tip: radar.Tip
    touched: Sequence[Touch] = ()
    problem: str = ""


def follow(repository: Repository) -> None:
    """Have a worker look again when the team's tips or its baseline are others than before."""
    if radar.is_stale(repository):
        wake(KIND, repository.pk)


@transaction.atomic
def keep(repository: Repository, wanted: Sequence[radar.Tip], seen: Sequence[Seen]) -> None:
    """Write a repository's works down and work out anew where teams meet.

    ``wanted`` are all tips of the repository, ``seen`` those that were looked at now.
    """
    db.advisory_lock("releases.radar")
    open_ones = {tip.candidate_id for tip in wanted}
    for work in TeamWork.objects.filter(repository=repository):
        if work.candidate_id not in open_ones:
            work.delete()
    for found in seen:
        _write(repository, found)
    _rebuild(repository)


def _write(repository: Repository, found: Seen) -> None:
    TeamWork.objects.filter(repository=repository, candidate=found.tip.candidate_id).delete()
    work = TeamWork.objects.create(
        repository=repository,
        candidate_id=found.tip.candidate_id,
        sha=found.tip.sha,
        base_sha=found.tip.base_sha,
        touched_count=len(found.touched),
        problem=found.problem,
        looked_at=db.database_now(),
    )
    TouchedComponent.objects.bulk_create(
        (
            TouchedComponent(
                work=work,
                type=touch.key.type,
                name=touch.key.name,
                digest=touch.digest,
                elements=list(touch.elements),
                names=[list(key) for key in touch.names],
                commits=[
                    {"sha": info.sha, "author": info.author_name, "title": info.title[:120]}
                    for info in touch.commits
                ],
            )
            for touch in found.touched[:MAX_TOUCHED]
        ),
        batch_size=1000,
    )


def _rebuild(repository: Repository) -> None:
    """Compare all teams' works; new meetings at the same element are told."""
    works = radar.works()
    found = {_identity(each): each for each in _find(works)[:MAX_COLLISIONS]}
    known = {_of_row(row): row for row in Collision.objects.all()}
    now = db.database_now()
    changed: list[Collision] = []
    fresh: list[Collision] = []
    for identity, row in known.items():
        each = found.get(identity)
        elements = list(each.elements) if each else row.elements
        gone_at = None if each else row.gone_at or now
        names = _names(each) if each else (row.name, row.named_by_name)
        if (row.elements, row.gone_at, row.name, row.named_by_name) != (elements, gone_at, *names):
            row.elements, row.gone_at = elements, gone_at
            row.name, row.named_by_name = names
            changed.append(row)
    for identity in found.keys() - known.keys():
        fresh.append(_row(identity, found[identity], now))
    fields = ["elements", "gone_at", "name", "named_by_name"]
    Collision.objects.bulk_update(changed, fields, batch_size=500)
    Collision.objects.bulk_create(fresh, batch_size=500)
    Collision.objects.filter(gone_at__lt=now - KEPT).delete()
    rows = [row for row in [*known.values(), *fresh] if row.gone_at is None]
    _sides(rows, works)
    _tell(repository, [row for row in fresh if row.closeness == Closeness.ELEMENT])


def _find(works: Sequence[radar.Work]) -> list[collisions.Collision]:
    references: dict[ComponentKey, set[ComponentKey]] = {}
    for work in works:
        for key, named in work.names.items():
            references.setdefault(key, set()).update(named)
    return collisions.find(
        [
            collisions.Work(
                str(work.team_id),
                work.versions,
                {key: frozenset(own) for key, own in work.elements.items()},
            )
            for work in works
        ],
        references,
    )


def _identity(each: collisions.Collision) -> Identity:
    """What makes it this collision, however its components are spelled."""
    namer = each.named_by or ComponentKey("", "")
    teams = tuple(sorted(int(team) for team in each.teams))
    return (each.closeness.value, *folded(each.key), *folded(namer), teams)


def _names(each: collisions.Collision) -> tuple[str, str]:
    return each.key.name, each.named_by.name if each.named_by else ""


def _of_row(row: Collision) -> Identity:
    key, namer = radar.both_of(row)
    return (row.closeness, *folded(key), *folded(namer), tuple(row.teams))


def _row(identity: Identity, each: collisions.Collision, now: datetime) -> Collision:
    name, namer = _names(each)
    return Collision(
        closeness=each.closeness.value,
        type=each.key.type,
        name=name,
        named_by_type=each.named_by.type if each.named_by else "",
        named_by_name=namer,
        teams=list(identity[-1]),
        elements=list(each.elements),
        first_seen_at=now,
    )


def _sides(rows: Iterable[Collision], works: Sequence[radar.Work]) -> None:
    """One row for each team of each collision: its newest candidate there, else its main."""
    rows = list(rows)
    keys = {key for row in rows for key in radar.keys_of(row)}
    commits = radar.commits_of(keys.union(*(work.spelled.values() for work in works)))
    CollisionSide.objects.all().delete()
    sides = []
    for row in rows:
        places: dict[int, radar.Work] = {}
        for work in works:
            if work.team_id in row.teams and radar.keys_of(row) & work.versions.keys():
                places[work.team_id] = work
        sides += [
            CollisionSide(
                collision=row,
                work_id=work.pk,
                team_id=team_id,
                candidate_id=work.candidate_id,
                sha=work.sha,
                commits=_commits(row, work, commits),
            )
            for team_id, work in places.items()
        ]
    CollisionSide.objects.bulk_create(sides, batch_size=500)


def _commits(row: Collision, work: radar.Work, commits: radar.Commits) -> list[dict[str, str]]:
    own = (work.spelled.get(key, key) for key in sorted(radar.keys_of(row)))
    found = [commits.get((work.pk, key), []) for key in own]
    return next((each for each in found if each), [])


def _tell(repository: Repository, rows: Sequence[Collision]) -> None:
    """Say a new meeting at the same element to both teams, and write it into the history."""
    if not rows:
        return
    teams = {
        team.pk: team for team in Team.objects.filter(pk__in={t for r in rows for t in r.teams})
    }
    lines: dict[int, list[str]] = {}
    for row in rows:
        named = [teams[pk].name for pk in row.teams if pk in teams]
        component = f"{wording.singular(row.type)} {row.name}"
        line = f"{' and '.join(named)} change the same part of {component}: " + ", ".join(
            row.elements[:3]
        )
        for pk in row.teams:
            lines.setdefault(pk, []).append(line)
    for row in rows[:TOLD]:
        named = [teams[pk].name for pk in row.teams if pk in teams]
        audit.record(
            "collision.found",
            repository,
            team=repository.team,
            facts={
                "teams": " and ".join(named),
                "component": f"{wording.singular(row.type)} {row.name}",
            },
        )
    url = notices.absolute("/collisions/")
    for pk, told in lines.items():
        more = f"\n… and {len(told) - TOLD} more" if len(told) > TOLD else ""
        notices.send(
            people.members(teams[pk]),
            f"{teams[pk].name}: {len(told)} new collision{'s' if len(told) > 1 else ''}",
            "\n".join(told[:TOLD]) + more + f"\n\nCompare: {url}",
        )
