"""Reviews of releases that ran, and whether one can be written."""

from __future__ import annotations

from environments.states import Stage
from releases.models import Release, ReleaseReview
from releases.states import Purpose


def of(release: Release) -> list[ReleaseReview]:
    """Every review of a release, the first one first; one query."""
    rows = ReleaseReview.objects.filter(release=release)
    return list(rows.select_related("reviewed_by").order_by("pk"))


def is_due(release: Release) -> bool:
    """Whether production has the release, or an attempt to bring it there has ended otherwise."""
    if release.deployed_at is not None:
        return True
    ended = release.deployments.filter(
        purpose=Purpose.RELEASE, environment__stage=Stage.PRD, started_at__isnull=False
    )
    return ended.filter(finished_at__isnull=False).exists()
