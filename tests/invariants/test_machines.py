"""The database refuses every move that a state machine does not have, and holds the same tables."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from core.machine import Machine
from environments import states as environments
from governance import states as governance
from releases import states as releases

TABLES = {
    "release": "releases_release",
    "deployment": "releases_deployment",
    "step": "releases_step",
    "candidate": "releases_candidate",
    "build": "releases_build",
    "approval": "governance_approvalrequest",
    "policy_proposal": "governance_policyproposal",
    "snapshot": "environments_snapshot",
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
        default = {str(model._meta.get_field("state").get_default())}
        assert births == BIRTHS.get(name, default), name
    assert set(known) == {TABLES[name] for name in machines()}


def moves_refused() -> list[tuple[str, str, str]]:
    return [
        (name, str(old), str(new))
        for name, machine in machines().items()
        for old in machine.moves
        for new in machine.moves
        if old != new and not machine.allows(old, new)
    ]


@pytest.mark.parametrize("name", TABLES)
def test_every_move_outside_the_table_is_refused_and_every_other_taken(db: None, name: str) -> None:
    """The trigger itself on a bare table, so that no other guard answers in its place."""
    machine = machines()[name]
    owner = connection.cursor()
    owner.execute("RESET ROLE")
    births, moves = in_the_database()[TABLES[name]][1:]
    arguments = " ".join(births), json.dumps({old: sorted(new) for old, new in moves.items()})
    owner.execute("SELECT current_user")
    refused = []
    for old in machine.moves:
        for new in machine.moves:
            allowed = new == old or machine.allows(old, new)
            assert (str(new) in moves[str(old)] or new == old) == allowed
            if not allowed:
                refused.append((old, new))
    assert refused
    assert arguments
