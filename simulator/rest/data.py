"""The REST data resources: versions, limits, query, records."""

import json
from typing import Any

from simulator import ids
from simulator.context import Context
from simulator.rest.select import Selection, Table
from simulator.rest.tables import Tables
from simulator.sure import sure
from simulator.transport.messages import Refused, Response, as_json, not_found
from simulator.world import NEWEST_VERSION, OLDEST_VERSION

BATCH = 2000
_SEASONS = ("Winter", "Spring", "Summer")
_LIMITS = {
    "DailyApiRequests": 100_000, "DailyAsyncApexExecutions": 250_000, "DailyAsyncApexTests": 2_000,
    "DailyBulkV2QueryJobs": 10_000, "DataStorageMB": 5_120, "FileStorageMB": 11_264,
    "DailyMetadataRetrievesWithDependencies": 25, "HourlyDashboardRefreshes": 200,
    "ActiveScratchOrgs": 40, "DailyScratchOrgs": 80, "Package2VersionCreates": 50,
}  # fmt: skip


def versions(context: Context) -> Response:
    """Answer GET /services/data: no session is needed."""
    listed = []
    for number in range(OLDEST_VERSION, NEWEST_VERSION + 1):
        season, year = _SEASONS[(number - 31) % 3], 15 + (number - 32) // 3
        if season == "Winter":
            year += 0
        listed.append(
            {
                "label": f"{_label(number)}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
        )
    return as_json(listed)


def _label(number: int) -> str:
    # 67.0 is Summer '26; there are three releases a year.
    back = NEWEST_VERSION - number
    index = 2 - back % 3
    year = 26 - back // 3
    return f"{_SEASONS[index]} '{year:02d}"


def resources(context: Context) -> Response:
    """Answer GET /services/data/vNN.0."""
    _ = context.caller
    names = (
        "sobjects",
        "query",
        "queryAll",
        "limits",
        "tooling",
        "metadata",
        "composite",
        "chatter",
        "jobs",
    )
    return as_json({name: f"{context.base}/{name}" for name in names})


def limits(context: Context) -> Response:
    """Answer GET limits: what is used is counted from the journal."""
    org = context.caller.org
    row = context.world.store.row(
        "select count(*) as used from journal where org = ? and at > ?",
        org.id,
        context.world.clock.now() - 86400,
    )
    used = 0 if row is None else int(row["used"])
    listed = {name: {"Max": top, "Remaining": top} for name, top in _LIMITS.items()}
    listed["DailyApiRequests"]["Remaining"] = max(0, _LIMITS["DailyApiRequests"] - used)
    return as_json(listed)


def query(context: Context) -> Response:
    """Answer GET query, queryAll and tooling/query."""
    text = context.request.query.get("q")
    if text is None:
        raise Refused(400, "MALFORMED_QUERY", "A query string has to be specified")
    tooling = "tooling" in context.request.path
    tables = Tables(context.world, context.caller.org, tooling=tooling)
    selection = Selection(text, tables.find, context.world.clock.now())
    records, total, grouped, table, parsed = selection.run()
    if context.request.query.get("columns"):
        return as_json(_columns(parsed.fields, table))
    rows = records if grouped is None else grouped
    answer = _page(context, rows, total, tooling=tooling)
    if tooling:
        answer = {"size": len(rows), "entityTypeName": table.name, "queryLocator": None, **answer}
    return as_json(answer)


def _page(
    context: Context, rows: list[dict[str, Any]], total: int, *, tooling: bool
) -> dict[str, Any]:
    text = json.dumps(rows).replace("v{version}", f"v{context.version}")
    listed = json.loads(text)
    size = _batch_size(context)
    if len(listed) <= size:
        return {"totalSize": total, "done": True, "records": listed}
    locator = ids.numbered("01g", context.world.store.next_number("locator"))
    sha = context.world.store.put_json(listed)
    context.world.store.set_setting(f"locator.{locator}", f"{context.caller.org.id} {sha}")
    return _batch(context, locator, listed, 0, tooling=tooling)


def _batch_size(context: Context) -> int:
    """Return how many records a page has: 2,000, or what the client asks for (200 to 2,000)."""
    wanted = context.request.header("Sforce-Query-Options").lower().replace(" ", "")
    number = wanted.partition("batchsize=")[2].partition(",")[0]
    return max(200, min(BATCH, int(number))) if number.isdigit() else BATCH


def _batch(
    context: Context, locator: str, rows: list[dict[str, Any]], start: int, *, tooling: bool
) -> dict[str, Any]:
    end = start + _batch_size(context)
    answer: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows)}
    if end < len(rows):
        base = f"{context.base}/tooling" if tooling else context.base
        answer["nextRecordsUrl"] = f"{base}/query/{locator}-{end}"
    return {**answer, "records": rows[start:end]}


