"""The database refuses every move that a state machine does not have, and holds the same tables."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection

from core.machine import Machine
from environments import states as environments
from governance import states as governance
from releases import states as releases
from tests.support.databases import role_connection

TABLES = {
    "release": "releases_release",
    "deployment": "releases_deployment",
    "step": "releases_step",
    "candidate": "releases_candidate",
    "build": "releases_build",
    "approval": "governance_approvalrequest",
    "policy_proposal": "governance_policyproposal",
    "matter": "governance_matter",
    "policy_assignment": "environments_policyassignment",
    "snapshot": "environments_snapshot",
    "sandbox_request": "environments_sandboxrequest",
    "calendar_import": "environments_calendarsource",
    "evidence_pack": "releases_evidencepack",
}
BIRTHS = {"deployment": {"held", "queued"}}
"""Where a row may be born in more states than its model's default."""


def machines() -> dict[str, Machine[Any]]:
    found = [
        each
        for module in (governance, environments, releases)
        for each in vars(module).values()
        if isinstance(each, Machine)
    ]
    return {each.name: each for each in found}


def in_the_database() -> dict[str, tuple[str, set[str], dict[str, set[str]]]]:
    """Per table: how the trigger is switched, births and moves, out of the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgenabled::text, pg_get_triggerdef(oid) "
            "FROM pg_trigger WHERE tgname = 'moves'"
        )
        rows = cursor.fetchall()
    found = {}
    for table, enabled, text in rows:
        births, moves = re.search(  # type: ignore[union-attr]
            r"gatehouse_guard_moves\('([^']*)', '([^']*)'\)", text, re.DOTALL
        ).groups()
        table_of = {old: set(new) for old, new in json.loads(moves).items()}
        found[table] = (enabled, set(births.split()), table_of)
    return found


def test_every_machine_stands_in_the_database_exactly_as_in_python(db: None) -> None:
    known = in_the_database()
    for name, machine in machines().items():
        enabled, births, moves = known[TABLES[name]]
        assert enabled == "A", f"{name}: the replica role would get past"
        assert moves == {str(s): set(map(str, new)) for s, new in machine.moves.items()}, name
        model = next(m for m in apps.get_models() if m._meta.db_table == TABLES[name])
        state: Any = model._meta.get_field("state")
        default = {str(state.get_default())}
        assert births == BIRTHS.get(name, default), name
    assert set(known) == {TABLES[name] for name in machines()}


@pytest.fixture(scope="module")
def owner(django_db_setup: None) -> Iterator[psycopg.Connection[Any]]:
    """The owner's own login, on a scratch table; nothing is kept."""
    with role_connection("owner") as opened:
        yield opened
        opened.rollback()


@pytest.mark.parametrize("name", TABLES)
def test_only_moves_of_the_table_are_taken(owner: psycopg.Connection[Any], name: str) -> None:
    """The trigger on a table of its own, so that no other guard answers in its place."""
    machine = machines()[name]
    moves = json.dumps({str(s): sorted(map(str, new)) for s, new in machine.moves.items()})
    owner.execute("CREATE TEMP TABLE scratch (state text NOT NULL)")
    owner.execute("INSERT INTO scratch VALUES ('to be moved')")
    owner.execute(
        "SELECT gatehouse_make_machine('scratch', %s, %s)", [next(iter(machine.moves)), moves]
    )
    taken = set()
    for old, new in itertools.permutations(machine.moves, 2):
        owner.execute("ALTER TABLE scratch DISABLE TRIGGER moves")
        owner.execute("UPDATE scratch SET state = %s", [old])
        owner.execute("ALTER TABLE scratch ENABLE ALWAYS TRIGGER moves")
        with contextlib.suppress(psycopg.ProgrammingError), owner.transaction():
            owner.execute("UPDATE scratch SET state = %s", [new])
            taken.add((old, new))
    assert taken == {(old, new) for old, found in machine.moves.items() for new in found}
    for state in list(machine.moves)[1:]:
        with pytest.raises(psycopg.Error), owner.transaction():
            owner.execute("INSERT INTO scratch VALUES (%s)", [state])
    owner.rollback()
