"""What the database refuses by itself, tried as each role with plain SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from core.digests import rfc3339
from governance.models import ApprovalRequest, AuditEvent, Decision
from tests.governance.world import DIGEST, OTHER_DIGEST, World, ask, decide
from tests.support.databases import as_role, role_connection

APPEND_ONLY = (
    "governance_auditevent",
    "governance_decision",
    "governance_exclusion",
    "governance_policyversion",
    "governance_unmappedidentity",
    "governance_withdrawal",
)
CHANGES = {
    "update": "UPDATE {table} SET {column} = {column}",
    "update of nothing": "UPDATE {table} SET {column} = {column} WHERE false",
    "delete": "DELETE FROM {table}",
    "delete of nothing": "DELETE FROM {table} WHERE false",
    "truncate": "TRUNCATE {table} CASCADE",
}
NO_RIGHT, GUARDED = "42501", "P0A01"


def column_of(table: str) -> str:
    return "decision_id" if table == "governance_withdrawal" else "id"


@pytest.fixture(scope="module")
def attempts(django_db_setup: None) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    """Real logins of every role; nothing they try is ever committed."""
    roles = ("web", "build", "deploy", "owner")
    opened = {role: role_connection(role) for role in roles}
    yield {role: each.__enter__() for role, each in opened.items()}
    for each in opened.values():
        each.__exit__(None, None, None)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", CHANGES, ids=list(CHANGES))
@pytest.mark.parametrize("role", ["web", "build", "deploy", "owner"])
def test_append_only_tables_refuse_every_role(
    attempts: dict[str, psycopg.Connection[Any]], role: str, change: str, table: str
) -> None:
    statement = CHANGES[change].format(table=table, column=column_of(table))
    login = attempts[role]
    with pytest.raises(psycopg.Error) as caught:
        login.execute(statement)
    login.rollback()
    assert caught.value.sqlstate == (GUARDED if role == "owner" else NO_RIGHT)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_guards_stand_under_the_replica_role(
    attempts: dict[str, psycopg.Connection[Any]], table: str
) -> None:
    rows = attempts["owner"].execute(
        "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass "
        "AND tgname LIKE 'append_only%%'",
        [table],
    )
    assert sorted(rows) == [
        ("append_only_row", "A"),
        ("append_only_statement", "A"),
        ("append_only_truncate", "A"),
    ]
    attempts["owner"].rollback()


FORBIDDEN: dict[str, tuple[str, str]] = {
    "build decides": ("build", "INSERT INTO governance_decision DEFAULT VALUES"),
    "deploy decides": ("deploy", "INSERT INTO governance_decision DEFAULT VALUES"),
    "deploy asks": ("deploy", "INSERT INTO governance_approvalrequest DEFAULT VALUES"),
    "build writes a policy": ("build", "INSERT INTO governance_policyversion DEFAULT VALUES"),
    "deploy gives a role": ("deploy", "INSERT INTO governance_membership DEFAULT VALUES"),
    "build revokes a role": ("build", "UPDATE governance_membership SET revoked_at = now()"),
    "deploy reads passwords": ("deploy", "SELECT hash FROM governance_password"),
    "build reads passwords": ("build", "SELECT * FROM governance_password"),
    "build reads links": ("build", "SELECT * FROM governance_invitation"),
    "deploy reads e-mails": ("deploy", "SELECT text FROM governance_notice"),
    "build reads sessions": ("build", "SELECT * FROM django_session"),
    "web makes a person of a service": ("web", "UPDATE governance_user SET kind = 'person'"),
    "web moves production": ("web", "UPDATE governance_team SET owns_production = true"),
    "web rewrites a question": ("web", "UPDATE governance_approvalrequest SET digest = 'x'"),
    "web rewrites a proposal": ("web", "UPDATE governance_policyproposal SET body = '{}'"),
    "web sets an event's number": (
        "web",
        "INSERT INTO governance_auditevent (id, body) VALUES (1, '{}')",
    ),
    "web sets an event's time": (
        "web",
        "INSERT INTO governance_auditevent (body, recorded_at) VALUES ('{}', now())",
    ),
    "web sets an event's columns": (
        "web",
        "INSERT INTO governance_auditevent (body, sentence) VALUES ('{}', 'Ana approved R-1')",
    ),
    "web sets an event's transaction": (
        "web",
        "INSERT INTO governance_auditevent (body, tx) VALUES ('{}', '1')",
    ),
    "web switches a guard off": (
        "web",
        "ALTER TABLE governance_decision DISABLE TRIGGER ALL",
    ),
    "web becomes a replica": ("web", "SET session_replication_role = replica"),
    "web replaces the clock": (
        "web",
        "CREATE OR REPLACE FUNCTION gatehouse_now() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    "web becomes the owner": ("web", "SET ROLE gatehouse_owner"),
}


@pytest.mark.parametrize("case", FORBIDDEN, ids=list(FORBIDDEN))
def test_a_role_lacks_the_right(attempts: dict[str, psycopg.Connection[Any]], case: str) -> None:
    role, statement = FORBIDDEN[case]
    with pytest.raises(psycopg.Error) as caught:
        attempts[role].execute(statement)
    attempts[role].rollback()
    assert caught.value.sqlstate == NO_RIGHT


def insert_decision(request: ApprovalRequest, person_id: int, **changes: Any) -> None:
    """Put a decision past every service."""
    values = {
        "uuid": "gen_random_uuid()",
        "created_at": "now()",
        "request_id": str(request.pk),
        "person_id": str(person_id),
        "digest": f"'{DIGEST}'",
        "policy_version_id": str(request.policy_version_id),
        "policy_digest": f"'{request.policy_version.digest}'",
        "verdict": "'approve'",
        "comment": "''",
        "role": "'board_member'",
        "decided_at": "now()",
        "auth_strength": "'none'",
    } | changes
    columns, given = ", ".join(values), ", ".join(values.values())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO governance_decision ({columns}) VALUES ({given})")  # noqa: S608


def sqlstate(error: BaseException) -> Any:
    return getattr(error.__cause__, "sqlstate", None)


def test_the_database_takes_a_decision_that_keeps_the_rules(world: World) -> None:
    insert_decision(ask(world), world.ben.pk)
    assert Decision.objects.count() == 1


BY_FORCE: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "of the requester": ("rita", {}, {"role": "'release_manager'"}),
    "of somebody excluded": ("ben", {"exclusions": ["ben"]}, {}),
    "on another digest": ("ben", {}, {"digest": f"'{OTHER_DIGEST}'"}),
    "with a role that the policy does not count": ("ana", {}, {"role": "'admin'"}),
    "with a role that the person does not hold": ("otto", {}, {}),
}


@pytest.mark.parametrize("case", BY_FORCE, ids=list(BY_FORCE))
def test_the_database_refuses_a_decision_by_force(world: World, case: str) -> None:
    name, asked, changes = BY_FORCE[case]
    exclusions = [(world.by_name[n], "wrote it") for n in asked.get("exclusions", [])]
    request = ask(world, exclusions=exclusions)
    with pytest.raises(DatabaseError) as caught:
        insert_decision(request, world.by_name[name].pk, **changes)
    assert sqlstate(caught.value) == "P0G02"


def test_the_database_refuses_the_requester_even_on_the_board(world: World) -> None:
    request = ask(world, requester=world.ana)
    with pytest.raises(DatabaseError) as caught:
        insert_decision(request, world.ana.pk)
    assert sqlstate(caught.value) == "P0G02"


def test_the_database_refuses_a_second_decision_of_one_person(world: World) -> None:
    request = ask(world)
    decide(world.ben, request)
    with pytest.raises(DatabaseError) as caught:
        insert_decision(request, world.ben.pk)
    assert sqlstate(caught.value) == "23505"


def test_the_database_refuses_a_closed_account(world: World) -> None:
    request = ask(world)
    world.ben.is_active = False
    world.ben.save(update_fields=["is_active"])
    with pytest.raises(DatabaseError) as caught:
        insert_decision(request, world.ben.pk)
    assert sqlstate(caught.value) == "P0G02"


@pytest.mark.parametrize("role", ["build", "deploy"])
@pytest.mark.parametrize("state", ["satisfied", "rejected", "withdrawn"])
def test_workers_cannot_decide_by_moving_the_state(world: World, role: str, state: str) -> None:
    request = ask(world)
    with pytest.raises(DatabaseError) as caught, as_role(role), transaction.atomic():
        ApprovalRequest.objects.filter(pk=request.pk).update(
            state=state, closed_at=None if state == "satisfied" else request.expires_at
        )
    assert sqlstate(caught.value) == "P0G01"


@pytest.mark.parametrize("role", ["build", "deploy"])
@pytest.mark.parametrize("state", ["superseded", "expired"])
def test_workers_may_stop_a_request(world: World, role: str, state: str) -> None:
    request = ask(world)
    with as_role(role):
        changed = ApprovalRequest.objects.filter(pk=request.pk).update(
            state=state, closed_at=request.expires_at
        )
    assert changed == 1


def test_a_closed_request_never_opens_again(world: World) -> None:
    request = ask(world)
    decide(world.ben, request, verdict="reject", comment="No.")
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        ApprovalRequest.objects.filter(pk=request.pk).update(state="open", closed_at=None)
    assert sqlstate(caught.value) == "P0G01"


def test_a_request_is_born_open(world: World) -> None:
    request = ask(world)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        ApprovalRequest.objects.create(
            subject_kind="x",
            subject_id=1,
            digest=DIGEST,
            policy_version=world.production,
            requester=world.rita,
            opened_at=request.opened_at,
            expires_at=request.expires_at,
            state="satisfied",
            label="x",
            url="/",
        )
    assert sqlstate(caught.value) == "P0G01"


def test_a_role_of_the_installation_needs_the_team_that_owns_production(world: World) -> None:
    with (
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role, "
            "granted_at) VALUES (gen_random_uuid(), now(), %s, %s, 'board_member', now())",
            [world.nils.pk, world.sales.pk],
        )
    assert sqlstate(caught.value) == "P0G03"


@pytest.mark.parametrize("change", ["revoked_at = NULL", "revoked_at = now()"])
def test_a_revoked_membership_stays_revoked(world: World, change: str) -> None:
    row = world.dev.memberships.get()
    row.revoked_at = row.granted_at
    row.save(update_fields=["revoked_at"])
    with (
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE governance_membership SET {change} WHERE id = %s",  # noqa: S608
            [row.pk],
        )
    assert sqlstate(caught.value) == "P0G03"


def test_only_one_team_owns_production(world: World) -> None:
    with (
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO governance_team (uuid, created_at, slug, name, owns_production) "
            "VALUES (gen_random_uuid(), now(), 'second', 'Second', true)"
        )
    assert sqlstate(caught.value) == "23505"


@pytest.mark.parametrize(
    "body",
    ["{}", "[]", '{"event":"x.y"}', "not json"],
    ids=["empty", "list", "without actor", "no json"],
)
def test_an_event_that_is_not_whole_is_refused(world: World, body: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO governance_auditevent (body) VALUES (%s)", [body])


def test_every_column_of_an_event_is_read_from_its_body(world: World) -> None:
    for event in AuditEvent.objects.order_by("id")[:10]:
        body = json.loads(event.body)
        assert event.event == body["event"]
        assert event.sentence == body["sentence"]
        assert event.subject_ref == body["subject"]["ref"]
        assert event.actor_id == body["actor"]["id"]
        assert event.team == body["team"]
        assert event.related == body["related"]
        assert rfc3339(event.at) == body["at"]
