"""Raw SQL in a role of the product, refused by one guard, and shown to succeed without it.

A guard is a trigger, a constraint or index, or the want of a right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from tests.support.cover import execute, sqlstate
from tests.support.databases import as_role


@dataclass(frozen=True)
class Attack:
    """A statement in a role, the guard that refuses it and the code it answers with."""

    role: str
    statement: str
    table: str
    guard: str
    code: str = "P0R01"


RIGHT = ""
"""The guard is that the role has no right to do it."""
NO_RIGHT = "42501"


def refused_right(role: str, statement: str, table: str) -> Attack:
    """An attack that fails for want of the right alone."""
    return Attack(role, statement, table, RIGHT, NO_RIGHT)


def give(role: str, table: str) -> None:
    """Give a role every right on a table, as the owner could."""
    with as_role("owner"), connection.cursor() as cursor:
        form = sql.SQL("GRANT ALL ON {} TO {}")
        cursor.execute(form.format(sql.Identifier(table), sql.Identifier(f"gatehouse_{role}")))


def drop(table: str, guard: str) -> None:
    """Drop one trigger, constraint or index as the owner; the transaction is rolled back later."""
    connection.check_constraints()  # what waits for the commit would keep the table in use
    with as_role("owner"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'DROP TRIGGER %%I ON %%I' FROM pg_trigger"
            " WHERE tgrelid = %s::regclass AND tgname = %s UNION ALL"
            " SELECT 'ALTER TABLE %%2$I DROP CONSTRAINT %%1$I' FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND conname = %s UNION ALL"
            " SELECT 'DROP INDEX %%I' FROM pg_indexes WHERE tablename = %s AND indexname = %s"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)",
            [table, guard] * 3,
        )
        ((form,),) = cursor.fetchall()
        cursor.execute("SELECT format(%s, %s, %s)", [form, guard, table])
        (statement,) = cursor.fetchone()
        cursor.execute(sql.SQL(statement))


def answer(attack: Attack, *, without_guard: bool = False) -> str:
    """The code that the database answers with, "" for success; nothing is kept."""
    try:
        with transaction.atomic():
            if without_guard and attack.guard == RIGHT:
                give(attack.role, attack.table)
            elif without_guard:
                drop(attack.table, attack.guard)
            met = execute(attack.role, attack.statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return sqlstate(error)
    return "" if met else "no row"


def answers(attacks: Mapping[str, Attack]) -> dict[str, tuple[str, str]]:
    """What every attack is answered with its guard, and without it."""
    return {
        name: (answer(attack), answer(attack, without_guard=True))
        for name, attack in attacks.items()
    }


def expected(attacks: Mapping[str, Attack]) -> dict[str, tuple[str, str]]:
    """Refused by the guard with its code, and by nothing else."""
    return {name: (attack.code, "") for name, attack in attacks.items()}
