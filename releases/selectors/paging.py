"""Keyset paging of lists, newest first: a page begins after the last row of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

PAGE = 30

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies: below the row ``before``, or above the row ``after``."""

    before: int | None = None
    after: int | None = None

    @classmethod
    def read(cls, before: str = "", after: str = "") -> Place:
        """From a URL; what is no key of a row means the first page."""
        return cls(_key(before), _key(after))


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows of one page, newest first, and the keys that its neighbours begin at."""

    rows: list[M]
    older_before: int | None
    newer_after: int | None

    def __iter__(self) -> Iterator[M]:
        return iter(self.rows)


def page(rows: QuerySet[M], place: Place, size: int = PAGE) -> Page[M]:
    """Cut a queryset by primary key; one query."""
    if place.after is not None:
        found = list(rows.filter(pk__gt=place.after).order_by("pk")[: size + 1])
        shown = found[:size][::-1]
        has_newer, has_older = len(found) > size, True
    else:
        below = rows if place.before is None else rows.filter(pk__lt=place.before)
        found = list(below.order_by("-pk")[: size + 1])
        shown = found[:size]
        has_newer, has_older = place.before is not None, len(found) > size
    if not shown:
        return Page([], None, None)
    older = shown[-1].pk if has_older else None
    return Page(shown, older, shown[0].pk if has_newer else None)


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
