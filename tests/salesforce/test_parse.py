from datetime import UTC, datetime

import pytest

from salesforce import parse
from salesforce.types import DeployOptions

RESULT = {
    "id": "0Af000000000001EAA",
    "status": "Failed",
    "done": "true",
    "success": "false",
    "checkOnly": False,
    "numberComponentsTotal": "43",
    "numberComponentsDeployed": 41,
    "numberComponentErrors": 2,
    "numberTestsTotal": 12,
    "numberTestsCompleted": 12,
    "numberTestErrors": 1,
    "stateDetail": None,
    "errorMessage": "",
    "createdByName": "Gatehouse",
    "createdDate": "2026-10-20T15:31:00.000Z",
    "completedDate": "2026-10-20T15:40:00.000+0000",
    "details": {
        "componentFailures": {
            "componentType": "ApexClass",
            "fullName": "Foo",
            "fileName": "classes/Foo.cls",
            "lineNumber": "12",
            "columnNumber": 5,
            "problem": "Variable does not exist: bar",
            "problemType": "Error",
            "success": "false",
        },
        "componentSuccesses": [
            {"componentType": "", "fullName": "package.xml", "success": True},
            {"componentType": "CustomField", "fullName": "Account.A__c", "success": True},
            {
                "componentType": "Layout",
                "fullName": "Account-Layout",
                "success": True,
                "problem": "Layout has no fields",
                "problemType": "Warning",
            },
        ],
        "runTestResult": {
            "numTestsRun": 12,
            "failures": [
                {
                    "name": "FooTest",
                    "namespace": None,
                    "methodName": "works",
                    "message": "System.AssertException: Assertion Failed",
                    "stackTrace": "Class.FooTest.works: line 7",
                    "time": 210.0,
                }
            ],
            "codeCoverage": [
                {"name": "Foo", "type": "Class", "numLocations": 9, "numLocationsNotCovered": 4}
            ],
            "codeCoverageWarnings": {"name": None, "message": "Average test coverage is 62%"},
        },
    },
}


def test_a_deploy_result_is_read_whatever_way_its_values_are_written() -> None:
    status = parse.deploy_status(RESULT)
    assert (status.done, status.success, status.check_only) == (True, False, False)
    assert (status.components_total, status.components_deployed) == (43, 41)
    failure = status.failures[0]
    assert (failure.type, failure.full_name, failure.line, failure.column) == (
        "ApexClass",
        "Foo",
        12,
        5,
    )
    assert failure.problem == "Variable does not exist: bar"
    assert [warning.full_name for warning in status.warnings] == ["Account-Layout"]
    assert status.successes == 2
    test = status.test_failures[0]
    assert (test.class_name, test.method, test.seconds) == ("FooTest", "works", 0.21)
    assert status.coverage[0].percent == 55
    assert status.coverage_warnings[0].message.startswith("Average")
    assert status.created_at == datetime(2026, 10, 20, 15, 31, tzinfo=UTC)
    assert status.completed_at == datetime(2026, 10, 20, 15, 40, tzinfo=UTC)
    assert status.started_at is None


def test_a_bare_result_is_read_with_nothing_in_it() -> None:
    status = parse.deploy_status({"id": "0Af", "status": "Pending"})
    assert not status.done
    assert not status.failures
    assert not status.warnings
    assert not status.coverage
    assert status.tests_total == 0


@pytest.mark.parametrize(
    ("status", "done", "canceled"),
    [("Canceled", True, True), ("Canceling", False, False), ("Failed", True, False)],
)
def test_a_deployment_is_canceled_once_it_has_ended_so(
    status: str, done: bool, canceled: bool
) -> None:
    assert parse.deploy_status({"status": status, "done": done}).canceled is canceled


@pytest.mark.parametrize("value", ["", "yesterday", None, 7, {"a": 1}])
def test_a_time_that_is_none_is_absent(value: object) -> None:
    assert parse.moment({"at": value}, "at") is None


@pytest.mark.parametrize("value", ["", "many", None, [], {}])
def test_a_number_that_is_none_counts_nothing(value: object) -> None:
    assert parse.number({"n": value}, "n") == 0


def test_the_defaults_of_a_deployment_are_what_production_demands() -> None:
    options = DeployOptions(check_only=False).as_json()
    assert options["rollbackOnError"] is True
    assert options["ignoreWarnings"] is False
    assert options["allowMissingFiles"] is False
    assert options["purgeOnDelete"] is False
    assert options["testLevel"] == "RunLocalTests"
    assert "runTests" not in options
