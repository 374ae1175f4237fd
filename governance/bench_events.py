"""Events for the bench of the history: as the product would write them, only faster.

Guards stand aside meanwhile: use it in a scratch database only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings

from core.digests import canonical_json
from governance.models import AuditLink
from governance.rules.chain import link

PER_FETCH = 10_000
LINKS = """
    COPY governance_auditlink (position, event_id, previous, hash) FROM STDIN (FORMAT binary)
"""
START = datetime(2024, 1, 1, tzinfo=UTC)
EVENTS = (
    "release.composed",
    "approval.approved",
    "deployment.started",
    "deployment.failed",
    "step.succeeded",
    "membership.granted",
    "policy.confirmed",
    "environment.holds",
)


def body(number: int, total: int) -> str:
    """Make an event as the product would write it."""
    release, environment, person = number % 5000, number % 30, number % 50 + 1
    event = EVENTS[number % len(EVENTS)]
    spread = timedelta(days=1000) * (number / max(total, 1))
    words = "halfway through everything" if number == total // 2 else "as planned"
    content = {
        "v": 1,
        "event": event,
        "at": START + spread,
        "actor": {"kind": "person", "id": person, "name": f"Person {person}"},
        "origin": {"via": "web", "auth": "totp", "session": f"{number:016x}"},
        "subject": {"kind": "release", "id": release, "ref": f"R-{release}", "label": "a train"},
        "related": [f"R-{release}", f"D-{number % 20000}", f"E-{environment}"],
        "team": None,
        "request": f"{number:032x}",
        "facts": {"environment": f"Environment {environment}", "note": "a fact " * 20},
        "sentence": f"Person {person} moved R-{release} to Environment {environment} {words}",
    }
    return canonical_json(content).decode("utf-8")


def drop_indexes(cursor: Any) -> list[str]:
    """Drop the indexes of the events that are no constraints; return how to make them."""
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " WHERE i.indrelid = 'governance_auditevent'::regclass AND NOT i.indisunique"
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def copy_events(first: int, end: int, total: int) -> None:
    """Copy events with these ids into the table."""
    with (
        psycopg.connect(**parameters()) as raw,
        raw.cursor() as writer,
        writer.copy("COPY governance_auditevent (id, body) FROM STDIN") as copy,
    ):
        for number in range(first, end):
            copy.write_row([number, body(number, total)])


def link_events() -> None:
    """Link what has no link yet, in order of ids, as the chain's own trigger would."""
    last = AuditLink.objects.latest("position")
    position, previous = last.position, bytes(last.hash)
    with (
        psycopg.connect(**parameters()) as reading,
        psycopg.connect(**parameters()) as writing,
        reading.cursor("events", binary=True) as events,
        writing.cursor() as writer,
        writer.copy(LINKS) as copy,
    ):
        copy.set_types(["int8", "int8", "bytea", "bytea"])
        events.itersize = PER_FETCH
        events.execute(
            "SELECT e.id, sha256(convert_to(e.body, 'UTF8')) FROM governance_auditevent e"
            " WHERE NOT EXISTS (SELECT FROM governance_auditlink l WHERE l.event_id = e.id)"
            " ORDER BY e.id"
        )
        for number, digest in events:
            position += 1
            own = link(previous, position, number, digest)
            copy.write_row([position, number, previous, own])
            previous = own


def enable_always(cursor: Any) -> None:
    """Put the guards of the events' table back as the migrations made them."""
    cursor.execute(
        "SELECT tgname FROM pg_trigger"
        " WHERE tgrelid = 'governance_auditevent'::regclass AND NOT tgisinternal"
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER "{name}"')


def parameters() -> dict[str, Any]:
    """Return how psycopg reaches the scratch database."""
    given = settings.DATABASES["default"]
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return {"dbname": given["NAME"], **{key: given[name] for key, name in names.items()}}
