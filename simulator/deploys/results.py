"""DeployResult as both protocols answer it: one dict, in the names and order of the WSDL."""

from typing import Any

from simulator.clock import soap_time
from simulator.deploys import rows
from simulator.deploys.plan import Message, Plan, Test
from simulator.deploys.rows import Deploy, Progress
from simulator.world import World


def result(world: World, deploy: Deploy, *, details: bool) -> dict[str, Any]:
    """Return the DeployResult; absent values are left out."""
    progress = rows.progress(world, deploy)
    answer = _counts(progress)
    answer |= {
        "checkOnly": deploy.options.check_only,
        "completedDate": _time(deploy.completed_at),
        "createdBy": deploy.created_by,
        "createdByName": _name(world, deploy.created_by),
        "createdDate": soap_time(deploy.created_at),
        "details": _details(world, deploy, progress) if details else None,
        "done": deploy.done,
        "errorMessage": deploy.error_message,
        "errorStatusCode": deploy.error_code,
        "id": deploy.id,
        "ignoreWarnings": deploy.options.ignore_warnings,
        "lastModifiedDate": soap_time(deploy.modified_at),
        "rollbackOnError": deploy.options.rollback_on_error,
        "runTestsEnabled": progress.plan.run_tests,
        "startDate": _time(deploy.started_at),
        "stateDetail": progress.state_detail or None,
        "status": deploy.status,
        "success": deploy.status == rows.SUCCEEDED,
    }
    if deploy.canceled_by:
        answer["canceledBy"] = deploy.canceled_by
        answer["canceledByName"] = _name(world, deploy.canceled_by)
    return {name: value for name, value in sorted(answer.items()) if value is not None}


def _counts(progress: Progress) -> dict[str, Any]:
    return {
        "numberComponentErrors": progress.errors,
        "numberComponentsDeployed": progress.deployed,
        "numberComponentsTotal": len(progress.plan.counted),
        "numberTestErrors": sum(1 for test in progress.tested if test.message),
        "numberTestsCompleted": sum(1 for test in progress.tested if not test.message),
        "numberTestsTotal": len(progress.plan.tests),
    }


def _time(moment: float | None) -> str | None:
    return None if moment is None else soap_time(moment)


def _name(world: World, identifier: str) -> str:
    person = world.person(identifier)
    return "" if person is None else person.full_name


def _details(world: World, deploy: Deploy, progress: Progress) -> dict[str, Any]:
    plan = progress.plan
    at = soap_time(deploy.completed_at or world.clock.now())
    if deploy.status in rows.FINAL and deploy.status != rows.CANCELED:
        seen = plan.messages
    else:
        seen = progress.seen
    failures = [m for m in seen if not m.success]
    successes = [m for m in seen if m.success]
    return {
        "componentFailures": [_message(m, at) for m in failures],
        "componentSuccesses": [_message(m, at) for m in successes],
        "runTestResult": _tests(deploy, plan, progress.tested),
    }


def _message(message: Message, at: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "changed": message.changed or message.created or message.deleted,
        "componentType": message.type,
        "created": message.created,
        "createdDate": at,
        "deleted": message.deleted,
        "fileName": message.file,
        "fullName": message.name,
        "success": message.success,
    }
    if message.id:
        found["id"] = message.id
    if message.problem:
        found["problem"] = message.problem
        found["problemType"] = message.problem_type
        if message.line:
            found["lineNumber"] = message.line
            found["columnNumber"] = message.column
    return dict(sorted(found.items()))


def _tests(deploy: Deploy, plan: Plan, tested: list[Test]) -> dict[str, Any]:
    failures = [test for test in tested if test.message]
    ended = deploy.done and deploy.status != rows.CANCELED
    coverage = plan.coverage if ended else []
    warnings = plan.coverage_warnings if ended else []
    return {
        "codeCoverage": [_coverage(entry) for entry in coverage],
        "codeCoverageWarnings": [
            {"id": "", "message": w["message"], "name": w["name"] or None, "namespace": None}
            for w in warnings
        ],
        "failures": [
            {
                "id": "",
                "message": test.message,
                "methodName": test.method or None,
                "name": test.class_name,
                "namespace": None,
                "packageName": test.class_name,
                "seeAllData": False,
                "stackTrace": test.stack or None,
                "time": test.seconds * 1000,
                "type": "Class",
            }
            for test in failures
        ],
        "numFailures": len(failures),
        "numTestsRun": len(tested),
        "successes": [
            {
                "id": "",
                "methodName": test.method,
                "name": test.class_name,
                "namespace": None,
                "seeAllData": False,
                "time": test.seconds * 1000,
            }
            for test in tested
            if not test.message
        ],
        "totalTime": round(sum(test.seconds for test in tested) * 1000, 1),
    }


def _coverage(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "",
        "locationsNotCovered": [
            {"column": 1, "line": line, "numExecutions": 0, "time": -1.0}
            for line in entry["missed"]
        ],
        "name": entry["name"],
        "namespace": None,
        "numLocations": len(entry["lines"]),
        "numLocationsNotCovered": len(entry["missed"]),
        "type": entry["kind"],
    }
