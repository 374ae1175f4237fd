"""Records of any object: kept as JSON, read and changed one by one."""

import json
from dataclasses import dataclass
from typing import Any

from simulator import ids
from simulator.store import Row
from simulator.world import World


@dataclass(frozen=True, slots=True)
class Record:
    """One record; fields whose names begin with an underscore are the simulator's own."""

    id: str
    org: str
    sobject: str
    fields: dict[str, Any]
    created_at: float
    modified_at: float
    modified_by: str


def of_kind(world: World, org: str, sobject: str) -> list[Record]:
    """Return an org's records of an object, the oldest first."""
    sql = "select * from record where org = ? and sobject = ? order by created_at, id"
    return [_record(row) for row in world.store.rows(sql, org, sobject)]


def everywhere(world: World, sobject: str) -> list[Record]:
    """Return the records of an object in all orgs."""
    sql = "select * from record where sobject = ? order by created_at, id"
    return [_record(row) for row in world.store.rows(sql, sobject)]


def one(world: World, org: str, sobject: str, identifier: str) -> Record | None:
    """Return a record by its id of either length."""
    sql = "select * from record where org = ? and sobject = ? and substr(id, 1, 15) = ?"
    row = world.store.row(sql, org, sobject, identifier[:15])
    return None if row is None else _record(row)


def add(world: World, org: str, person: str, sobject: str, fields: dict[str, Any]) -> str:
    """Insert a record and return its id."""
    identifier = world.store.new_id(ids.prefix_of(sobject))
    now = world.clock.now()
    world.store.run(
        "insert into record (id, org, sobject, fields, created_at, modified_at, modified_by)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        identifier,
        org,
        sobject,
        json.dumps(fields),
        now,
        now,
        person,
    )
    return identifier


def change(world: World, record: Record, **fields: Any) -> None:
    """Change some fields of a record."""
    world.store.run(
        "update record set fields = ?, modified_at = ? where id = ?",
        json.dumps({**record.fields, **fields}),
        world.clock.now(),
        record.id,
    )


def remove(world: World, record: Record) -> None:
    """Delete a record."""
    world.store.run("delete from record where id = ?", record.id)


def _record(row: Row) -> Record:
    return Record(
        id=row["id"],
        org=row["org"],
        sobject=row["sobject"],
        fields=json.loads(row["fields"]),
        created_at=row["created_at"],
        modified_at=row["modified_at"],
        modified_by=row["modified_by"],
    )
