"""Test runs outside deployments, in the way that `sf apex run test` asks for them."""

import time

import pytest

from tests.simulator.packages import Client, apex, class_with_test
from tests.support.simulator import SimulatorProcess

FAILING = (
    "@isTest private class BadTest {\n  @isTest static void no() {\n"
    "    System.assert(false, 'x');\n"
    "  }\n  @isTest static void yes() { new Foo().one(); }\n}"
)


def of_job(columns: str, sobject: str, column: str, job: str) -> str:
    return f"SELECT {columns} FROM {sobject} WHERE {column} = '{job}'"  # noqa: S608 - SOQL


@pytest.fixture
def client(simulator: SimulatorProcess) -> Client:
    found = Client(simulator.org(is_sandbox=True))
    found.deploy(
        {**class_with_test("Foo"), **apex("BadTest", FAILING)},
        {"ApexClass": ["Foo", "FooTest", "BadTest"]},
    )
    return found


def finished(client: Client, job: str) -> dict[str, object]:
    """Wait for a run's end as the command line does."""
    columns = "AsyncApexJobId, Status, ClassesCompleted, ClassesEnqueued, MethodsEnqueued, TestTime"
    for _ in range(200):
        soql = of_job(columns, "ApexTestRunResult", "AsyncApexJobId", job)
        (row,) = client.rows(soql, tooling=True)
        if row["Status"] in ("Completed", "Failed", "Aborted"):
            return row
        time.sleep(0.05)
    raise AssertionError("the run did not end")


def test_an_asynchronous_run_with_its_results_and_coverage(client: Client) -> None:
    start = client.call("POST", "tooling/runTestsAsynchronous", json={"testLevel": "RunLocalTests"})
    job = start.json()
    row = finished(client, job)
    assert (row["ClassesCompleted"], row["MethodsEnqueued"]) == (2, 3)
    soql = of_job("Id, Status, ExtendedStatus", "ApexTestQueueItem", "ParentJobId", job)
    items = client.rows(soql, tooling=True)
    assert {item["ExtendedStatus"] for item in items} == {"(1/1)", "(1/2)"}
    columns = "MethodName, Outcome, Message, StackTrace, ApexClass.Name"
    soql = of_job(columns, "ApexTestResult", "AsyncApexJobId", job) + " ORDER BY MethodName"
    results = client.rows(soql, tooling=True)
    assert [(r["MethodName"], r["Outcome"], r["ApexClass"]["Name"]) for r in results] == [
        ("no", "Fail", "BadTest"),
        ("works", "Pass", "FooTest"),
        ("yes", "Pass", "BadTest"),
    ]
    assert results[0]["Message"] == "System.AssertException: Assertion Failed: x"
    assert results[0]["StackTrace"] == "Class.BadTest.no: line 3, column 1"
    (covered,) = client.rows(
        "SELECT ApexClassOrTrigger.Name, NumLinesCovered, NumLinesUncovered, Coverage"
        " FROM ApexCodeCoverageAggregate",
        tooling=True,
    )
    assert (covered["ApexClassOrTrigger"]["Name"], covered["NumLinesCovered"]) == ("Foo", 1)
    assert covered["Coverage"] == {"coveredLines": [3], "uncoveredLines": []}
    whole = client.rows("SELECT PercentCovered FROM ApexOrgWideCoverage", tooling=True)
    assert whole == [{"PercentCovered": 100}]


def test_a_synchronous_run_of_one_method(client: Client) -> None:
    body = {"tests": [{"className": "BadTest", "testMethods": ["yes"]}]}
    answer = client.call("POST", "tooling/runTestsSynchronous", json=body).json()
    assert (answer["numTestsRun"], answer["numFailures"]) == (1, 0)
    assert [entry["methodName"] for entry in answer["successes"]] == ["yes"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"classNames": "Nobody"}, "This class name's value is invalid: nobody."),
        ({}, "Always provide a classes, suites, tests, or testLevel property."),
    ],
)
def test_a_run_of_nothing_is_refused(client: Client, body: dict[str, str], words: str) -> None:
    answer = client.call("POST", "tooling/runTestsAsynchronous", json=body)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_INPUT"
    assert answer.json()[0]["message"].startswith(words)


def test_a_run_can_be_aborted(simulator: SimulatorProcess, client: Client) -> None:
    simulator.set_speed(0.01)
    try:
        body = {"classNames": "FooTest"}
        job = client.call("POST", "tooling/runTestsAsynchronous", json=body).json()
        soql = of_job("Id", "ApexTestQueueItem", "ParentJobId", job)
        (item,) = client.rows(soql, tooling=True)
        path = f"tooling/sobjects/ApexTestQueueItem/{item['Id']}"
        assert client.call("PATCH", path, json={"Status": "Aborted"}).status_code == 204
        assert finished(client, job)["Status"] == "Aborted"
    finally:
        simulator.set_speed(100)
