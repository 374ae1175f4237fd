"""The Metadata API's operations over SOAP, in all dialects that real clients speak.

The names of elements inside a request differ by client (cancelDeploy carries String or id, retrieve
retrieveRequest or request), so most are read by place, not by name.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from simulator import ids
from simulator.catalogue import archive, registry, retrieval
from simulator.context import Context
from simulator.deploys import intake, options, results, rows
from simulator.packages import contents
from simulator.soap import crud, envelope
from simulator.soap.envelope import SoapFault
from simulator.sure import sure
from simulator.transport.messages import Response
from simulator.xmltree import Element

RETRIEVE_SECONDS = 0.4
RETRIEVE_EACH = 0.004
MAX_LIST_QUERIES = 3
INVALID_SESSION = (
    "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session"
    " hash"
)
Operation = Callable[[Context, Element], Response]


def deploy(context: Context, call: Element) -> Response:
    """Queue a deployment."""
    try:
        content = base64.b64decode("".join(call.value("ZipFile").split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise SoapFault("INVALID_OPERATION", f"ZipFile is no base64: {error}") from error
    wanted = options.from_soap(call.child("DeployOptions"))
    identifier = intake.start(context.world, context.caller, content, wanted, context.version)
    word = "validation" if wanted.check_only else "deploy"
    return envelope.write(
        "deploy",
        {"done": False, "id": identifier, "state": "Queued"},
        effect=f"{word} {identifier} accepted",
    )


def check_deploy_status(context: Context, call: Element) -> Response:
    """Tell where a deployment stands."""
    identifier = call.value("asyncProcessId") or _first(call)
    found = rows.of_id(context.world, context.caller.org.id, identifier)
    if found is None:
        raise SoapFault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    details = call.value("includeDetails").lower() == "true"
    result = results.result(context.world, found, details=details)
    result.setdefault("details", {"runTestResult": None})
    return envelope.write("checkDeployStatus", result)


def cancel_deploy(context: Context, call: Element) -> Response:
    """Ask for a deployment's end; done says that it has ended already."""
    after = intake.cancel(context.world, context.caller, _first(call))
    result = {"done": after.done, "id": after.id}
    return envelope.write("cancelDeploy", result, effect=f"cancel of {after.id} accepted")


def deploy_recent_validation(context: Context, call: Element) -> Response:
    """Queue the deployment of an earlier validation."""
    identifier = intake.quick(context.world, context.caller, _first(call), context.version)
    return envelope.write(
        "deployRecentValidation", identifier, effect=f"quick deploy {identifier} accepted"
    )


def _first(call: Element) -> str:
    return call.children[0].text.strip() if call.children else ""


def retrieve(context: Context, call: Element) -> Response:
    """Take a retrieve; what it answers is collected when it is due."""
    request = call.children[0] if call.children else call
    unpackaged = request.child("unpackaged")
    manifest = archive.manifest_of(unpackaged) if unpackaged else archive.Manifest()
    single = request.value("singlePackage").lower() == "true"
    kept = {
        "types": manifest.types,
        "version": manifest.version or request.value("apiVersion") or context.version,
        "single": single,
        "packages": [entry.text.strip() for entry in request.all("packageNames")],
    }
    world, session = context.world, context.caller
    identifier = world.store.new_id(ids.RETRIEVE)
    members = sum(len(names) for names in manifest.types.values())
    now = world.clock.now()
    world.store.run(
        "insert into retrieve (id, org, request, person, created_at, finish_at)"
        " values (?, ?, ?, ?, ?, ?)",
        identifier,
        session.org.id,
        json.dumps(kept),
        session.person.id,
        now,
        now + world.clock.scaled(RETRIEVE_SECONDS + RETRIEVE_EACH * members),
    )
    return envelope.write(
        "retrieve",
        {"done": False, "id": identifier, "state": "Queued"},
        effect=f"retrieve {identifier} accepted",
    )


def check_retrieve_status(context: Context, call: Element) -> Response:
    """Tell where a retrieve stands, with the zip once it is there."""
    world, org = context.world, context.caller.org
    identifier = call.value("asyncProcessId") or _first(call)
    sql = "select * from retrieve where org = ? and substr(id, 1, 15) = ?"
    row = world.store.row(sql, org.id, identifier[:15])
    if row is None:
        raise SoapFault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row["finish_at"] > world.clock.now():
        waiting = {
            "done": False,
            "id": row["id"],
            "status": "InProgress",
            "success": False,
            "zipFile": None,
        }
        return envelope.write("checkRetrieveStatus", waiting)
    if row["result"] is None:
        _collect(context, row["id"], json.loads(row["request"]))
        row = sure(world.store.row(sql, org.id, identifier[:15]), "retrieves are never deleted")
    result = world.store.get_json(row["result"])
    with_zip = call.value("includeZip").lower() != "false"
    result["zipFile"] = (
        base64.b64encode(world.store.get(row["zip"])).decode() if with_zip and row["zip"] else None
    )
    return envelope.write("checkRetrieveStatus", result)


