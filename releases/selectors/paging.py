"""Keyset paging of lists, newest first: a page begins after the last row of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

PAGE = 30

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows of one page and the key that the next one begins after; ``None`` on the last."""

    rows: list[M]
    next_before: int | None
    is_first: bool

    def __iter__(self) -> Iterator[M]:
        return iter(self.rows)


def page(rows: QuerySet[M], before: str = "", size: int = PAGE) -> Page[M]:
    """Cut a queryset by primary key, newest first; a key that is no number means the first page."""
    key = int(before) if before.isdecimal() and len(before) < 19 else None
    if key is not None:
        rows = rows.filter(pk__lt=key)
    found = list(rows.order_by("-pk")[: size + 1])
    more = len(found) > size
    return Page(found[:size], found[size - 1].pk if more else None, key is None)
