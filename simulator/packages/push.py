"""Push upgrades: requests, one job per subscriber, their states over time and their errors.

Created → Pending (the go) → In Progress → Succeeded or Failed; Canceled only before In Progress
(Packaging guide, "Schedule Push Upgrades Using the API"). Org keys compare by 15 characters.
"""

from typing import Any

from simulator import ids
from simulator.clock import parse_time, rest_time
from simulator.context import Context
from simulator.identity.orgs import first_person
from simulator.packages import install
from simulator.rest import store
from simulator.rest.store import Record
from simulator.transport.messages import Refused, Response, as_json
from simulator.world import World

CREATED = "Created"
PENDING = "Pending"
RUNNING = "In Progress"
SUCCEEDED = "Succeeded"
FAILED = "Failed"
CANCELED = "Canceled"
JOB_SECONDS = 4.0
ERROR_TYPES = ("ApexTestFailure", "DeployError", "FeatureMissing", "IneligibleUpgrade",
               "LimitExceeded", "LockingFailure", "PACError", "UnclassifiedError")  # fmt: skip


def create_request(context: Context, given: dict[str, Any]) -> Response:
    """Insert a PackagePushRequest for a released version."""
    version = _version(context, str(given.get("PackageVersionId") or ""))
    if version.fields["ReleaseState"] != "Released" or version.fields["IsDeprecated"]:
        raise Refused(400, "INVALID_OPERATION", "Only a released version that is not deprecated"
                      " can be pushed", ["PackageVersionId"])  # fmt: skip
    scheduled = given.get("ScheduledStartTime")
    if scheduled is not None:
        _moment(str(scheduled))
    if str(given.get("Status") or CREATED) != CREATED:
        raise Refused(400, "INVALID_STATUS", "A push request begins as Created", ["Status"])
    fields = {
        "PackageVersionId": version.id, "ScheduledStartTime": scheduled, "StartTime": None,
        "EndTime": None, "DurationSeconds": None, "Status": CREATED, "IsMigration": False,
    }  # fmt: skip
    return _made(context, "PackagePushRequest", fields)


def create_job(context: Context, given: dict[str, Any]) -> Response:
    """Insert a PackagePushJob: one subscriber of a request that has not begun."""
    return _made(context, "PackagePushJob", job_fields(context, given))


