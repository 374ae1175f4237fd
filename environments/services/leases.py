"""Leases: an environment in use by one operation now.

The row is the lock (its primary key is the environment), so two workers can never both hold one.
A lease does not expire: an operation whose outcome is unknown keeps its environment until it is
settled. Taking and editing an environment lock the environment's row, so an address cannot change
under an operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from core import clock
from core.errors import Conflict
from environments.models import Environment, Lease


@dataclass(frozen=True, slots=True)
class Holder:
    """Who uses an environment."""

    kind: str
    id: int
    label: str
    since: datetime


@transaction.atomic
def take(
    *, environment_id: int, holder_kind: str, holder_id: int, holder_label: str = ""
) -> Holder:
    """Take the environment, or find that the holder has it already.

    Raises Conflict ``environment.in_use`` naming who has it.
    """
    locked = Environment.objects.select_for_update(no_key=True, of=("self",)).get(pk=environment_id)
    lease, _ = Lease.objects.get_or_create(
        environment_id=environment_id,
        defaults={
            "holder_kind": holder_kind,
            "holder_id": holder_id,
            "label": holder_label or f"{holder_kind} {holder_id}",
            "taken_at": clock.now(),
        },
    )
    if (lease.holder_kind, lease.holder_id) != (holder_kind, holder_id):
        raise Conflict(
            "environment.in_use",
            f"{locked.name} is in use by {lease.label}. Wait until that has ended.",
            holder_kind=lease.holder_kind,
            holder_id=lease.holder_id,
        )
    return _holder(lease)


def release(*, environment_id: int, holder_kind: str, holder_id: int) -> bool:
    """Give the environment back; False when this holder did not have it."""
    removed, _ = Lease.objects.filter(
        environment_id=environment_id, holder_kind=holder_kind, holder_id=holder_id
    ).delete()
    return removed > 0


def holder_of(environment_id: int) -> Holder | None:
    """Return who uses the environment now."""
    lease = Lease.objects.filter(environment_id=environment_id).first()
    return _holder(lease) if lease else None


def _holder(lease: Lease) -> Holder:
    return Holder(lease.holder_kind, lease.holder_id, lease.label, lease.taken_at)
