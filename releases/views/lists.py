"""Filters and paging of lists, kept in the URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from releases.selectors import paging

_PLACES = ("before", "after")


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter."""

    label: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Pager:
    """Addresses of the neighbouring pages and of the same list as a file."""

    newer_url: str
    older_url: str
    csv_url: str


def place_of(request: HttpRequest) -> paging.Place:
    """Which page of a list the URL asks for."""
    return paging.Place.read(request.GET.get("before", ""), request.GET.get("after", ""))


def address(request: HttpRequest, **changes: str | int | None) -> str:
    """This list's address with other parameters; empty ones are dropped, paging starts anew."""
    query = request.GET.copy()
    for name in _PLACES:
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in ("", None):
            query[name] = str(value)
    text = query.urlencode()
    return f"?{text}" if text else request.path


def pager(request: HttpRequest, page: paging.Page[Any], csv_path: str = "") -> Pager:
    """Links to newer and older rows; only those that lead somewhere."""
    newer = address(request, after=page.newer_after) if page.newer_after else ""
    older = address(request, before=page.older_before) if page.older_before else ""
    rest = address(request)
    filters = rest if rest.startswith("?") else ""
    return Pager(newer, older, f"{csv_path}{filters}" if csv_path else "")


def chips(
    request: HttpRequest, name: str, options: Iterable[tuple[str, str]], every: str = "All"
) -> list[Chip]:
    """A filter as links, the first of them for no filter."""
    chosen = request.GET.get(name, "")
    found = [Chip(every, address(request, **{name: ""}), not chosen)]
    for value, label in options:
        found.append(Chip(label, address(request, **{name: value}), chosen == value))
    return found


def kept(request: HttpRequest, *names: str) -> list[tuple[str, str]]:
    """Filters that a search form has to carry along."""
    return [(name, request.GET[name]) for name in names if request.GET.get(name)]
