"""What build workers do for the canary: keep its artefact, plan its attempt, listen for it."""

from __future__ import annotations

from django.db import transaction

from core import db
from jobs.registry import Claim, Next
from releases.services import canary


def plan(claim: Claim) -> Next:
    """Plan the next attempt."""
    found = canary.environment()
    if found is None or not found.organization_id:
        return Next.done()
    with transaction.atomic():
        claim.guard()
        canary.plan(found)
    return Next.done()


def watch(claim: Claim) -> Next:
    """Alarm when it has been silent for too long."""
    with transaction.atomic():
        claim.guard()
        canary.watch(db.database_now())
    return Next.done()
