"""Make an evidence pack: one bounded piece of work that tells how far it is.

Nothing it does can be half done: the file gets its name when it is whole, and a worker that
disappears leaves a row from which the next one begins anew.
"""

from __future__ import annotations

import tempfile
import time
from datetime import timedelta

from django.db import transaction

from core import blobs, db
from core.context import current_actor
from core.errors import DomainError
from governance import audit
from governance.services import checkpoints
from jobs.registry import Claim, Next
from jobs.wake import wake
from releases.evidence import pack as packs
from releases.evidence.population import environments_of, selection_of
from releases.models import EvidencePack
from releases.services import observation
from releases.states import PACK, PackState

LEASE = 600
PATIENCE = timedelta(minutes=2)
"""How long a pack waits until the orgs were asked; later it says since when they were not."""
ASK_AGAIN = 2.0
TELL_EVERY = 1.0


class _Teller:
    """Writes progress down about once a second and keeps the claim alive."""

    def __init__(self, claim: Claim, pack: EvidencePack) -> None:
        self._claim, self._pack, self._told = claim, pack, 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if time.monotonic() - self._told < TELL_EVERY:
            return
        self._told = time.monotonic()
        self._claim.renew(LEASE)
        with transaction.atomic():
            self._claim.guard()
            rows = EvidencePack.objects.filter(pk=self._pack.pk)
            rows.update(stage=stage, done=done, total=total)


def make(claim: Claim) -> Next:
    """Write the pack that the claim names; a pack that ended is left alone."""
    pack = EvidencePack.objects.select_related("release", "environment", "requested_by").get(
        pk=claim.subject_id
    )
    if PackState(pack.state) in PACK.terminal:
        return Next.done()
    claim.renew(LEASE)
    if pack.state == PackState.QUEUED:
        with transaction.atomic():
            claim.guard()
            _move(pack, PackState.MAKING, stage="asking the orgs what ran on them")
    if db.database_now() - pack.created_at < PATIENCE and observation.awaited(
        environments_of(selection_of(pack)), pack.created_at
    ):
        return Next.after(ASK_AGAIN)
    try:
        _make(claim, pack)
    except DomainError as fault:
        _failed(claim, pack, fault.message)
    return Next.done()


def _make(claim: Claim, pack: EvidencePack) -> None:
    # A pack ends with a checkpoint that covers it; copies of it go outside by their own work.
    if checkpoints.take() is not None:
        wake(checkpoints.KIND, checkpoints.ON_DEMAND)
    with tempfile.TemporaryFile() as target:
        made = packs.write(pack, target, _Teller(claim, pack), current_actor().name)
        size = target.seek(0, 2)
        claim.renew(LEASE)
        blob = blobs.put_file(target)
    with transaction.atomic():
        claim.guard()
        _move(
            pack,
            PackState.READY,
            stage="",
            blob=blob,
            size=size,
            manifest_digest=made.manifest_digest,
            counts=made.counts,
            finished_at=db.database_now(),
        )
        _record("evidence.made", pack, changes=made.counts["population.csv"], file=f"sha256:{blob}")


@transaction.atomic
def _failed(claim: Claim, pack: EvidencePack, problem: str) -> None:
    claim.guard()
    _move(pack, PackState.FAILED, message=problem, finished_at=db.database_now())
    _record("evidence.failed", pack, problem=problem)


def _move(pack: EvidencePack, state: PackState, **columns: object) -> None:
    PACK.check(PackState(pack.state), state)
    pack.state = state.value
    for name, value in columns.items():
        setattr(pack, name, value)
    pack.save(update_fields=["state", *columns])


def _record(event: str, pack: EvidencePack, **facts: object) -> None:
    related = [pack.release] if pack.release else []
    audit.record(event, pack, related=related, facts={"about": pack.subject, **facts})
