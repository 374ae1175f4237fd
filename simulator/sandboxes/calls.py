"""The Tooling calls on SandboxInfo and SandboxProcess, and sandboxAuth."""

from typing import Any

from simulator.context import Context
from simulator.identity import sessions
from simulator.identity.orgs import first_person
from simulator.rest import store
from simulator.rest.store import Record
from simulator.sandboxes import rules, states
from simulator.sandboxes.copying import child_name
from simulator.transport.messages import Refused, Response, as_json
from simulator.world import SANDBOX_SEPARATOR, Org

_WRITABLE = (
    "SandboxName", "LicenseType", "Description", "AutoActivate", "ApexClassId",
    "ActivationUserGroupId", "TemplateId", "SourceId", "HistoryDays", "CopyChatter",
    "CopyArchivedActivities", "Features",
)  # fmt: skip
_DEFAULTS = {
    "Description": None, "AutoActivate": True, "ApexClassId": None, "ActivationUserGroupId": None,
    "TemplateId": None, "SourceId": None, "HistoryDays": 0, "CopyChatter": False,
    "CopyArchivedActivities": False, "Features": "[]",
}  # fmt: skip


def create(context: Context, given: dict[str, Any]) -> Response:
    """Create a sandbox: its info and the first process."""
    org = _production(context)
    _check_fields(given)
    rules.check_new(context.world, org, given)
    kind = rules.licence_of_new(context.world, org, given)
    fields = {**_DEFAULTS, **given, "LicenseType": kind}
    with context.world.store.transaction():
        person = context.caller.person.id
        identifier = store.add(context.world, org.id, person, "SandboxInfo", fields)
        start_process(context, org, identifier, fields)
        name = fields["SandboxName"]
        context.world.audit(
            org.id, person, "createdSandbox", "Sandboxes", f"Created sandbox {name}"
        )
    answer = {"id": identifier, "success": True, "errors": [], "warnings": [], "infos": []}
    return as_json(answer, 201, effect=f"sandbox {name} requested")


def refresh(context: Context, info: Record, given: dict[str, Any]) -> Response:
    """Refresh a sandbox: any PATCH of its info starts a process."""
    org = _production(context)
    _check_fields(given)
    if str(given.get("SandboxName", info.fields["SandboxName"])) != info.fields["SandboxName"]:
        raise Refused(400, "INVALID_FIELD", "A sandbox keeps its name.", ["SandboxName"])
    merged = {**info.fields, **given}
    merged["LicenseType"] = rules.licence_type(merged["LicenseType"])
    rules.check_content(context.world, org, merged["LicenseType"], merged)
    rules.check_refresh(context.world, org, info)
    name = info.fields["SandboxName"]
    with context.world.store.transaction():
        store.change(context.world, info, **merged)
        start_process(context, org, info.id, merged)
        context.world.audit(
            org.id, context.caller.person.id, "refreshedSandbox", "Sandboxes", f"Refreshed {name}"
        )
    return Response(204, effect=f"sandbox {name} refresh requested")


def start_process(context: Context, org: Org, info_id: str, fields: dict[str, Any]) -> None:
    """Queue the copy of a sandbox."""
    copied = ("SandboxName", "LicenseType", "Description", "AutoActivate", "ApexClassId",
              "ActivationUserGroupId", "TemplateId", "SourceId", "HistoryDays", "CopyChatter",
              "CopyArchivedActivities", "Features")  # fmt: skip
    process = {name: fields.get(name) for name in copied}
    process |= {
        "SandboxInfoId": info_id,
        "Status": states.PENDING,
        "CopyProgress": 0,
        "StartDate": None,
        "EndDate": None,
        "SandboxOrganization": None,
        "RefreshAction": None,
        "ActivatedById": None,
        "ActivatedDate": None,
        "_since": context.world.clock.now(),
    }
    store.add(context.world, org.id, context.caller.person.id, "SandboxProcess", process)
    context.world.wake()