def check_status(context: Context, call: Element) -> Response:
    """Tell in the form of before API 31.0 where retrieves and deployments stand."""
    world, org = context.world, context.caller.org
    results = []
    for process in call.all("asyncProcessId"):
        identifier = process.text.strip()
        sql = "select id, finish_at from retrieve where org = ? and substr(id, 1, 15) = ?"
        row = world.store.row(sql, org.id, identifier[:15])
        deploy = rows.of_id(world, org.id, identifier)
        if row is None and deploy is None:
            raise SoapFault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        done = deploy.done if deploy else sure(row, "one of both")["finish_at"] <= world.clock.now()
        state = "Completed" if done else "InProgress"
        results.append({"done": done, "id": identifier, "state": state})
    return envelope.write("checkStatus", results)


def _collect(context: Context, identifier: str, request: dict[str, Any]) -> None:
    world, org = context.world, context.caller.org
    found = retrieval.retrieve(
        world, org.id, archive.Manifest(request["types"], request["version"])
    )
    prefix = "" if request["single"] else f"{retrieval.UNPACKAGED}/"
    for entry in found.properties:
        entry["fileName"] = prefix + entry["fileName"]
    messages = [
        {"fileName": f"{prefix}package.xml", "problem": problem} for problem in found.messages
    ]
    files = {prefix + path: data for path, data in found.files.items()}
    alone = request["single"] and not request["types"]
    for name in request["packages"]:
        version = contents.version_named(world, org, name)
        if version is None:
            problem = f"No package named '{name}' found"
            messages.append({"fileName": f"{prefix}package.xml", "problem": problem})
            continue
        place = "" if alone else f"{name}/"
        packed, listed = contents.retrieved(world, version, name, place, request["version"])
        files |= packed
        found.properties.extend(listed)
    result = {
        "done": True,
        "fileProperties": found.properties,
        "id": identifier,
        "messages": messages,
        "status": "Succeeded",
        "success": True,
    }
    content = archive.zip_files(files)
    world.store.run(
        "update retrieve set result = ?, zip = ? where id = ?",
        world.store.put_json(result),
        world.store.put(content),
        identifier,
    )


def list_metadata(context: Context, call: Element) -> Response:
    """List the components of up to three types."""
    queries = call.all("queries")
    if len(queries) > MAX_LIST_QUERIES:
        raise SoapFault("LIMIT_EXCEEDED", "listMetadata accepts at most three queries")
    org = context.caller.org.id
    found: list[dict[str, Any]] = []
    for query in queries:
        kind = query.value("type")
        if not registry.is_known(kind):
            raise SoapFault("INVALID_TYPE", f"INVALID_TYPE: Cannot use: {kind} in this version")
        found += retrieval.listing(context.world, org, kind, query.value("folder"))
    return envelope.write("listMetadata", found)


def describe_metadata(context: Context, call: Element) -> Response:
    """List the types that the org knows."""
    _ = context.caller
    listed = []
    for kind in registry.types().values():
        if kind.folder_of or kind.name == registry.CONTENT:
            continue
        entry: dict[str, Any] = {
            "childXmlNames": [child.name for child in kind.children],
            "directoryName": kind.directory,
            "inFolder": kind.in_folder,
            "metaFile": kind.meta_file,
            "xmlName": kind.name,
        }
        if kind.suffix:
            entry["suffix"] = kind.suffix
        listed.append(entry)
    result = {
        "metadataObjects": listed,
        "organizationNamespace": context.caller.org.options.get("namespace", ""),
        "partialSaveAllowed": context.caller.org.is_sandbox,
        "testRequired": not context.caller.org.is_sandbox,
    }
    return envelope.write("describeMetadata", result)


OPERATIONS: dict[str, tuple[str, Operation]] = {
    "deploy": ("deploy.start", deploy),
    "checkDeployStatus": ("deploy.status", check_deploy_status),
    "cancelDeploy": ("deploy.cancel", cancel_deploy),
    "deployRecentValidation": ("deploy.quick", deploy_recent_validation),
    "retrieve": ("retrieve.start", retrieve),
    "checkRetrieveStatus": ("retrieve.status", check_retrieve_status),
    "checkStatus": ("retrieve.status", check_status),
    "listMetadata": ("metadata.list", list_metadata),
    "describeMetadata": ("metadata.describe", describe_metadata),
    "readMetadata": ("metadata.read", crud.read),
    "createMetadata": ("metadata.create", crud.create),
    "updateMetadata": ("metadata.update", crud.update),
    "upsertMetadata": ("metadata.upsert", crud.upsert),
    "deleteMetadata": ("metadata.delete", crud.delete),
}