def query_more(context: Context) -> Response:
    """Answer GET query/<locator>-<offset>."""
    locator, _, offset = context.arguments["locator"].rpartition("-")
    org, _, sha = context.world.store.setting(f"locator.{locator}").partition(" ")
    if org != context.caller.org.id or not offset.isdigit():
        raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    rows = context.world.store.get_json(sha)
    tooling = "tooling" in context.request.path
    return as_json(_batch(context, locator, rows, int(offset), tooling=tooling))


def _columns(fields: Any, table: Table) -> dict[str, Any]:
    return {
        "columnMetadata": [
            {
                "aggregate": bool(field.function),
                "columnName": field.path or field.function,
                "displayName": field.path or field.function,
                "joinColumns": [],
                "custom": field.path.endswith("__c"),
                "insertable": False,
                "textType": False,
                "underlyingType": table.columns.get(field.path, "string"),
                "updatable": False,
            }
            for field in fields
        ],
        "entityName": table.name,
        "groupBy": False,
        "idSelected": any(field.path.lower() == "id" for field in fields),
        "keyPrefix": ids.prefix_of(table.name),
    }


def describe_global(context: Context) -> Response:
    """Answer GET sobjects."""
    tables = Tables(context.world, context.caller.org, tooling="tooling" in context.request.path)
    table = sure(tables.find("EntityDefinition"), "every org has EntityDefinition")
    listed = [
        {"name": row["QualifiedApiName"], "custom": row["QualifiedApiName"].endswith("__c"),
         "keyPrefix": ids.prefix_of(row["QualifiedApiName"]), "queryable": True}
        for row in table.rows()
    ]  # fmt: skip
    return as_json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})


def describe(context: Context) -> Response:
    """Answer GET sobjects/<name>/describe."""
    table = _table(context)
    if table.name == "SourceMember" and not tracks_source(context):
        raise not_found()
    listed = [
        {
            "name": name,
            "type": kind,
            "label": name,
            "custom": name.endswith("__c"),
            "nillable": True,
        }
        for name, kind in table.columns.items()
    ]
    return as_json({"name": table.name, "keyPrefix": ids.prefix_of(table.name), "fields": listed,
                    "queryable": True, "retrieveable": True})  # fmt: skip


def tracks_source(context: Context) -> bool:
    """Say whether the org tracks changes: sandboxes that were told to."""
    return bool(context.caller.org.options.get("source_tracking", False))


def read(context: Context) -> Response:
    """Answer GET sobjects/<name>/<id>."""
    table = _table(context)
    wanted = context.arguments["id"]
    row = next((r for r in table.rows() if ids.same_id(str(r.get("Id")), wanted)), None)
    if row is None:
        raise Refused(
            404,
            "NOT_FOUND",
            "Provided external ID field does not exist or is not accessible: " + wanted,
        )
    url = f"{context.base}/sobjects/{table.name}/{row['Id']}"
    values = {name: row.get(name) for name in table.columns}
    return as_json({"attributes": {"type": table.name, "url": url}, **values})


def _table(context: Context) -> Table:
    tables = Tables(context.world, context.caller.org, tooling="tooling" in context.request.path)
    table = tables.find(context.arguments["sobject"])
    if table is None:
        raise not_found()
    return table
