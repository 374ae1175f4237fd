"""The chain over the history as the database writes it at commit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from core.context import Actor, acting_as
from governance import audit
from governance.models import AuditCommit, AuditEvent, AuditLink
from tests.support.databases import as_role, role_connection
from tests.support.race import race

ANA = Actor("person", 1, "Ana Lima")
WRITERS = 50
PER_WRITER = 4


def record(number: int = 1) -> int:
    """Write one event in the transaction at hand."""
    subject = audit.Subject("team", number, f"team:{number}", f"Team {number}")
    with acting_as(ANA):
        return audit.record("team.created", subject)


def links() -> list[tuple[int, int, bytes, bytes]]:
    rows = AuditLink.objects.order_by("position").values_list(
        "position", "event_id", "previous", "hash"
    )
    return [(place, event, bytes(before), bytes(own)) for place, event, before, own in rows]


def assert_whole() -> int:
    """Recompute the chain from its definition; return its length."""
    bodies = dict(AuditEvent.objects.values_list("pk", "body"))
    last = bytes(32)
    for place, (position, event, previous, own) in enumerate(links(), start=1):
        assert (position, previous) == (place, last)
        body = sha256(bodies.pop(event).encode()).digest()
        last = sha256(last + place.to_bytes(8, "big") + event.to_bytes(8, "big") + body).digest()
        assert own == last
    assert bodies == {}
    assert not AuditCommit.objects.using("owner").exists()
    return AuditLink.objects.count()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_fifty_parallel_writers_make_one_linear_chain() -> None:
    def writer() -> None:
        for number in range(PER_WRITER):
            with transaction.atomic():
                record(number)
                record(number)

    outcomes = race(*[writer] * WRITERS)
    assert [each.error for each in outcomes if each.error] == []
    assert assert_whole() == WRITERS * PER_WRITER * 2


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize(
    "middle", ["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED", "SELECT 1"]
)
def test_events_before_and_after_set_constraints_are_all_linked(middle: str) -> None:
    with transaction.atomic():
        first = record()
        with connection.cursor() as cursor:
            cursor.execute(middle)
        second = record()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        third = record()
    assert [event for _, event, _, _ in links()] == [first, second, third]
    assert_whole()


def fail_inside() -> None:
    with transaction.atomic():
        record(2)
        raise KeyError("the inner change failed")


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_an_event_of_a_savepoint_that_was_rolled_back_has_no_link() -> None:
    with transaction.atomic():
        first = record(1)
        with pytest.raises(KeyError):
            fail_inside()
        third = record(3)
    assert [event for _, event, _, _ in links()] == [first, third]
    assert_whole()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_order_is_the_order_of_commits_and_positions_have_no_gaps() -> None:
    early = connection.copy()
    with early.cursor() as cursor, acting_as(ANA):
        cursor.execute("BEGIN")
        cursor.execute(EVENT, [body(1)])
        with transaction.atomic():
            late_id = record(2)
        cursor.execute("COMMIT")
    early.close()
    assert links()[0][1] == late_id
    assert assert_whole() == 2


EVENT = "INSERT INTO governance_auditevent (body) VALUES (%s)"


def body(number: int) -> str:
    return (
        f'{{"actor":{{"id":1,"kind":"person","name":"Ana"}},"at":"2026-10-20T15:31:00Z",'
        f'"event":"team.created","sentence":"Ana created {number}",'
        f'"subject":{{"kind":"team","ref":"team:{number}"}}}}'
    )


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_other_isolation_levels_are_refused_by_name(level: str) -> None:
    with role_connection("web") as web:
        web.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        web.execute(EVENT, [body(1)])
        with pytest.raises(psycopg.Error, match=f"not under {level}") as refused:
            web.commit()
    assert refused.value.sqlstate == "P0A02"
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_one_transaction_writes_at_most_ten_thousand_events() -> None:
    many = "INSERT INTO governance_auditevent (body) SELECT %s FROM generate_series(1, 10001)"
    with role_connection("web") as web:
        web.execute(many, [body(1)])
        with pytest.raises(psycopg.Error, match="more than 10000 events") as refused:
            web.commit()
    assert refused.value.sqlstate == "P0A03"
    assert not AuditLink.objects.exists()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_deferred_foreign_key_and_the_chain_never_wait_for_each_other(
    committed_world: Any,
) -> None:
    """With one hop this was a deadlock: A's key check waits for B's row, B waits for the chain."""
    user = committed_world.ana.pk
    add = (
        "INSERT INTO governance_gitidentity (uuid, created_at, email, user_id)"
        " VALUES (gen_random_uuid(), now(), %s, %s)"
    )
    with role_connection("web") as first, role_connection("owner") as second:
        first.execute(EVENT, [body(1)])
        first.execute(add, ["a@example.com", user])
        second.execute("SELECT 1 FROM governance_user WHERE id = %s FOR UPDATE", [user])
        second.execute(EVENT, [body(2)])
        failures = commit_together(first.commit, second.commit)
    assert failures == []
    assert_whole()


def commit_together(*commits: Callable[[], None]) -> list[BaseException]:
    failures: list[BaseException] = []

    def run(commit: Callable[[], None]) -> None:
        try:
            commit()
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(commit,), daemon=True) for commit in commits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()
    return failures


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize("role", ["web", "build", "deploy", "ticker"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO governance_auditlink (position) VALUES (1)",
        "INSERT INTO governance_auditcommit (tx) VALUES (1)",
        "DELETE FROM governance_auditcommit",
        "SELECT governance_chain_hop2()",
        "SELECT governance_record_change()",
        "SELECT governance_watch('governance_team', 'x', array['name'], 'id')",
    ],
    ids=["link", "hop", "drop hop", "call hop 2", "call watch", "make watch"],
)
def test_no_role_writes_links(role: str, statement: str) -> None:
    with role_connection(role) as connected, pytest.raises(psycopg.Error) as refused:
        connected.execute(statement)
    assert refused.value.sqlstate == "42501"


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_every_role_that_records_is_linked() -> None:
    for number, role in enumerate(("web", "build", "deploy"), start=1):
        with as_role(role), transaction.atomic():
            record(number)
    assert assert_whole() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["auditevent", "auditlink", "auditcommit"])
def test_no_commit_reads_a_whole_table_of_the_history(table: str) -> None:
    """A plan made while the tables are small is kept by its connection while they grow."""
    with as_role("owner"), connection.cursor() as cursor:
        record()
        cursor.execute(
            "ANALYZE governance_auditevent, governance_auditlink, governance_auditcommit"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT pg_stat_get_xact_numscans(%s::regclass)", [f"governance_{table}"])
        assert cursor.fetchone() == (0,)
