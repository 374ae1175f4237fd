"""From the platform's JSON to frozen values.

REST answers write booleans and numbers as JSON values or as text, single elements as an object or
as a list of one, absent ones as null or not at all (docs samples and real answers differ, see the
Metadata REST deploy resource); all of them are read the same way here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from salesforce.types import (
    ComponentFailure,
    Coverage,
    CoverageWarning,
    DeployRequestRow,
    DeployStatus,
    Organization,
    TestFailure,
)

Json = Mapping[str, object]


def text(source: Json, name: str) -> str:
    """Return the value as text; empty when absent."""
    value = source.get(name)
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def flag(source: Json, name: str) -> bool:
    """Return a boolean that may be written as text."""
    return text(source, name).lower() == "true"


def number(source: Json, name: str) -> int:
    """Return a count that may be written as text or with a fraction; 0 when absent."""
    value = decimal(source, name)
    return int(value)


def decimal(source: Json, name: str) -> float:
    """Return a number that may be written as text; 0 when absent or not a number."""
    try:
        return float(text(source, name) or 0)
    except ValueError:
        return 0.0


def position(source: Json, name: str) -> int | None:
    """Return a line or column; None when the org gives none."""
    return number(source, name) or None


def moment(source: Json, name: str) -> datetime | None:
    """Return a time in UTC, written ``2026-08-28T15:49:53.000+0000`` or with ``Z``."""
    value = text(source, name)
    if not value:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def items(source: Json, name: str) -> list[Json]:
    """Return the objects under a name, whether one or many."""
    value = source.get(name)
    found = value if isinstance(value, list) else [value]
    return [item for item in found if isinstance(item, dict)]


def child(source: Json, name: str) -> Json:
    """Return the object under a name; empty when absent."""
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def organization(row: Json) -> Organization:
    """Read the row of ``SELECT Id, Name, … FROM Organization``."""
    return Organization(
        id=text(row, "Id"),
        name=text(row, "Name"),
        is_sandbox=flag(row, "IsSandbox"),
        instance_name=text(row, "InstanceName"),
        type=text(row, "OrganizationType"),
    )


def deploy_request(row: Json) -> DeployRequestRow:
    """Read a row of the Tooling object DeployRequest."""
    return DeployRequestRow(
        id=text(row, "Id"),
        status=text(row, "Status"),
        check_only=flag(row, "CheckOnly"),
        components_total=number(row, "NumberComponentsTotal"),
        created_by_id=text(row, "CreatedById"),
        created_at=moment(row, "CreatedDate") or datetime.min.replace(tzinfo=UTC),
        completed_at=moment(row, "CompletedDate"),
        created_by_name=text(child(row, "CreatedBy"), "Name"),
    )


def deploy_status(result: Json) -> DeployStatus:
    """Read a DeployResult."""
    details = child(result, "details")
    tests = child(details, "runTestResult") or child(details, "runTestResults")
    messages = [_message(item) for item in items(details, "componentFailures")]
    successes = items(details, "componentSuccesses")
    flagged = [_message(item) for item in successes if text(item, "problem")]
    return DeployStatus(
        id=text(result, "id"),
        status=text(result, "status"),
        done=flag(result, "done"),
        success=flag(result, "success"),
        check_only=flag(result, "checkOnly"),
        components_total=number(result, "numberComponentsTotal"),
        components_deployed=number(result, "numberComponentsDeployed"),
        component_errors=number(result, "numberComponentErrors"),
        tests_total=number(result, "numberTestsTotal"),
        tests_completed=number(result, "numberTestsCompleted"),
        test_errors=number(result, "numberTestErrors"),
        state_detail=text(result, "stateDetail"),
        error_message=text(result, "errorMessage"),
        error_status_code=text(result, "errorStatusCode"),
        failures=tuple(item for item in messages if item.problem_type != "Warning"),
        warnings=tuple(item for item in [*messages, *flagged] if item.problem_type == "Warning"),
        test_failures=tuple(_test_failure(item) for item in items(tests, "failures")),
        coverage=tuple(_coverage(item) for item in items(tests, "codeCoverage")),
        coverage_warnings=tuple(
            CoverageWarning(text(item, "name"), text(item, "message"))
            for item in items(tests, "codeCoverageWarnings")
        ),
        # package.xml reports itself as a success without a type; it is no component.
        successes=sum(1 for item in successes if text(item, "componentType")),
        tests_run=number(tests, "numTestsRun") or number(tests, "numRun"),
        created_by=text(result, "createdByName"),
        created_at=moment(result, "createdDate"),
        started_at=moment(result, "startDate"),
        completed_at=moment(result, "completedDate"),
        canceled_by=text(result, "canceledByName"),
    )


def _message(item: Json) -> ComponentFailure:
    return ComponentFailure(
        type=text(item, "componentType"),
        full_name=text(item, "fullName"),
        file_name=text(item, "fileName"),
        line=position(item, "lineNumber"),
        column=position(item, "columnNumber"),
        problem=text(item, "problem"),
        problem_type=text(item, "problemType") or "Error",
    )


def _test_failure(item: Json) -> TestFailure:
    namespace = text(item, "namespace")
    name = text(item, "name")
    return TestFailure(
        class_name=f"{namespace}.{name}" if namespace else name,
        method=text(item, "methodName"),
        message=text(item, "message"),
        stack_trace=text(item, "stackTrace"),
        seconds=decimal(item, "time") / 1000,
    )


def _coverage(item: Json) -> Coverage:
    return Coverage(
        name=text(item, "name"),
        type=text(item, "type"),
        lines=number(item, "numLocations"),
        uncovered=number(item, "numLocationsNotCovered"),
    )
