"""Several calls in one: composite, composite/batch and composite/sobjects."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from simulator.context import Context
from simulator.rest import records
from simulator.transport.messages import Refused, Request, Response, as_json, refusal

Inner = Callable[[Context, Request], Response]
MOST = 25
MOST_RECORDS = 200
_REFERENCE = re.compile(r"@\{(\w+)\.([\w.\[\]]+)\}")


class _Undone(Exception):
    """Rolls everything back."""


def answer(context: Context, inner: Inner) -> Response:
    """Answer POST composite: calls that may name what earlier ones answered, as @{ref.id}."""
    given = records.body(context)
    calls = given.get("compositeRequest") or []
    if len(calls) > MOST:
        raise Refused(400, "LIMIT_EXCEEDED", f"At most {MOST} subrequests are allowed")
    known: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    try:
        with context.world.store.transaction():
            for call in calls:
                entry = json.loads(_REFERENCE.sub(lambda m: _value(known, m), json.dumps(call)))
                answers.append(_composed(context, inner, entry))
                known[str(entry.get("referenceId"))] = answers[-1]["body"]
            failed = [a for a in answers if a["httpStatusCode"] >= 300]
            if failed and given.get("allOrNone"):
                raise _Undone
    except _Undone:
        text = "The transaction was rolled back since another operation in it failed."
        for entry in answers:
            if entry["httpStatusCode"] < 300:
                entry["body"] = [{"errorCode": "PROCESSING_HALTED", "message": text}]
                entry["httpStatusCode"] = 400
    return as_json({"compositeResponse": answers}, effect=f"composite of {len(calls)} calls")


def _composed(context: Context, inner: Inner, call: dict[str, Any]) -> dict[str, Any]:
    response = _call(context, inner, call.get("method"), call.get("url"), call.get("body"))
    return {
        "body": json.loads(response.body) if response.body else None,
        "httpHeaders": {},
        "httpStatusCode": response.status,
        "referenceId": call.get("referenceId"),
    }


def _value(known: dict[str, Any], match: re.Match[str]) -> str:
    found = known.get(match.group(1))
    for step in re.findall(r"\w+", match.group(2)):
        if isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return match.group(0) if found is None else json.dumps(found).strip('"')


def _call(context: Context, inner: Inner, method: object, url: object, body: Any) -> Response:
    parts = urlsplit(str(url))
    path = parts.path
    if not path.startswith("/services/"):
        path = f"/services/data/{path.lstrip('/')}"
    request = Request(
        method=str(method).upper(),
        path=path,
        query=dict(parse_qsl(parts.query)),
        headers=context.request.headers,
        body=b"" if body is None else json.dumps(body).encode(),
    )
    try:
        return inner(context, request)
    except Refused as refused:
        return refusal(refused)


def batch(context: Context, inner: Inner) -> Response:
    """Answer POST composite/batch: calls that know nothing of each other."""
    given = records.body(context)
    results: list[dict[str, Any]] = []
    for call in (given.get("batchRequests") or [])[:MOST]:
        response = _call(context, inner, call.get("method"), call.get("url"), call.get("richInput"))
        body = json.loads(response.body) if response.body else None
        results.append({"statusCode": response.status, "result": body})
        if response.status >= 300 and given.get("haltOnError"):
            break
    failed = any(result["statusCode"] >= 300 for result in results)
    return as_json({"hasErrors": failed, "results": results}, effect=f"batch of {len(results)}")


def sobjects(context: Context, inner: Inner) -> Response:
    """Answer POST and PATCH of composite/sobjects: records of any objects, a result for each."""
    given = records.body(context)
    listed = given.get("records") or []
    if len(listed) > MOST_RECORDS:
        raise Refused(400, "LIMIT_EXCEEDED", f"At most {MOST_RECORDS} records are allowed")
    return _each(context, given, [_saving(context, inner, entry) for entry in listed])


def remove(context: Context, inner: Inner) -> Response:
    """Answer DELETE composite/sobjects?ids=: only objects whose prefix is known."""
    wanted = [i for i in context.request.query.get("ids", "").split(",") if i]
    options = {"allOrNone": context.request.query.get("allOrNone") == "true"}
    calls = [_deleting(context, inner, identifier) for identifier in wanted]
    return _each(context, options, calls)


def _saving(context: Context, inner: Inner, entry: dict[str, Any]) -> Callable[[], Response]:
    kind = str((entry.get("attributes") or {}).get("type", ""))
    fields = {k: v for k, v in entry.items() if k not in ("attributes", "id", "Id")}
    path = f"{_base(context)}/sobjects/{kind}"
    if context.request.method == "PATCH":
        path = f"{path}/{entry.get('id') or entry.get('Id')}"
    return lambda: _call(context, inner, context.request.method, path, fields)


def _deleting(context: Context, inner: Inner, identifier: str) -> Callable[[], Response]:
    row = context.world.store.row(
        "select sobject from record where org = ? and substr(id, 1, 15) = ?",
        context.caller.org.id,
        identifier[:15],
    )
    kind = "Unknown" if row is None else row["sobject"]
    path = f"{_base(context)}/sobjects/{kind}/{identifier}"
    return lambda: _call(context, inner, "DELETE", path, None)


def _base(context: Context) -> str:
    tooling = "/tooling" if "/tooling/" in context.request.path else ""
    return f"{context.base}{tooling}"


def _each(
    context: Context, options: dict[str, Any], calls: list[Callable[[], Response]]
) -> Response:
    results: list[dict[str, Any]] = []
    try:
        with context.world.store.transaction():
            for call in calls:
                results.append(_result(call()))
            if options.get("allOrNone") and not all(r["success"] for r in results):
                raise _Undone
    except _Undone:
        text = "Record rolled back because not all records were valid and allOrNone was set"
        halted = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": text, "fields": []}
        results = [
            {"success": False, "errors": [halted]} if result["success"] else result
            for result in results
        ]
    done = sum(1 for result in results if result["success"])
    return as_json(results, effect=f"{done} records by composite" if done else "")


def _result(response: Response) -> dict[str, Any]:
    body = json.loads(response.body) if response.body else {}
    if response.status < 300:
        identifier = {"id": body["id"]} if "id" in body else {}
        return {**identifier, "success": True, "errors": []}
    errors = [
        {
            "statusCode": entry["errorCode"],
            "message": entry["message"],
            "fields": entry.get("fields", []),
        }
        for entry in body
    ]
    return {"success": False, "errors": errors}
