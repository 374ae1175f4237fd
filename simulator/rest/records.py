"""Create, change and delete records: the objects with rules of their own, and plain ones."""

from collections.abc import Callable
from typing import Any

from simulator import ids
from simulator.context import Context
from simulator.rest import store
from simulator.rest.fields import COLUMNS, TOOLING_ONLY
from simulator.rest.select import Table
from simulator.rest.store import Record
from simulator.rest.tables import Tables
from simulator.sandboxes import calls as sandboxes
from simulator.transport.messages import Refused, Response, as_json, not_found

Create = Callable[[Context, dict[str, Any]], Response]
Change = Callable[[Context, Record, dict[str, Any]], Response]
Delete = Callable[[Context, Record], Response]

_CREATE: dict[str, Create] = {"SandboxInfo": sandboxes.create}
_CHANGE: dict[str, Change] = {
    "SandboxInfo": sandboxes.refresh,
    "SandboxProcess": sandboxes.act,
}
_DELETE: dict[str, Delete] = {"SandboxInfo": sandboxes.delete}
_AUDIT = ("Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById",
          "SystemModstamp", "IsDeleted")  # fmt: skip


def create(context: Context) -> Response:
    """Answer POST sobjects/<name>."""
    table, given = _table(context), _body(context)
    if table.name in _CREATE:
        return _CREATE[table.name](context, given)
    if not _is_plain(table):
        raise _unsupported(table)
    fields = _fields(table, given)
    identifier = store.add(
        context.world, context.caller.org.id, context.caller.person.id, table.name, fields
    )
    answer = {"id": identifier, "success": True, "errors": []}
    return as_json(answer, 201, effect=f"{table.name} {identifier} created")


def change(context: Context) -> Response:
    """Answer PATCH sobjects/<name>/<id>."""
    table, given = _table(context), _body(context)
    record = _record(context, table)
    if table.name in _CHANGE:
        return _CHANGE[table.name](context, record, given)
    if not _is_plain(table):
        raise _unsupported(table)
    store.change(context.world, record, **_fields(table, given))
    return Response(204, effect=f"{table.name} {record.id} changed")


def delete(context: Context) -> Response:
    """Answer DELETE sobjects/<name>/<id>."""
    table = _table(context)
    record = _record(context, table)
    if table.name in _DELETE:
        return _DELETE[table.name](context, record)
    if not _is_plain(table):
        raise _unsupported(table)
    store.remove(context.world, record)
    return Response(204, effect=f"{table.name} {record.id} deleted")


def _table(context: Context) -> Table:
    tables = Tables(context.world, context.caller.org, tooling="tooling" in context.request.path)
    table = tables.find(context.arguments["sobject"])
    if table is None:
        raise not_found()
    return table


def _is_plain(table: Table) -> bool:
    """Say whether an object's records are just kept (the others are made of something else)."""
    return table.name not in COLUMNS and table.name not in TOOLING_ONLY


def _record(context: Context, table: Table) -> Record:
    identifier = context.arguments["id"]
    record = store.one(context.world, context.caller.org.id, table.name, identifier)
    if record is None:
        message = "invalid cross reference id"
        raise Refused(404, "NOT_FOUND", message)
    return record


def _body(context: Context) -> dict[str, Any]:
    try:
        given = context.request.json()
    except ValueError as error:
        raise Refused(400, "JSON_PARSER_ERROR", f"Unexpected content: {error}") from error
    if not isinstance(given, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "An object is expected")
    return {name: value for name, value in given.items() if name not in ("attributes", "Id")}


def _fields(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Return the given values in canonical spelling; unknown names are refused."""
    found = {}
    for name, value in given.items():
        column = table.column(name)
        if column is None or column in _AUDIT:
            message = f"No such column '{name}' on sobject of type {table.name}"
            raise Refused(400, "INVALID_FIELD", message, [name])
        if table.columns[column] == "id" and value and not ids.is_valid(str(value)):
            message = f"{column}: id value of incorrect type: {value}"
            raise Refused(400, "MALFORMED_ID", message, [column])
        found[column] = value
    return found


def _unsupported(table: Table) -> Refused:
    message = f"entity type {table.name} does not support this operation"
    return Refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
