"""What each role may do with rows of work: everybody may wake, only workers may claim."""

from __future__ import annotations

WAKE = "INSERT (kind, subject_id, queue, wake_at), UPDATE (wake_at)"
CLAIM = (
    "INSERT (kind, subject_id, queue, wake_at), "
    "UPDATE (wake_at, queued_until, lease_until, fence, tries, last_error, finished_at)"
)

GRANTS: dict[str, dict[str, str | tuple[str, ...]]] = {
    "jobs_work": {
        "select": ("web", "build", "deploy", "ticker"),
        "web": WAKE,
        "build": CLAIM,
        "deploy": CLAIM,
        "ticker": "INSERT (kind, subject_id, queue, wake_at), UPDATE (wake_at, queued_until)",
    },
}
