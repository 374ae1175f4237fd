"""The REST deployRequest resource."""

import json
from email import message_from_bytes
from email.message import Message
from typing import Any

from simulator.context import Context
from simulator.deploys import intake, options, results, rows
from simulator.deploys.rows import Deploy
from simulator.transport.messages import Refused, Response, as_json


def start(context: Context) -> Response:
    """Answer POST deployRequest: a multipart deployment, or JSON for a quick deploy."""
    session = context.caller
    if context.request.header("Content-Type").lower().startswith("application/json"):
        validated = str(_json(context.request.body).get("validatedDeployRequestId", ""))
        identifier = intake.quick(context.world, session, validated, context.version)
        return as_json(
            {"validatedDeployRequestId": validated, "id": identifier, "url": None,
             "deployOptions": None, "deployResult": None},
            201,
            effect=f"quick deploy {identifier} accepted",
        )  # fmt: skip
    content, given = _multipart(context)
    wanted = options.from_json(given.get("deployOptions") or {})
    identifier = intake.start(context.world, session, content, wanted, context.version)
    word = "validation" if wanted.check_only else "deploy"
    return as_json(
        {**_answer(context, _found(context, identifier), details=False), "id": identifier},
        201,
        effect=f"{word} {identifier} accepted",
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Refused(400, "JSON_PARSER_ERROR", f"Unexpected content: {error}") from error
    if not isinstance(value, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "An object is expected")
    return value


def _multipart(context: Context) -> tuple[bytes, dict[str, Any]]:
    """Return the zip and the JSON part; parts are known by content type, names differ by client."""
    content_type = context.request.header("Content-Type")
    if not content_type.lower().startswith("multipart/form-data"):
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"Content type not supported: {content_type}")
    content, given = b"", None
    for part_type, payload in _parts(content_type, context.request.body):
        if part_type == "application/json" or payload[:1] == b"{":
            given = _json(payload)
        elif payload:
            content = payload
    if given is None:
        raise Refused(400, "MULTIPART_ERROR", "The request has no JSON part with deployOptions")
    return content, given


def _parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Return (content type, content) of each part, byte for byte."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if not boundary:
        raise Refused(400, "MULTIPART_ERROR", "The request names no boundary")
    found = []
    for segment in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        if segment.startswith(b"--"):
            break
        head, _, payload = segment.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        found.append((message_from_bytes(head + b"\r\n\r\n").get_content_type(), payload))
    return found


def _found(context: Context, identifier: str) -> Deploy:
    deploy = rows.of_id(context.world, context.caller.org.id, identifier)
    if deploy is None:
        raise Refused(404, "NOT_FOUND", f"invalid cross reference id: {identifier}")
    return deploy


def _answer(context: Context, deploy: Deploy, *, details: bool) -> dict[str, Any]:
    result = results.result(context.world, deploy, details=details)
    base = context.world.base_url(context.caller.org)
    return {
        "id": deploy.id,
        "url": f"{base}{context.base}/metadata/deployRequest/{deploy.id}",
        "deployResult": result,
        "deployOptions": options.to_json(deploy.options),
    }


def status(context: Context) -> Response:
    """Answer GET deployRequest/<id>."""
    details = context.request.query.get("includeDetails", "").lower() == "true"
    deploy = _found(context, context.arguments["id"])
    return as_json(_answer(context, deploy, details=details))


def cancel(context: Context) -> Response:
    """Answer PATCH deployRequest/<id> with the wish for status Canceling."""
    wanted = _json(context.request.body).get("deployResult") or {}
    if str(wanted.get("status", "")) != "Canceling":
        raise Refused(400, "INVALID_OPERATION", "Only the status Canceling can be asked for")
    deploy = _found(context, context.arguments["id"])
    after = intake.cancel(context.world, context.caller, deploy.id)
    return as_json(
        _answer(context, after, details=False), 202, effect=f"cancel of {deploy.id} accepted"
    )