def act(context: Context, process: Record, given: dict[str, Any]) -> Response:
    """Activate or discard a copy that waits for it."""
    action = str(given.get("RefreshAction") or "").upper()
    if set(given) != {"RefreshAction"} or action not in ("ACTIVATE", "DISCARD"):
        raise Refused(400, "INVALID_FIELD", "Only RefreshAction can be set: ACTIVATE or DISCARD.",
                      ["RefreshAction"])  # fmt: skip
    if process.fields["Status"] != states.PENDING_ACTIVATION:
        message = "The sandbox isn't pending activation."
        raise Refused(400, "INVALID_STATUS", message)
    now = context.world.clock.now()
    changes: dict[str, Any] = {"RefreshAction": action, "_since": now}
    changes["Status"] = states.ACTIVATING if action == "ACTIVATE" else states.DISCARDING
    if action == "ACTIVATE":
        changes |= {"ActivatedById": context.caller.person.id, "_activated": now}
    name = process.fields["SandboxName"]
    with context.world.store.transaction():
        store.change(context.world, process, **changes)
        verb = "activated" if action == "ACTIVATE" else "discarded"
        by, text = context.caller.person.id, f"{verb.capitalize()} sandbox {name}"
        context.world.audit(context.caller.org.id, by, f"{verb}Sandbox", "Sandboxes", text)
    context.world.wake()
    return Response(204, effect=f"sandbox {name} {action.lower()}d")


def delete(context: Context, info: Record) -> Response:
    """Delete a sandbox: its org ends at once, its process shows Deleting and then Deleted."""
    org = _production(context)
    name = info.fields["SandboxName"]
    process = rules.newest_process(context.world, org, info.id)
    if process is not None and process.fields["Status"] in states.IN_FLIGHT:
        raise Refused(400, "INVALID_STATUS", f"Sandbox {name} is being processed.")
    with context.world.store.transaction():
        if process is not None:
            now = context.world.clock.now()
            store.change(context.world, process, Status=states.DELETING, _since=now)
        store.remove(context.world, info)
        target = context.world.org_named(child_name(org, name))
        if target is not None:
            sessions.end_all(context.world, target.id)
            context.world.retire(target)
        person = context.caller.person.id
        context.world.audit(
            org.id, person, "deletedSandbox", "Sandboxes", f"Deleted sandbox {name}"
        )
    context.world.wake()
    return Response(204, effect=f"sandbox {name} deleted")


def authorize(context: Context) -> Response:
    """Answer POST tooling/sandboxAuth: a code with which the caller's twin signs in."""
    org = _production(context)
    try:
        given = context.request.json()
        name = str(given["sandboxName"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(400, "JSON_PARSER_ERROR", "sandboxName is needed") from error
    infos = store.of_kind(context.world, org.id, "SandboxInfo")
    info = next((r for r in infos if r.fields["SandboxName"].lower() == name.lower()), None)
    target = context.world.org_named(child_name(org, name))
    process = None if info is None else rules.newest_process(context.world, org, info.id)
    if target is None or process is None or process.fields["Status"] != states.COMPLETED:
        raise Refused(400, "INVALID_STATUS", f"Sandbox {name} is not ready for sign-in.")
    twin = f"{context.caller.person.username}.{name}".lower()
    people = [p for p in context.world.people(target.id) if p.username.lower() == twin]
    person = people[0] if people else first_person(context.world, target)
    client_id = str(given.get("clientId") or "PlatformCLI")
    base = sessions.base_for(context.world, target, context.request)
    answer = {
        "authUserName": person.username,
        "authCode": sessions.issue(context.world, target, person, client_id, sessions.CODE),
        "instanceUrl": base,
        "loginUrl": base,
    }
    return as_json(answer)


def _check_fields(given: dict[str, Any]) -> None:
    unknown = [name for name in given if name not in _WRITABLE]
    if unknown:
        message = f"No such column '{unknown[0]}' on sobject of type SandboxInfo"
        raise Refused(400, "INVALID_FIELD", message, [unknown[0]])


def _production(context: Context) -> Org:
    org = context.caller.org
    if org.is_sandbox or SANDBOX_SEPARATOR in org.name:
        raise Refused(403, "INSUFFICIENT_ACCESS", "Sandboxes are managed in the production org.")
    return org
