"""The environments that a pack speaks about, and which rules hold there."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from environments.states import Kind, Stage
from releases.evidence.population import Selection, environments_of
from releases.evidence.times import local, utc
from releases.selectors import policies

PLACES = "environments.csv"
HEAD = (
    "environment", "name", "stage", "org", "kind", "policy when the pack was made",
    "added (UTC)", "added (local)", "retired (UTC)", "retired (local)",
)  # fmt: skip
KINDS = {Kind.PRODUCTION: "production", Kind.SANDBOX: "sandbox on the way to production"}


def rows(selection: Selection, zone: ZoneInfo) -> Iterator[tuple[object, ...]]:
    """Every protected environment of the scope, retired ones included."""
    for row in environments_of(selection).order_by("pk"):
        version = policies.in_force(row) if row.retired_at is None else None
        kind = KINDS[Kind(row.kind)]
        if row.stage == Stage.CANARY:
            kind = "no org: asked daily to take what nobody approved, and must refuse"
        policy = f"{version.policy.public_id} v{version.number}" if version else "none: denies all"
        yield (
            row.public_id, row.name, row.stage, row.organization_id, kind,
            policy if row.retired_at is None else "",
            utc(row.created_at), local(row.created_at, zone),
            utc(row.retired_at), local(row.retired_at, zone),
        )  # fmt: skip
