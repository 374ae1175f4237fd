"""Decide what candidates of a release fight over; the decision is written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from core import db
from core.errors import InvalidInput, NotAllowed, NotFound, NotNow
from governance.models import Team
from governance.permissions import acting_person, demand
from metadata.merge.conflicts import ALL
from releases.models import ComponentConflict, Resolution
from releases.services import releases
from releases.states import ReleaseState

REASON_AT_MOST = 2_000


@transaction.atomic
def resolve(
    *, release_id: int, conflict_id: int, picks: Mapping[str, str], reason: str
) -> ComponentConflict:
    """Pick a side for everything that is open in one component, and say why.

    ``picks`` maps the digest of each thing fought over to the digest of the content to take, or to
    "all". With the last open conflict of a release decided, it is composed again.
    """
    release = releases.lock(release_id)
    conflict = release.conflicts.filter(pk=conflict_id).first()
    if conflict is None:
        raise NotFound("conflict.none", f"{release.public_id} has no such conflict.")
    demand_say(conflict)
    if conflict.settled_at is not None or release.state != ReleaseState.DRAFT:
        raise NotNow(
            "conflict.settled",
            f"This conflict of {release.public_id} is not open any more. Look at the release "
            "again; to decide otherwise, return it to draft and compose it.",
        )
    why = reason.strip()
    if not why:
        raise InvalidInput(
            "conflict.reason", "Say why, so that others understand it.", field="reason"
        )
    now, person = db.database_now(), acting_person()
    rows = [
        Resolution(
            release=release,
            type=conflict.type,
            name=conflict.name,
            path=element["path"],
            conflict_digest=element["digest"],
            pick=_pick(element, picks),
            told=element["told"],
            taken=taken(element, _pick(element, picks)),
            reason=why[:REASON_AT_MOST],
            made_by=person,
            made_at=now,
        )
        for element in conflict.elements
    ]
    Resolution.objects.bulk_create(rows)
    conflict.settled_at = now
    conflict.save(update_fields=["settled_at"])
    releases.record(
        "conflict.decided",
        release,
        component=f"{conflict.type} {conflict.name}",
        taken="; ".join(dict.fromkeys(row.taken for row in rows)),
        reason=why[:REASON_AT_MOST],
        sides=[[row.conflict_digest, row.pick] for row in rows],
    )
    is_last = not release.conflicts.filter(settled_at__isnull=True).exists()
    if is_last and release.items.filter(removed_at__isnull=True).exists():
        releases.begin_composition(release)
    return conflict


def demand_say(conflict: ComponentConflict) -> None:
    """Raise NotAllowed unless the acting person leads a team of the conflict or all releases."""
    teams: list[Team | None] = [*Team.objects.filter(name__in=conflict.teams).order_by("name")]
    refused: NotAllowed | None = None
    for team in teams or [None]:
        try:
            demand("conflict.decide", team)
        except NotAllowed as refusal:
            refused = refused or refusal
        else:
            return
    if refused is not None:
        raise refused


def taken(element: Mapping[str, Any], pick: str) -> str:
    """Whose content a pick means, in words."""
    if pick == ALL:
        return "what every side says"
    named = [side["who"] for side in element["sides"] if side["pick"] == pick]
    return str(named[0])[:250] if named else ""


def _pick(element: Mapping[str, Any], picks: Mapping[str, str]) -> str:
    pick = picks.get(element["digest"], "")
    known = {side["pick"] for side in element["sides"]}
    if pick not in known and not (pick == ALL and element["takes_all"]):
        raise InvalidInput(
            "conflict.pick",
            f"Pick a side for everything that is open: {element['place'] or 'the component'} is "
            "not decided yet.",
        )
    return pick
