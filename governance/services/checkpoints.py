"""Signed checkpoints: how long the history is and how it ends, put where the database's owner
cannot reach.

The chain alone shows that a row was altered; whoever owns the database can compute it anew. Only
what lies elsewhere shows that, so a checkpoint counts when its copy outside exists. A build worker
takes one on schedule and on demand; it alone holds the signing key.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from core import clock, db, signing
from core.digests import canonical_json, sha256_text
from core.errors import DomainError
from governance import audit
from governance.checkpoints import places
from governance.checkpoints.places import Place, Record
from governance.models import AuditLink, Checkpoint, CheckpointCopy, GuardManifest, Installation
from governance.permissions import demand
from governance.rules.chain import GENESIS
from jobs import wake

KIND = "governance.checkpoint"
ON_DEMAND, SCHEDULED = 1, 2
"""There is one chain; these are the two rows of its work."""
SIGNED_AS = "gatehouse-checkpoint"
RETRY_DAYS = 30
RETRY_MOST = 50


def request() -> None:
    """Ask a worker for a checkpoint now. Codes: those of the capability ``history.verify``."""
    demand("history.verify")
    with transaction.atomic():
        audit.record("history.checkpoint_asked", subject())
        wake.wake(KIND, ON_DEMAND)


def subject() -> audit.Subject:
    """Return what events about the history itself are about."""
    return audit.Subject("history", 1, "history:chain", "the history")


@transaction.atomic
def take() -> Checkpoint | None:
    """Sign how the chain ends now; None when nothing happened since the last checkpoint.

    Raises NotNow ``signing.no_key`` in a process without the key.
    """
    db.advisory_lock("checkpoint")
    last = Checkpoint.objects.first()
    end = AuditLink.objects.order_by("-position").values_list("position", "hash").first()
    position, hashed = end or (0, GENESIS)
    if last is not None and last.position == position:
        return None
    guards = GuardManifest.objects.values_list("digest", flat=True).first()
    number = last.number + 1 if last else 1
    body = {
        "v": 1,
        "installation": str(Installation.objects.get().uuid),
        "number": number,
        "position": position,
        "count": AuditLink.objects.filter(position__lte=position).count(),
        "hash": bytes(hashed).hex(),
        "guards": guards or "",
        "previous": last.digest if last else "",
        "at": db.database_now(),
    }
    text = canonical_json(body)
    signature = signing.sign(SIGNED_AS, text)
    return Checkpoint.objects.create(
        number=number,
        body=text.decode("utf-8"),
        digest=sha256_text(text),
        signature=signature.value,
        key_id=signature.key_id,
    )


def deliver() -> list[CheckpointCopy]:
    """Put every recent checkpoint where it is still missing; what fails is tried again next time.

    Every try is written down. Runs outside a transaction: places are disks and networks.
    """
    made = []
    for place in places.configured():
        for checkpoint in reversed(_missing_at(place)):
            problem = _put(place, checkpoint)
            with transaction.atomic():
                made.append(_write_down(place, checkpoint, problem))
            if problem:
                break
    return made


def _missing_at(place: Place) -> list[Checkpoint]:
    arrived = CheckpointCopy.objects.filter(checkpoint=OuterRef("pk"), place=place.name, problem="")
    recent = Checkpoint.objects.filter(at__gte=clock.now() - timedelta(days=RETRY_DAYS))
    return list(recent.filter(~Exists(arrived))[:RETRY_MOST])


def _put(place: Place, checkpoint: Checkpoint) -> str:
    try:
        place.put(record_of(checkpoint))
    except DomainError as refusal:
        return refusal.message
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _write_down(place: Place, checkpoint: Checkpoint, problem: str) -> CheckpointCopy:
    before = CheckpointCopy.objects.filter(place=place.name).first()
    if problem and (before is None or not before.problem):
        facts = {"place": place.name, "problem": problem}
        audit.record("history.checkpoint_failed", subject(), facts=facts)
    return CheckpointCopy.objects.create(
        checkpoint=checkpoint, place=place.name, at=clock.now(), problem=problem
    )


def record_of(checkpoint: Checkpoint) -> Record:
    """Return a checkpoint as it is written outside."""
    return Record(
        number=checkpoint.number,
        body=checkpoint.body,
        signature=bytes(checkpoint.signature),
        key_id=checkpoint.key_id,
    )


def records(checkpoints: Iterable[Checkpoint]) -> list[str]:
    """Return checkpoints as lines of ``checkpoints.jsonl``."""
    return [record_of(each).line() for each in checkpoints]
