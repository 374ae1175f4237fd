"""What production got last from a team."""

from __future__ import annotations

from releases.models import Candidate, ReleaseItem
from releases.states import ReleaseState


def last_released(row: Candidate) -> Candidate | None:
    """The team's candidate that production got last before this one."""
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
