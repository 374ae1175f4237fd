"""Rows of the tables that guards stand on, and what which guard answers to raw SQL about them."""

from __future__ import annotations

import re
from typing import Any

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from tests.support.attacks import give
from tests.support.company import Company
from tests.support.cover import execute
from tests.support.databases import as_role

_FILL = """
    SELECT a.attname, coalesce(
        (SELECT format('(SELECT min(id) FROM %%s)', k.confrelid::regclass) FROM pg_constraint k
         WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]),
        CASE WHEN t.typcategory = 'A' THEN quote_literal('{}') || '::' || t.oid::regtype
             ELSE '{"bool": "false", "int2": "1", "int4": "1", "int8": "1",
                    "jsonb": "''{}''", "timestamptz": "gatehouse_now()",
                    "uuid": "gen_random_uuid()"}'::jsonb ->> t.typname END, quote_literal(''))
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
"""
_OTHER = """
    SELECT a.attname, CASE
        WHEN t.typcategory = 'A' THEN format('%%I || %%I', a.attname, a.attname)
        WHEN t.typname = 'bool' THEN format('%%I IS NOT TRUE', a.attname)
        WHEN t.typname = 'jsonb' THEN quote_literal('["other"]')
        WHEN t.typname = 'uuid' THEN 'gen_random_uuid()'
        WHEN t.typname IN ('timestamptz', 'date')
            THEN format('coalesce(%%I + interval ''1 day'', now())', a.attname)
        WHEN t.typcategory = 'N' THEN format('coalesce(%%I, 0) + 1', a.attname)
        ELSE format('CASE %%I WHEN ''x'' THEN ''y'' ELSE ''x'' END', a.attname) END
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""


def fill(table: str, **given: str) -> int:
    """Insert a row as owner, with SQL expressions for some columns; returns its id."""
    with as_role("owner"), connection.cursor() as cursor:
        cursor.execute(_FILL, [table])
        values = {**dict(cursor.fetchall()), **given}
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.SQL, values.values())),
            )
        )
        return int(cursor.fetchone()[0])


def others(table: str) -> dict[str, str]:
    """Per column of a table an expression that is another value than the one that stands."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHER, [table])
        return dict(cursor.fetchall())


def answer(role: str, statement: str, *values: Any) -> str:
    """Code, function and words of the guard that refuses; what happened else. Nothing is kept."""
    try:
        with transaction.atomic():
            met = execute(role, statement, *values)
            transaction.set_rollback(True)
    except DatabaseError as error:
        told = error.__cause__.diag  # type: ignore[union-attr]
        by = re.match(r"PL/pgSQL function (?:public\.)?(\w+)\(", told.context or "")
        return f"{told.sqlstate} {by[1] if by else '-'}: {told.message_primary}"
    return "done" if met else "no row"


def answer_with_rights(table: str, statement: str, *values: Any) -> str:
    """The same as web, were its rights on the table not narrow: what then still refuses."""
    with transaction.atomic():
        give("web", table)
        told = answer("web", statement, *values)
        transaction.set_rollback(True)
    return told


def person(company: Company, name: str) -> str:
    """A person's id, to stand in SQL."""
    return str(company.people[name].pk)


def rows(company: Company) -> dict[str, int]:
    """A row in every guarded table that the company leaves empty; the ids."""
    assert company.policy_version is not None
    service = fill("governance_user", email="'ci@x.example'", kind="'service'", is_active="true")
    asker, board, deputy = (person(company, name) for name in ("marek", "ana", "tomas"))
    begins = "now() + interval '5 days'"
    return {
        "environments_calendarsource": fill(
            "environments_calendarsource", name="'Trust'", state="'requested'"
        ),
        "environments_freeze": fill(
            "environments_freeze", kind="'freeze'", scope="'protected'", source="'person'",
            starts_at=begins, ends_at=f"{begins} + interval '1 day'", name="'Year end'",
        ),
        "environments_policyassignment": fill(
            "environments_policyassignment", track_kind="'production'", stage="'PRD'",
            state="'asked'",
        ),
        "environments_sandboxrequest": fill(
            "environments_sandboxrequest", action="'create'", name="'dev1'", start="'now'",
            state="'asked'", digest="'sha256:' || repeat('0', 64)", requested_by_id=asker,
            progress="0",
            environment_id=str(company.orgs["Sales CI"].pk),
        ),
        "governance_apitoken": fill(
            "governance_apitoken", user_id=str(service), scopes="'{checks}'", team_ids="'{1}'",
            expires_at="now() + interval '9 days'",
        ),
        "governance_delegation": fill(
            "governance_delegation", delegator_id=board, deputy_id=deputy,
            role="'board_member'", ends_at="now() + interval '9 days'",
        ),
        "governance_gitidentity": fill("governance_gitidentity", email="'l@home.example'"),
        "governance_matter": fill(
            "governance_matter", kind="'seat.grant'", role="'board_member'", state="'asked'",
            asked_by_id=asker, user_id=person(company, "lena"),
        ),
        "releases_breakglass": fill(
            "releases_breakglass", reason="'Down'", incident="'INC-1'", asked_by_id=asker,
        ),
        "releases_runbookitem": fill("releases_runbookitem", phase="'before'", text="'Back up'"),
    }  # fmt: skip


Cases = dict[str, tuple[list[str], str, str, str]]
"""Name → what the owner did before, the role, the statement, what answers."""


def said(cases: Cases) -> tuple[dict[str, str], dict[str, str]]:
    """What answers in every case, and what is expected to."""
    return (
        {name: after(*case[:3]) for name, case in cases.items()},
        {name: case[3] for name, case in cases.items()},
    )


def after(scenery: list[str], role: str, statement: str) -> str:
    """The answer to a statement after what the owner did before it. Nothing is kept."""
    with transaction.atomic():
        for step in scenery:
            execute("owner", step)
        told = answer(role, statement)
        transaction.set_rollback(True)
    return told
