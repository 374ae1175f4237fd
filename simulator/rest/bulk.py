"""Bulk API 2.0, ingest of inserts: the form in which the command line sends push jobs."""

import csv
import io
import json
from typing import Any

from simulator.clock import rest_time
from simulator.context import Context
from simulator.rest import records
from simulator.transport.messages import Refused, Response, as_json

CSV = "text/csv; charset=UTF-8"


def create(context: Context) -> Response:
    """Answer POST jobs/ingest."""
    given = records.body(context)
    if given.get("operation") != "insert":
        message = f"Operation {given.get('operation')} is not modelled; insert is"
        raise Refused(400, "INVALIDJOB", message)
    job = {
        "id": context.world.store.new_id("750"),
        "operation": "insert",
        "object": str(given.get("object", "")),
        "createdById": context.caller.person.id,
        "createdDate": rest_time(context.world.clock.now()),
        "systemModstamp": rest_time(context.world.clock.now()),
        "state": "Open",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(context.version),
        "lineEnding": str(given.get("lineEnding", "LF")),
        "columnDelimiter": "COMMA",
        "jobType": "V2Ingest",
        "numberRecordsProcessed": 0,
        "numberRecordsFailed": 0,
    }
    job["contentUrl"] = f"services/data/v{context.version}/jobs/ingest/{job['id']}/batches"
    _keep(context, job)
    return as_json(job, effect=f"bulk job {job['id']} opened")


def upload(context: Context) -> Response:
    """Answer PUT jobs/ingest/<id>/batches."""
    job = _job(context)
    if job["state"] != "Open":
        raise Refused(400, "INVALIDJOBSTATE", "The job is not open")
    job["_data"] = context.request.body.decode("utf-8")
    _keep(context, job)
    return Response(201)


def change(context: Context) -> Response:
    """Answer PATCH jobs/ingest/<id>: UploadComplete inserts everything, Aborted ends the job."""
    job, state = _job(context), str(records.body(context).get("state", ""))
    if job["state"] != "Open" or state not in ("UploadComplete", "Aborted"):
        raise Refused(400, "INVALIDJOBSTATE", f"The job is {job['state']}")
    job["state"] = "Aborted" if state == "Aborted" else "JobComplete"
    effect = f"bulk job {job['id']} aborted"
    if state == "UploadComplete":
        _insert(context, job)
        effect = f"bulk job {job['id']} inserted {len(job['_done'])} records"
    _keep(context, job)
    return as_json({**_shown(job), "state": state}, effect=effect)


def _insert(context: Context, job: dict[str, Any]) -> None:
    job["_done"], job["_failed"] = [], []
    for row in csv.DictReader(io.StringIO(job.get("_data", ""))):
        try:
            answer = records.insert(context, job["object"], dict(row))
        except Refused as refused:
            job["_failed"].append({**row, "sf__Error": f"{refused.code}:{refused.message}:--"})
        else:
            job["_done"].append({**row, "sf__Id": json.loads(answer.body)["id"]})
    job["numberRecordsProcessed"] = len(job["_done"]) + len(job["_failed"])
    job["numberRecordsFailed"] = len(job["_failed"])


def status(context: Context) -> Response:
    """Answer GET jobs/ingest/<id>."""
    return as_json(_shown(_job(context)))


def results(context: Context) -> Response:
    """Answer GET jobs/ingest/<id>/failedResults, successfulResults, unprocessedrecords."""
    job, which = _job(context), context.arguments["which"].lower()
    failed = which == "failedresults"
    rows = job.get("_failed" if failed else "_done", [])
    source = csv.DictReader(io.StringIO(job.get("_data", "")))
    columns = ["sf__Id", "sf__Error" if failed else "sf__Created", *(source.fieldnames or [])]
    if which == "unprocessedrecords":  # a job takes all of its records or none
        rows, columns = [], columns[2:]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row if failed else {**row, "sf__Created": "true"})
    return Response(200, out.getvalue().encode(), CSV)


def _job(context: Context) -> dict[str, Any]:
    text = context.world.store.setting(f"bulk.{context.caller.org.id}.{context.arguments['id']}")
    if not text:
        raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
    job: dict[str, Any] = json.loads(text)
    return job


def _keep(context: Context, job: dict[str, Any]) -> None:
    name = f"bulk.{context.caller.org.id}.{job['id']}"
    context.world.store.set_setting(name, json.dumps(job))


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if not name.startswith("_")}
