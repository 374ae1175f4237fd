"""What this app knows about an environment of the app below."""

from __future__ import annotations

from core import ids
from environments.models import Environment


def named(reference: str) -> Environment | None:
    """The environment with a public id such as ``E-7``, or none."""
    parsed = ids.parse_ref(reference)
    if parsed is None or parsed[0] != "E":
        return None
    return Environment.objects.filter(pk=parsed[1]).first()


def production() -> Environment | None:
    """The production environment, once there is one."""
    rows = Environment.objects.filter(
        track__kind="production", stage="PRD", retired_at__isnull=True
    )
    return rows.select_related("track", "policy").first()


def of_team(slug: str, stage: str) -> Environment | None:
    """The live environment of a stage of a team's own track."""
    return Environment.objects.filter(
        track__team__slug=slug, track__kind="developer", stage=stage, retired_at__isnull=True
    ).first()
