"""What people decided between candidates, and what is still open."""

from __future__ import annotations

from releases.models import Release

Picks = dict[tuple[str, str, str], str]


def picks(release: Release) -> Picks:
    """(type, name, digest of the conflict) → the pick; of several decisions the newest counts."""
    rows = release.resolutions.order_by("pk")
    columns = ("type", "name", "conflict_digest", "pick")
    return {
        (type_name, name, digest): pick
        for type_name, name, digest, pick in rows.values_list(*columns)
    }
