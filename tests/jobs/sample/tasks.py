"""Handlers that write down in a file that they ran."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from django.db import transaction

from jobs import registry
from jobs.registry import Claim, Next

LEASE_SECONDS = 1.0


def folder() -> Path:
    """Return where the test that started this process reads what happened."""
    return Path(os.environ["SAMPLE_DIR"])


def note(text: str) -> None:
    """Append a line, whole, with the time."""
    with (folder() / "notes").open("a", encoding="utf-8") as notes:
        notes.write(f"{time.time():.6f} {text}\n")


def quick(claim: Claim) -> Next:
    """Run and be done."""
    with transaction.atomic():
        claim.guard()
        note(f"quick {claim.subject_id} {claim.fence}")
    return Next.done()


def slow(claim: Claim) -> Next:
    """Hold a short lease until the test lets go, then try to write under the fence."""
    claim.renew(LEASE_SECONDS)
    note(f"began {claim.subject_id} {claim.fence}")
    release = folder() / f"release-{claim.fence}"
    while not release.exists():
        time.sleep(0.02)
    with transaction.atomic():
        claim.guard()
        note(f"wrote {claim.subject_id} {claim.fence}")
    return Next.done()


def unhurried(claim: Claim) -> Next:
    """Take a second, so that a stop meets it at work."""
    note(f"began {claim.subject_id} {claim.fence}")
    time.sleep(1)
    note(f"ended {claim.subject_id} {claim.fence}")
    return Next.done()


def record(event: str, facts: Mapping[str, object]) -> None:
    """Write events of jobs down, as the history does."""
    note(f"event {event} {facts.get('reason', facts.get('error'))}")


registry.register("sample.quick", "deploy", quick)
registry.register("sample.slow", "deploy", slow)
registry.register("sample.unhurried", "deploy", unhurried)
registry.register("sample.build", "build", quick)
registry.on_security_event(record)
