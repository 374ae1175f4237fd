"""Sandboxes in the Connect REST form (API 66.0): the same things under other addresses and ids."""

from typing import Any

from simulator import ids
from simulator.context import Context
from simulator.rest import store
from simulator.rest.store import Record
from simulator.sandboxes import calls, rules, states
from simulator.transport.messages import Response, as_json, not_found

PREFIX = "07E"


def report(context: Context) -> Response:
    """Answer GET sandbox/reports."""
    infos = store.of_kind(context.world, context.caller.org.id, "SandboxInfo")
    listed = [{"sandbox": _shown(context, info)} for info in infos]
    return as_json({"count": len(listed), "sandboxes": listed})


def one(context: Context) -> Response:
    """Answer GET sandbox/sandboxes/<id>."""
    return as_json(_shown(context, _info(context)))


def activate(context: Context) -> Response:
    """Answer PATCH sandbox/activate/<id>."""
    return calls.act(context, _process(context), {"RefreshAction": "ACTIVATE"})


def discard(context: Context) -> Response:
    """Answer DELETE sandbox/discardsandbox/<id>."""
    return calls.act(context, _process(context), {"RefreshAction": "DISCARD"})


def delete(context: Context) -> Response:
    """Answer DELETE sandbox/deletesandbox/<id>."""
    return calls.delete(context, _info(context))


def _identifier(info: Record) -> str:
    return ids.with_checksum(PREFIX + info.id[3:15])


def _info(context: Context) -> Record:
    wanted = context.arguments["id"]
    for info in store.of_kind(context.world, context.caller.org.id, "SandboxInfo"):
        if ids.same_id(_identifier(info), wanted):
            return info
    raise not_found()


def _process(context: Context) -> Record:
    process = rules.newest_process(context.world, context.caller.org, _info(context).id)
    if process is None:
        raise not_found()
    return process


def _shown(context: Context, info: Record) -> dict[str, Any]:
    process = rules.newest_process(context.world, context.caller.org, info.id)
    status = "" if process is None else process.fields["Status"]
    waits = status == states.PENDING_ACTIVATION
    return {
        "sandboxId": _identifier(info),
        "sandboxName": info.fields["SandboxName"],
        "license": info.fields["LicenseType"],
        "isPendingActivation": waits,
        "canActivate": waits,
        "canDiscard": waits,
        "canDelete": status not in states.IN_FLIGHT,
    }
