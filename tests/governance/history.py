"""A chained history with a checkpoint outside, and an owner of the database who tampers with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from django.db import transaction

from config.env import Checkpoints
from core import keyring
from core.context import Actor, acting_as
from governance import audit
from governance.rules import chain
from governance.services import checkpoints
from tests.support.databases import as_role, role_connection

ANA = Actor("person", 1, "Ana Lima")
TABLES = ("governance_auditevent", "governance_auditlink", "governance_checkpoint")


@dataclass
class Kept:
    """Where checkpoints lie, and the ids of the events by position (from 1)."""

    directory: Path
    events: list[int]


def record(number: int) -> int:
    """Commit one event."""
    subject = audit.Subject("team", number, f"team:t{number}", f"Team {number}")
    with acting_as(ANA), transaction.atomic():
        return audit.record("team.created", subject)


def configure(settings: Any, directory: Path, **places: Any) -> None:
    """Give this process the keys of the history and a directory outside."""
    public, private = keyring.generate()
    settings.SEALING_PUBLIC_KEYS, settings.SEALING_PRIVATE_KEYS = public, private["build"]
    given = {"email": (), "git_url": "", "git_secret_file": None, "git_known_host": ""} | places
    wanted = Checkpoints(directory=directory, seconds=3600, **given)
    settings.GATEHOUSE = replace(settings.GATEHOUSE, checkpoints=wanted)


def take() -> None:
    """Take a checkpoint and put it outside, as the build worker does."""
    with as_role("build"), acting_as(Actor("worker", None, "build worker")):
        checkpoints.take()
        checkpoints.deliver()


def make(settings: Any, directory: Path, number: int = 12) -> Kept:
    """Write so many events, with a checkpoint in the middle and one at the end."""
    configure(settings, directory)
    events = [record(place) for place in range(number // 2)]
    take()
    events += [record(place) for place in range(number // 2, number)]
    take()
    return Kept(directory, events)


@contextmanager
def tampering() -> Iterator[psycopg.Connection[Any]]:
    """Be an owner who lifts the guards, acts, and puts them back as they were."""
    with role_connection("owner") as owner:
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        # An event without its columns is no event; whoever slips one in lets them be filled.
        owner.execute("ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER read_event")
        yield owner
        owner.commit()
        for table in TABLES:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            names = owner.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
                [table],
            ).fetchall()
            for (name,) in names:
                owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def rebuild(owner: psycopg.Connection[Any]) -> None:
    """Compute the whole chain anew over what the events say now."""
    rows = owner.execute(
        "SELECT l.position, l.event_id, sha256(convert_to(e.body, 'UTF8'))"
        " FROM governance_auditlink l JOIN governance_auditevent e ON e.id = l.event_id"
        " ORDER BY l.position"
    ).fetchall()
    owner.execute("DELETE FROM governance_auditlink")
    last = chain.GENESIS
    for place, (_, event, body) in enumerate(rows, start=1):
        own = chain.link(last, place, event, body)
        owner.execute(
            "INSERT INTO governance_auditlink (position, event_id, previous, hash)"
            " VALUES (%s, %s, %s, %s)",
            [place, event, last, own],
        )
        last = own
