"""From public ids to pages.

An app whose entities have pages registers one URL name per prefix; sentences and search then link
ids without knowing the app.
"""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from core import ids

_routes: dict[str, str] = {}


def register_route(prefix: str, url_name: str) -> None:
    """Say which page shows the entities with this prefix; the URL takes ``pk`` as a keyword."""
    if prefix not in ids.PREFIXES:
        raise ValueError(f"{prefix!r} is not a registered prefix")
    if _routes.setdefault(prefix, url_name) != url_name:
        raise ValueError(f"prefix {prefix} already leads to {_routes[prefix]}")


def url_of(reference: str) -> str | None:
    """Return the address of the page of ``R-42``; None when there is no such page."""
    parsed = ids.parse_ref(reference)
    if parsed is None or parsed[0] not in _routes:
        return None
    try:
        return reverse(_routes[parsed[0]], kwargs={"pk": parsed[1]})
    except NoReverseMatch:
        return None
