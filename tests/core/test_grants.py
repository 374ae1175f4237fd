"""How declarations of rights are read and applied."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connections, transaction
from psycopg import sql

from core import grants
from tests.support import servers
from tests.support.databases import role_connection, worker_database


def written(table: str, declaration: grants.Declaration) -> list[str]:
    """Return the statements of a declaration as text."""
    return [statement.as_string(None) for statement in grants.statements(table, declaration)]


def test_everybody_but_the_ticker_reads_a_table_without_more() -> None:
    assert written("t", {}) == [
        'GRANT SELECT ON TABLE "t" TO "gatehouse_web"',
        'GRANT SELECT ON TABLE "t" TO "gatehouse_build"',
        'GRANT SELECT ON TABLE "t" TO "gatehouse_deploy"',
    ]


def test_select_names_the_only_readers() -> None:
    assert written("t", {"select": ("web",)}) == ['GRANT SELECT ON TABLE "t" TO "gatehouse_web"']


def test_columns_are_quoted() -> None:
    found = written("t", {"select": (), "deploy": "INSERT (a, b), UPDATE (a) , DELETE"})
    assert found == [
        'GRANT INSERT ("a", "b"), UPDATE ("a"), DELETE ON TABLE "t" TO "gatehouse_deploy"'
    ]


@pytest.mark.parametrize(
    "text",
    [
        "ALL",
        "TRUNCATE",
        "INSERT; DROP TABLE t",
        "UPDATE ()",
        "UPDATE (a b)",
        "insert",
        "INSERT UPDATE",
    ],
)
def test_what_is_not_understood_is_refused_with_the_table(text: str) -> None:
    with pytest.raises(grants.GrantInvalid, match=r"^t: "):
        written("t", {"web": text})


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(grants.GrantInvalid, match="unknown role admin"):
        written("t", {"admin": "INSERT"})


def test_sessions_are_out_of_reach_of_workers() -> None:
    """Whoever reads them can become anybody."""
    assert grants.declared()["django_session"]["select"] == ("web",)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_what_is_not_declared_is_taken_away() -> None:
    owner = servers.running().login("gatehouse_owner", worker_database())
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE stray (id int)")
        connection.execute("GRANT ALL ON stray TO gatehouse_web, PUBLIC")
        connection.execute("GRANT DELETE ON jobs_work TO gatehouse_web")
    with transaction.atomic(using="owner"):
        grants.apply(connections["owner"])
    connections["owner"].close()
    with role_connection("web", autocommit=True) as web:
        for query in ("SELECT * FROM stray", "DELETE FROM jobs_work"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(sql.SQL(query))
        assert web.execute("SELECT count(*) FROM jobs_work").fetchone() == (0,)
