"""What an environment holds, written by the worker whose write ended."""

from __future__ import annotations

from django.db import transaction

from core import clock
from environments.models import Environment
from environments.states import HoldState
from governance import audit


def record(environment_id: int, digest: str, label: str, ref: str) -> None:
    """Record that an artefact is in the org now: its digest, its word for people, its id."""
    _write(
        environment_id,
        "environment.holds",
        holds_digest=digest,
        holds_label=label,
        holds_ref=ref,
        holds_since=clock.now(),
        hold_state=HoldState.DEPLOYED.value,
        hold_note="",
    )


def record_failure(environment_id: int, note: str) -> None:
    """Record that the last write failed; the org holds what it held before (rollbackOnError)."""
    _write(
        environment_id,
        "environment.write.failed",
        hold_state=HoldState.FAILED.value,
        hold_note=note[:120],
    )


def record_unknown(environment_id: int, note: str) -> None:
    """Record that nobody knows whether the last write happened."""
    _write(
        environment_id,
        "environment.write.unknown",
        hold_state=HoldState.UNKNOWN.value,
        hold_note=note[:120],
    )


@transaction.atomic
def _write(environment_id: int, event: str, **columns: object) -> None:
    environment = (
        Environment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("track__team")
        .get(pk=environment_id)
    )
    for name, value in columns.items():
        setattr(environment, name, value)
    environment.save(update_fields=list(columns))
    audit.record(
        event,
        environment,
        team=environment.team,
        related=[environment.holds_ref] if environment.holds_ref else (),
        facts={
            "label": environment.holds_label,
            "note": environment.hold_note,
            "digest": environment.holds_digest,
            "hold_state": environment.hold_state,
        },
    )
