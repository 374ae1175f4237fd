"""Create, change and delete records: the objects with rules of their own, and plain ones."""

import json
from collections.abc import Callable
from typing import Any

from simulator import ids
from simulator.context import Context
from simulator.packages import install, push
from simulator.rest import store
from simulator.rest.fields import COLUMNS, TOOLING_ONLY
from simulator.rest.select import Table
from simulator.rest.store import Record
from simulator.rest.tables import Tables
from simulator.sandboxes import calls as sandboxes
from simulator.testruns import runs
from simulator.testruns.tables import COLUMNS as TEST_COLUMNS
from simulator.transport.messages import Refused, Response, as_json, not_found

Create = Callable[[Context, dict[str, Any]], Response]
Change = Callable[[Context, Record, dict[str, Any]], Response]
Delete = Callable[[Context, Record], Response]

_CREATE: dict[str, Create] = {
    "SandboxInfo": sandboxes.create,
    "PackagePushRequest": push.create_request,
    "PackagePushJob": push.create_job,
    install.INSTALL: install.create_install,
    install.UNINSTALL: install.create_uninstall,
}
_CHANGE: dict[str, Change] = {
    "SandboxInfo": sandboxes.refresh,
    "SandboxProcess": sandboxes.act,
    "PackagePushRequest": push.change_request,
}
_DELETE: dict[str, Delete] = {"SandboxInfo": sandboxes.delete}
_AUDIT = ("Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById",
          "SystemModstamp", "IsDeleted")  # fmt: skip


def create(context: Context) -> Response:
    """Answer POST sobjects/<name>."""
    return insert(context, context.arguments["sobject"], body(context))


def insert(context: Context, sobject: str, given: dict[str, Any]) -> Response:
    """Insert one record by the rules of its object."""
    table = _table(context, sobject)
    if table.name in _CREATE:
        return _CREATE[table.name](context, _spelt(table, given))
    if not _is_plain(table):
        raise _unsupported(table)
    fields = _fields(table, given)
    identifier = store.add(
        context.world, context.caller.org.id, context.caller.person.id, table.name, fields
    )
    answer = {"id": identifier, "success": True, "errors": []}
    return as_json(answer, 201, effect=f"{table.name} {identifier} created")


def tree(context: Context) -> Response:
    """Answer POST composite/tree/<name>: all records or none, each error under its reference."""
    given = body(context).get("records") or []
    results, errors = [], []
    try:
        with context.world.store.transaction():
            for entry in given:
                reference = str((entry.get("attributes") or {}).get("referenceId", ""))
                fields = {k: v for k, v in entry.items() if k != "attributes"}
                try:
                    answer = insert(context, context.arguments["sobject"], fields)
                except Refused as refused:
                    error = {"statusCode": refused.code, "message": refused.message,
                             "fields": refused.fields or []}  # fmt: skip
                    errors.append({"referenceId": reference, "errors": [error]})
                else:
                    made = json.loads(answer.body)["id"]
                    results.append({"referenceId": reference, "id": made})
            if errors:
                raise _TreeFailed
    except _TreeFailed:
        return as_json({"hasErrors": True, "results": errors}, 400)
    name = context.arguments["sobject"]
    effect = f"{len(results)} {name} created"
    return as_json({"hasErrors": False, "results": results}, 201, effect=effect)


class _TreeFailed(Exception):
    """Rolls a tree back."""


def change(context: Context) -> Response:
    """Answer PATCH sobjects/<name>/<id>."""
    table = _table(context, context.arguments["sobject"])
    given = _spelt(table, body(context))
    if table.name == "ApexTestQueueItem":
        return runs.abort(context, given)
    record = _record(context, table)
    if table.name in _CHANGE:
        return _CHANGE[table.name](context, record, given)
    if not _is_plain(table):
        raise _unsupported(table)
    store.change(context.world, record, **_fields(table, given))
    return Response(204, effect=f"{table.name} {record.id} changed")


def delete(context: Context) -> Response:
    """Answer DELETE sobjects/<name>/<id>."""
    table = _table(context, context.arguments["sobject"])
    record = _record(context, table)
    if table.name in _DELETE:
        return _DELETE[table.name](context, record)
    if not _is_plain(table):
        raise _unsupported(table)
    store.remove(context.world, record)
    return Response(204, effect=f"{table.name} {record.id} deleted")


def _table(context: Context, sobject: str) -> Table:
    tables = Tables(context.world, context.caller.org, tooling="tooling" in context.request.path)
    table = tables.find(sobject)
    if table is None:
        raise not_found()
    return table


def _is_plain(table: Table) -> bool:
    """Say whether an object's records are just kept (the others are made of something else)."""
    known = {*COLUMNS, *TOOLING_ONLY, *TEST_COLUMNS}
    return table.name not in known


def _record(context: Context, table: Table) -> Record:
    identifier = context.arguments["id"]
    record = store.one(context.world, context.caller.org.id, table.name, identifier)
    if record is None:
        message = "invalid cross reference id"
        raise Refused(404, "NOT_FOUND", message)
    return record


def body(context: Context) -> dict[str, Any]:
    """Return the JSON object that a request carries, without its id and attributes."""
    try:
        given = context.request.json()
    except ValueError as error:
        raise Refused(400, "JSON_PARSER_ERROR", f"Unexpected content: {error}") from error
    if not isinstance(given, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "An object is expected")
    return {
        name: value for name, value in given.items() if name.lower() not in ("attributes", "id")
    }


def _spelt(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Spell the names that the object knows canonically; the others stay for its own rules."""
    return {table.column(name) or name: value for name, value in given.items()}


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
