"""What production got last from a team."""

from __future__ import annotations

from releases.models import Candidate, ReleaseItem, Repository
from releases.states import ReleaseState


def last_released(row: Candidate | Repository) -> Candidate | None:
    """The team's candidate that production got last: the baseline of everything it works at."""
    item = (
        ReleaseItem.objects.filter(
            candidate__team=row.team,
            removed_at__isnull=True,
            release__state__in=[ReleaseState.DEPLOYED, ReleaseState.CLOSED],
            release__deployed_at__isnull=False,
        )
        .select_related("candidate__artefact")
        .order_by("-release__deployed_at")
        .first()
    )
    return item.candidate if item else None
