"""I-34: no table that only grows, and none whose rows others point at, loses or changes a row.

Each statement is tried as the owner, whom no missing right stops: what answers is the guard of that
very table. ``test_i34_append_only`` tries the history as every role and in many ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.databases import role_connection

APPEND_ONLY = (
    "environments_freezelift",
    "governance_auditevent",
    "governance_auditlink",
    "governance_checkpoint",
    "governance_checkpointcopy",
    "governance_decision",
    "governance_exclusion",
    "governance_guardmanifest",
    "governance_installation",
    "governance_policyversion",
    "governance_unmappedidentity",
    "governance_verification",
    "governance_withdrawal",
    "releases_artefact",
    "releases_artefactcomponent",
    "releases_checkresult",
    "releases_dependency",
    "releases_knowntest",
    "releases_releasechange",
    "releases_releasereview",
    "releases_resolution",
    "releases_stepmessage",
)
LASTING = (
    "governance_approvalrequest",
    "governance_policyproposal",
    "releases_breakglass",
    "releases_build",
    "releases_candidate",
    "releases_componentconflict",
    "releases_deployment",
    "releases_evidencepack",
    "releases_release",
    "releases_releaseitem",
    "releases_runbookitem",
    "releases_step",
)
MOVES = (
    "environments_calendarsource",
    "environments_policyassignment",
    "environments_sandboxrequest",
    "environments_snapshot",
    "governance_approvalrequest",
    "governance_matter",
    "governance_policyproposal",
    "releases_build",
    "releases_candidate",
    "releases_deployment",
    "releases_evidencepack",
    "releases_release",
    "releases_step",
)
OWN_WORDS = {
    "environments_freeze": "freeze: it stays in the calendar",
    "environments_sandboxrequest": "sandbox request: it is never removed",
}
OWN_BIRTH = {
    "environments_sandboxrequest": "guard_sandbox_request",
    "environments_snapshot": "guard_snapshot",
    "governance_approvalrequest": "guard_request",
    "governance_matter": "guard_matter",
    "releases_step": "guard_step",
}
"""Guards that say it before, in words of their own."""


@pytest.fixture(scope="module")
def owner(django_db_setup: None) -> Iterator[psycopg.Connection[Any]]:
    """The owner's own login; nothing is kept."""
    with role_connection("owner") as opened:
        yield opened
        opened.rollback()


def refusal(owner: psycopg.Connection[Any], *statements: str) -> tuple[str | None, str | None]:
    """Code and words of what refuses the last of the statements; nothing is kept."""
    *before, last = statements
    try:
        for statement in before:
            owner.execute(statement)
        with pytest.raises(psycopg.Error) as caught:
            owner.execute(last)
        return caught.value.sqlstate, caught.value.diag.message_primary
    finally:
        owner.rollback()


def column_of(owner: psycopg.Connection[Any], table: str) -> str:
    """Any column of a table."""
    form = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1"
    row = owner.execute(form, [table]).fetchone()
    assert row is not None
    return str(row[0])


def test_i34_statements_on_tables_that_only_grow(owner: psycopg.Connection[Any]) -> None:
    for table in APPEND_ONLY:
        column = column_of(owner, table)
        for statement in (
            f"UPDATE {table} SET {column} = {column} WHERE false",  # noqa: S608 - our own names
            f"DELETE FROM {table} WHERE false",  # noqa: S608
            f"TRUNCATE {table} CASCADE",
        ):
            word = statement.partition(" ")[0]
            said = ("P0A01", f"append_only: {word} on {table} is refused")
            assert refusal(owner, statement) == said


def test_i34_rows_of_tables_that_only_grow_whatever_table_is_named(
    owner: psycopg.Connection[Any],
) -> None:
    """A statement that names a parent meets the guards of rows alone, as a replica's does."""
    family = (
        "CREATE TABLE heir (id int)",
        "SELECT gatehouse_make_append_only('heir')",
        "INSERT INTO heir VALUES (1)",
        "CREATE TABLE parent (id int)",
        "ALTER TABLE heir INHERIT parent",
    )
    for statement in ("DELETE FROM parent", "UPDATE parent SET id = 2"):
        word = statement.partition(" ")[0]
        said = ("P0A01", f"append_only: {word} on heir is refused")
        assert refusal(owner, *family, statement) == said
    guarded = owner.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only_row'"
        " AND tgenabled = 'A' AND tgtype = 27 AND tgfoid = 'gatehouse_refuse_change'::regproc"
    )
    assert sorted(row[0] for row in guarded) == list(APPEND_ONLY)
    owner.rollback()


def test_i34_rows_that_others_point_at_last(owner: psycopg.Connection[Any]) -> None:
    for table in LASTING:
        for word, statement in (
            ("DELETE", f"DELETE FROM {table} WHERE false"),  # noqa: S608 - our own names
            ("TRUNCATE", f"TRUNCATE {table} CASCADE"),
        ):
            said = ("P0A01", f"append_only: {word} on {table} is refused")
            assert refusal(owner, statement) == said


@pytest.mark.parametrize("table", OWN_WORDS)
def test_i34_calendar_and_requests_about_sandboxes_stay(
    owner: psycopg.Connection[Any], table: str
) -> None:
    assert refusal(owner, f"TRUNCATE {table} CASCADE") == ("P0E02", OWN_WORDS[table])


@pytest.mark.parametrize("table", MOVES)
def test_i33_nothing_is_born_in_a_state_that_is_no_beginning(
    owner: psycopg.Connection[Any], table: str
) -> None:
    """That the moves are those of Python, and that they are held to, is tried by test_machines."""
    before = [f"DROP TRIGGER {OWN_BIRTH[table]} ON {table}"] if table in OWN_BIRTH else []
    insert = f"INSERT INTO {table} (state) VALUES ('nowhere')"  # noqa: S608 - our own names
    assert refusal(owner, *before, insert) == ("P0S01", f"{table}: born nowhere")
