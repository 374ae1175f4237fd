"""The board of environments: every track with its orgs, filtered by the page's address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy

from core.decisions import Answer
from environments import selectors
from environments.pages import may_register, open_lanes
from environments.selectors import Lane, Place
from governance.models import User


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter of the board."""

    label: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class BoardPage:
    """Every track with the places that match the filters."""

    groups: tuple[tuple[Lane, tuple[Place, ...]], ...]
    total: int
    tracks: int
    query: str
    show: str
    chips: tuple[Chip, ...]
    keep: tuple[tuple[str, str], ...]
    may_register: Answer
    open_slugs: frozenset[str]
    csv_url: str

    @property
    def is_filtered(self) -> bool:
        """Whether something narrows the list."""
        return bool(self.query or self.show)


def board(user: User, wanted: QueryDict) -> BoardPage:
    """Return the board for the filters of its address."""
    pipeline = selectors.pipeline(user)
    query, show = wanted.get("q", "").strip(), wanted.get("show", "")
    every = [place for lane in pipeline.every for place in lane.filled]
    groups = []
    for lane in pipeline.every:
        places = tuple(
            place for place in lane.places if _shown(place, show) and _matches(lane, place, query)
        )
        if places:
            groups.append((lane, places))
    return BoardPage(
        groups=tuple(groups),
        total=len(every),
        tracks=len(pipeline.every),
        query=query,
        show=show,
        chips=_chips(every, query, show),
        keep=(("show", show),) if show else (),
        may_register=may_register(user),
        open_slugs=frozenset(lane.slug for lane in open_lanes(user, pipeline)),
        csv_url=_address(query, show, "csv"),
    )


SHOWS: dict[str, tuple[Any, Callable[[Place], bool]]] = {
    "": (gettext_lazy("All"), lambda place: True),
    "attention": (gettext_lazy("Needs attention"), lambda place: place.needs_attention),
    "free": (gettext_lazy("Free"), lambda place: place.standing.word == "Free"),
    "protected": (
        gettext_lazy("Protected"),
        lambda place: place.environment is not None and place.environment.protected,
    ),
}


def _shown(place: Place, show: str) -> bool:
    if show not in SHOWS:
        show = ""
    return SHOWS[show][1](place) and (not show or place.environment is not None)


def _matches(lane: Lane, place: Place, query: str) -> bool:
    if not query:
        return True
    if place.environment is None:
        return False
    environment = place.environment
    words = (
        lane.name,
        environment.name,
        environment.stage,
        environment.public_id,
        environment.login_host,
        environment.organization_name,
        environment.organization_id or "",
        environment.holds_label,
    )
    return all(any(part in word.lower() for word in words) for part in query.lower().split())


def _chips(every: list[Place], query: str, show: str) -> tuple[Chip, ...]:
    return tuple(
        Chip(
            f"{label} {sum(1 for place in every if fits(place))}" if name else str(label),
            _address(query, name),
            name == show,
        )
        for name, (label, fits) in SHOWS.items()
    )


def _address(query: str, show: str, form: str = "") -> str:
    given = {"q": query, "show": show, "format": form}
    wanted = QueryDict(mutable=True)
    wanted.update({name: value for name, value in given.items() if value})
    path = reverse("environments:board")
    return f"{path}?{wanted.urlencode()}" if wanted else path


CSV_HEAD = (
    "id",
    "name",
    "track",
    "stage",
    "state",
    "licence",
    "organization_id",
    "organization",
    "protected",
    "holds",
    "holds_since",
    "checked_at",
)


def csv_rows(page: BoardPage) -> Iterator[list[str]]:
    """Yield the rows of the board as a spreadsheet takes them."""
    for lane, places in page.groups:
        for place in places:
            item = place.environment
            if item is None:
                continue
            yield [
                item.public_id,
                item.name,
                lane.name,
                item.stage,
                place.standing.word,
                item.licence,
                item.organization_id or "",
                item.organization_name,
                "yes" if item.protected else "no",
                item.holds_label,
                item.holds_since.isoformat() if item.holds_since else "",
                item.checked_at.isoformat() if item.checked_at else "",
            ]
