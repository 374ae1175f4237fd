"""Every table is watched for changes past the application, or says here why it is not."""

from __future__ import annotations

import pytest
from django.db import connection

from core import grants

CHAIN = "is itself the history, or sealed by it: append-only, and read by every verification"
EVENT = "append-only, and its rows are made by an event that names them"
SEEN = "what a worker saw; it decides nothing that people are not asked about"
WARNS = "computed anew from repositories and releases; it warns people and decides nothing"
QUEUE = "moves all the time and carries no authority: who claims asks the gate"
LISTED = "read by nobody but the framework, which grants nobody anything in it"
NOT_WATCHED = {
    "auth_group": LISTED,
    "auth_group_permissions": LISTED,
    "auth_permission": LISTED,
    "django_content_type": LISTED,
    "django_migrations": LISTED,
    "django_session": "web's own, and changes with every page; who signed in is an event",
    "environments_lease": "taken and given back at every step; it only ever holds work up",
    "environments_maintenance": "imported; it only ever holds work up",
    "environments_sandboxreading": SEEN,
    "environments_snapshot": "settled ones never change, and comparing them finds a false one",
    "governance_auditcommit": CHAIN,
    "governance_auditevent": CHAIN,
    "governance_auditlink": CHAIN,
    "governance_checkpoint": CHAIN,
    "governance_checkpointcopy": CHAIN,
    "governance_guardmanifest": CHAIN,
    "governance_installation": CHAIN,
    "governance_invitation": "a link by mail: what is done with it is an event of the person",
    "governance_notice": "outgoing mail; it decides nothing",
    "governance_recoverycode": "used, renewed and dropped with an event of the person",
    "governance_signinfailure": "counts wrong passwords and is emptied by time",
    "governance_verification": CHAIN,
    "jobs_work": QUEUE,
    "releases_artefact": EVENT,
    "releases_artefactcomponent": EVENT,
    "releases_auditsample": EVENT,
    "releases_build": "its moves are events; what production carries is tested there again",
    "releases_change": SEEN,
    "releases_changecommit": SEEN,
    "releases_collision": WARNS,
    "releases_collisionside": WARNS,
    "releases_commit": SEEN,
    "releases_dependency": SEEN,
    "releases_evidencepack": "a file with its own manifest and verifier",
    "releases_gitref": SEEN,
    "releases_knowntest": EVENT,
    "releases_orgdeployment": SEEN,
    "releases_orgobservation": SEEN,
    "releases_releasechange": EVENT,
    "releases_teamwork": WARNS,
    "releases_touchedcomponent": WARNS,
    "releases_stepmessage": "append-only: what the org said to one step",
    "releases_webhookdelivery": "remembers ids, so that nothing is delivered twice",
}


@pytest.fixture
def watched(db: None) -> dict[str, set[str]]:
    """The watching triggers of every table; a trigger that is not ALWAYS does not count."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(t.tgname) FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE p.proname = 'governance_record_change' AND t.tgenabled = 'A' GROUP BY 1"
        )
        return {table: set(names) for table, names in cursor.fetchall()}


def test_i33_every_table_is_watched_or_says_why_not(watched: dict[str, set[str]]) -> None:
    assert set(grants.declared()) - set(watched) == set(NOT_WATCHED)
    assert all(
        names >= {"watch_insert", "watch_update", "watch_delete"} for names in watched.values()
    )
