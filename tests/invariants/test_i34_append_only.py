"""I-34 Events are append-only: UPDATE, DELETE and TRUNCATE are refused for web, build and deploy by
grants and by triggers that no session setting can switch off; as owner possible and detected.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from governance.services import verifying
from tests.governance import history
from tests.support import servers
from tests.support.databases import role_connection, worker_database

TABLES = (
    "governance_auditevent",
    "governance_auditlink",
    "governance_checkpoint",
    "governance_checkpointcopy",
    "governance_verification",
    "governance_guardmanifest",
    "governance_installation",
    "governance_decision",
    "governance_policyversion",
)
REFUSED = {"42501", "P0A01", "0A000"}
ROLES = ("web", "build", "deploy", "ticker")
ATTEMPTS = {
    "update": "UPDATE {table} SET ctid = ctid",
    "update a column": "UPDATE {table} SET {column} = {column}",
    "update of nothing": "UPDATE {table} SET {column} = {column} WHERE false",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table} CASCADE",
    "disable triggers": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "drop a trigger": "DROP TRIGGER append_only_row ON {table}",
    "drop the table": "DROP TABLE {table} CASCADE",
    "rewrite by type": "ALTER TABLE {table} ALTER COLUMN {column} TYPE text USING 'x'",
    "rule": "CREATE RULE quiet AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "own trigger": (
        "CREATE TRIGGER own BEFORE INSERT ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION gatehouse_refuse_change()"
    ),
    "replica": "SET session_replication_role = replica",
    "owner": "SET ROLE gatehouse_owner",
    "function": (
        "CREATE OR REPLACE FUNCTION gatehouse_refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS 'begin return new; end'"
    ),
    "shadow": "CREATE TEMP TABLE shadow (id bigint)",
    "own id": "INSERT INTO governance_auditevent (id, body) VALUES (1, '{{}}')",
    "own time": "INSERT INTO governance_auditevent (body, recorded_at) VALUES ('{{}}', now())",
    "own transaction": "INSERT INTO governance_auditevent (body, tx) VALUES ('{{}}', '1')",
}


def column_of(table: str) -> str:
    return {
        "governance_auditlink": "position",
        "governance_checkpoint": "number",
    }.get(table, "id")


@pytest.fixture(scope="module")
def logins(django_db_setup: None) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    """Real logins; nothing they try is ever committed."""
    opened = {role: role_connection(role) for role in (*ROLES, "owner")}
    yield {role: each.__enter__() for role, each in opened.items()}
    for each in opened.values():
        each.__exit__(None, None, None)


@pytest.mark.parametrize("role", ROLES)
def test_i34_no_process_changes_what_was_written(
    logins: dict[str, psycopg.Connection[Any]], role: str
) -> None:
    passed = []
    for table in TABLES:
        for name, attempt in ATTEMPTS.items():
            state = tried(logins[role], attempt.format(table=table, column=column_of(table)))
            if state not in REFUSED:
                passed.append(f"{name} on {table}: {state}")
    assert passed == []


def tried(login: psycopg.Connection[Any], statement: str) -> str | None:
    """Return the code of the refusal, or None when it went through."""
    try:
        login.execute(statement)
    except psycopg.Error as refused:
        return refused.sqlstate
    finally:
        login.rollback()
    return None


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("attempt", ["update a column", "update of nothing", "delete", "truncate"])
def test_i34_the_owner_is_refused_by_triggers(
    logins: dict[str, psycopg.Connection[Any]], table: str, attempt: str
) -> None:
    statement = ATTEMPTS[attempt].format(table=table, column=column_of(table))
    try:
        with pytest.raises(psycopg.Error) as refused:
            logins["owner"].execute(statement)
        assert refused.value.sqlstate == "P0A01"
    finally:
        logins["owner"].rollback()


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize("table", TABLES)
def test_i34_a_superuser_s_replica_session_is_refused_too(table: str) -> None:
    address = servers.running().superuser.rpartition("/")[0] + f"/{worker_database()}"
    with psycopg.connect(address) as superuser:
        superuser.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error) as refused:
            superuser.execute(ATTEMPTS["delete"].format(table=table))
        assert refused.value.sqlstate == "P0A01"
        superuser.rollback()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_i34_an_owner_who_lifts_the_guards_is_found_by_the_checkpoint_outside(
    settings: Any, tmp_path: Path
) -> None:
    kept = history.make(settings, tmp_path / "outside", number=4)
    with history.tampering() as owner:
        owner.execute("UPDATE governance_auditevent SET body = replace(body, 'Ana', 'Eve')")
        history.rebuild(owner)
        owner.execute("ALTER TABLE governance_checkpointcopy DISABLE TRIGGER USER")
        owner.execute("DELETE FROM governance_checkpointcopy")
        owner.execute("DELETE FROM governance_checkpoint")
    found = verifying.verify(outside=kept.directory).problems
    assert any("signed another hash for this position" in text for text in found)