def job_fields(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Check a job and return its fields."""
    request = store.one(
        context.world,
        context.caller.org.id,
        "PackagePushRequest",
        str(given.get("PackagePushRequestId") or ""),
    )
    if request is None:
        raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id",
                      ["PackagePushRequestId"])  # fmt: skip
    if request.fields["Status"] != CREATED:
        raise Refused(400, "INVALID_OPERATION", "The push request has been started already")
    key = str(given.get("SubscriberOrganizationKey") or "")[:15]
    subscriber = _subscriber(context.world, request, key)
    if subscriber is None or subscriber.fields["OrgStatus"] == "Inactive":
        raise Refused(400, "INVALID_OPERATION", f"The org {key} is no subscriber that can be"
                      " upgraded", ["SubscriberOrganizationKey"])  # fmt: skip
    if not _is_upgrade(context.world, request, subscriber):
        raise Refused(400, "INVALID_OPERATION", f"The org {key} has this version or a later one",
                      ["SubscriberOrganizationKey"])  # fmt: skip
    if any(job.fields["SubscriberOrganizationKey"] == key for job in _jobs(context.world, request)):
        raise Refused(400, "DUPLICATE_VALUE", f"The org {key} is in this push request already",
                      ["SubscriberOrganizationKey"])  # fmt: skip
    return {
        "PackagePushRequestId": request.id, "SubscriberOrganizationKey": key, "Status": CREATED,
        "StartTime": None, "EndTime": None, "DurationSeconds": None,
    }  # fmt: skip


def change_request(context: Context, request: Record, given: dict[str, Any]) -> Response:
    """Start a request (Pending), cancel it, or move its time."""
    unknown = set(given) - {"Status", "ScheduledStartTime"}
    if unknown:
        name = sorted(unknown)[0]
        raise Refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to change {name}", [name])
    status, wanted = request.fields["Status"], given.get("Status")
    allowed = {None: (CREATED, PENDING), PENDING: (CREATED,), CANCELED: (CREATED, PENDING)}
    if wanted not in allowed or status not in allowed[wanted]:
        message = f"A push request that is {status} cannot become {wanted or 'another time'}"
        raise Refused(400, "INVALID_STATUS", message, ["Status"])
    if "ScheduledStartTime" in given:
        _moment(str(given["ScheduledStartTime"]))
    with context.world.store.transaction():
        store.change(context.world, request, **given)
        if wanted is not None:
            for job in _jobs(context.world, request):
                store.change(context.world, job, Status=wanted)
    context.world.wake()
    return Response(204, effect=f"push request {request.id} {wanted or 'moved'}")


def advance(world: World) -> float | None:
    """Move all push requests; return when the next thing is due."""
    due: list[float] = []
    for request in store.everywhere(world, "PackagePushRequest"):
        with world.store.transaction():
            moment = _move(world, request)
        if moment is not None:
            due.append(moment)
    return min(due, default=None)


def _move(world: World, request: Record) -> float | None:
    now = world.clock.now()
    status = request.fields["Status"]
    if status == PENDING:
        scheduled = request.fields["ScheduledStartTime"]
        begins = _moment(scheduled) if scheduled else now
        if begins > now:
            return begins
        store.change(world, request, Status=RUNNING, StartTime=rest_time(now), _began=now)
        for job in _jobs(world, request):
            store.change(world, job, Status=RUNNING, StartTime=rest_time(now))
        return now + world.clock.scaled(JOB_SECONDS)
    if status != RUNNING:
        return None
    ends = float(request.fields["_began"]) + world.clock.scaled(JOB_SECONDS)
    if ends > now:
        return ends
    outcomes = [_finish(world, request, job) for job in _jobs(world, request)]
    took = int(now - float(request.fields["_began"]))
    store.change(
        world,
        request,
        Status=SUCCEEDED if all(outcomes) else FAILED,
        EndTime=rest_time(now),
        DurationSeconds=took,
    )
    return None


def _finish(world: World, request: Record, job: Record) -> bool:
    """End one job: the subscriber has the version, or an error tells why not."""
    at = rest_time(world.clock.now())
    subscriber = _subscriber(world, request, job.fields["SubscriberOrganizationKey"])
    error = None if subscriber is None else subscriber.fields.get("_push_error")
    pushed = install.version_of(world, request.fields["PackageVersionId"])
    handler = None if pushed is None else pushed.fields.get("_install_error")
    if handler and not error:
        message = f"The post install script failed. {handler}"
        error = {"ErrorTitle": "Post install script failed", "ErrorMessage": message}
    if subscriber is None or error:
        detail = error or {"ErrorType": "UnclassifiedError"}
        fields = {
            "PackagePushJobId": job.id, "ErrorSeverity": "Error",
            "ErrorType": detail.get("ErrorType", "UnclassifiedError"),
            "ErrorTitle": detail.get("ErrorTitle", "Upgrade failed"),
            "ErrorMessage": detail.get("ErrorMessage", "The package could not be upgraded."),
            "ErrorDetails": detail.get("ErrorDetails", ""),
        }  # fmt: skip
        store.add(world, request.org, request.modified_by, "PackagePushError", fields)
        store.change(world, job, Status=FAILED, EndTime=at)
        return False
    version = request.fields["PackageVersionId"]
    store.change(world, subscriber, MetadataPackageVersionId=version)
    org = world.org(str(job.fields["SubscriberOrganizationKey"]))
    if org is not None and pushed is not None:
        install.put(world, org, pushed, first_person(world, org).id)
    store.change(world, job, Status=SUCCEEDED, EndTime=at)
    return True


def _moment(text: str) -> float:
    try:
        return parse_time(text)
    except ValueError as error:
        message = f"ScheduledStartTime: {text} is no time"
        raise Refused(400, "INVALID_FIELD", message, ["ScheduledStartTime"]) from error


def _version(context: Context, identifier: str) -> Record:
    org = context.caller.org.id
    version = store.one(context.world, org, "MetadataPackageVersion", identifier)
    if version is None:
        raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id",
                      ["PackageVersionId"])  # fmt: skip
    return version


def _jobs(world: World, request: Record) -> list[Record]:
    return [
        job
        for job in store.of_kind(world, request.org, "PackagePushJob")
        if job.fields["PackagePushRequestId"] == request.id
    ]


def _package_of(world: World, request: Record) -> Record | None:
    identifier = request.fields["PackageVersionId"]
    return store.one(world, request.org, "MetadataPackageVersion", identifier)


def _subscriber(world: World, request: Record, key: str) -> Record | None:
    version = _package_of(world, request)
    package = "" if version is None else version.fields["MetadataPackageId"]
    return next(
        (
            record
            for record in store.of_kind(world, request.org, "PackageSubscriber")
            if ids.same_id(record.fields["OrgKey"], key)
            and record.fields["MetadataPackageId"] == package
        ),
        None,
    )


def _is_upgrade(world: World, request: Record, subscriber: Record) -> bool:
    wanted = _package_of(world, request)
    held = store.one(
        world, request.org, "MetadataPackageVersion", subscriber.fields["MetadataPackageVersionId"]
    )
    return wanted is not None and (held is None or install.number(wanted) > install.number(held))


def _made(context: Context, sobject: str, fields: dict[str, Any]) -> Response:
    org, person = context.caller.org.id, context.caller.person.id
    identifier = store.add(context.world, org, person, sobject, fields)
    answer = {"id": identifier, "success": True, "errors": []}
    return as_json(answer, 201, effect=f"{sobject} {identifier} created")
