"""Deployments from start to end, over the REST resource."""

import time

import pytest

from tests.simulator.packages import (
    Client,
    apex,
    class_with_test,
    custom_object,
    manifest,
    problems,
    text_field,
    xml,
    zipped,
)
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def sandbox(simulator: SimulatorProcess) -> Client:
    return Client(simulator.org(is_sandbox=True))


@pytest.fixture
def production(simulator: SimulatorProcess) -> Client:
    return Client(simulator.org(is_sandbox=False))


CLASSES = {"ApexClass": ["*"]}


def test_a_deployment_leaves_its_components_in_the_org(sandbox: Client) -> None:
    files = {**class_with_test("Foo"), **custom_object("Thing__c", "A__c")}
    result = sandbox.deploy(files, {**CLASSES, "CustomObject": ["Thing__c"]})
    assert (result["status"], result["success"]) == ("Succeeded", True)
    assert result["numberComponentsDeployed"] == result["numberComponentsTotal"] == 4
    assert sandbox.org.components() == {
        "ApexClass:Foo",
        "ApexClass:FooTest",
        "CustomObject:Thing__c",
        "CustomField:Thing__c.A__c",
    }
    assert sandbox.rows("SELECT Name FROM ApexClass ORDER BY Name") == [
        {"Name": "Foo"},
        {"Name": "FooTest"},
    ]


def test_states_of_components_are_told(sandbox: Client) -> None:
    sandbox.deploy(class_with_test("Foo"), CLASSES)
    changed = {
        **class_with_test("Foo"),
        **apex("Foo", "public class Foo { Integer one() {return 1;} }"),
    }
    result = sandbox.deploy({**changed, **class_with_test("New")}, CLASSES)
    states = {
        m["fullName"]: (m["created"], m["changed"], m["success"])
        for m in result["details"]["componentSuccesses"]
    }
    assert states == {
        "package.xml": (False, False, True),
        "Foo": (False, True, True),
        "FooTest": (False, False, True),
        "New": (True, True, True),
        "NewTest": (True, True, True),
    }


def test_fields_of_an_object_are_merged_into_what_the_org_has(sandbox: Client) -> None:
    sandbox.deploy(custom_object("Thing__c", "A__c"), {"CustomObject": ["Thing__c"]})
    only_b = {"objects/Thing__c.object": xml("CustomObject", text_field("B__c"))}
    assert sandbox.deploy(only_b, {"CustomField": ["Thing__c.B__c"]})["success"]
    content = sandbox.org.content("objects/Thing__c.object")
    assert "<label>Thing</label>" in content
    assert content.index("A__c") < content.index("B__c")


def test_only_the_listed_children_are_deployed(sandbox: Client) -> None:
    sandbox.deploy(custom_object("Thing__c"), {"CustomObject": ["Thing__c"]})
    two = {"objects/Thing__c.object": xml("CustomObject", text_field("A__c") + text_field("B__c"))}
    sandbox.deploy(two, {"CustomField": ["Thing__c.B__c"]})
    assert "CustomField:Thing__c.A__c" not in sandbox.org.components()
    assert "CustomField:Thing__c.B__c" in sandbox.org.components()


def test_fields_of_a_standard_object_need_no_object(sandbox: Client) -> None:
    field = {"objects/Account.object": xml("CustomObject", text_field("Tier__c"))}
    assert sandbox.deploy(field, {"CustomField": ["Account.Tier__c"]})["success"]
    rows = sandbox.query("SELECT Id, Tier__c FROM Account")
    assert rows["totalSize"] == 0


def test_a_validation_changes_nothing(sandbox: Client) -> None:
    result = sandbox.deploy(class_with_test("Foo"), CLASSES, checkOnly=True)
    assert (result["checkOnly"], result["success"]) == (True, True)
    assert sandbox.org.components() == set()


def test_one_error_rolls_everything_back(sandbox: Client) -> None:
    files = {**class_with_test("Foo"), **apex("Bad", "public class Bad {")}
    result = sandbox.deploy(files, CLASSES)
    assert result["status"] == "Failed"
    assert problems(result) == [("ApexClass", "Bad", "Expecting '}' but was: '<EOF>'")]
    assert sandbox.org.components() == set()


def test_without_rollback_the_rest_is_kept(sandbox: Client) -> None:
    files = {**class_with_test("Foo"), **apex("Bad", "public class Bad {")}
    result = sandbox.deploy(files, CLASSES, rollbackOnError=False)
    assert (result["status"], result["success"]) == ("SucceededPartial", False)
    assert sandbox.org.components() == {"ApexClass:Foo", "ApexClass:FooTest"}


def test_deletions_happen_and_absent_ones_only_warn(sandbox: Client) -> None:
    sandbox.deploy(class_with_test("Foo"), CLASSES)
    destructive = (
        xml("Package", "<types><members>FooTest</members><members>Gone</members>"
            "<name>ApexClass</name></types><version>64.0</version>")
    )  # fmt: skip
    files = {"destructiveChangesPost.xml": destructive}
    strict = sandbox.deploy(files, {})
    failed = [(m["problem"], m["problemType"]) for m in strict["details"]["componentFailures"]]
    assert (strict["status"], failed) == ("Failed", [("No ApexClass named: Gone found", "Warning")])
    assert "ApexClass:FooTest" in sandbox.org.components()
    result = sandbox.deploy(files, {}, ignoreWarnings=True)
    assert result["status"] == "Succeeded"
    warning = [m for m in result["details"]["componentSuccesses"] if m.get("problem")]
    assert [(m["fullName"], m["problem"], m["problemType"]) for m in warning] == [
        ("destructiveChangesPost.xml", "No ApexClass named: Gone found", "Warning")
    ]
    assert sandbox.org.components() == {"ApexClass:Foo"}


def test_the_audit_trail_has_every_component(sandbox: Client) -> None:
    files = class_with_test("Foo")
    sandbox.deploy(files, CLASSES)
    meta = "classes/Foo.cls-meta.xml"
    files = {"classes/Foo.cls": "public class Foo { Integer i; }", meta: files[meta]}
    gone = manifest({"ApexClass": ["FooTest"]})
    assert sandbox.deploy({**files, "destructiveChanges.xml": gone}, CLASSES)["success"]
    rows = sandbox.rows("SELECT Action, Display FROM SetupAuditTrail")
    assert {(row["Action"], row["Display"]) for row in rows} == {
        ("createdApexClass", "Created ApexClass Foo"),
        ("createdApexClass", "Created ApexClass FooTest"),
        ("changedApexClass", "Changed ApexClass Foo"),
        ("deletedApexClass", "Deleted ApexClass FooTest"),
    }


def test_deleting_an_object_takes_its_fields(sandbox: Client) -> None:
    sandbox.deploy(custom_object("Thing__c", "A__c"), {"CustomObject": ["Thing__c"]})
    destructive = xml(
        "Package", "<types><members>Thing__c</members><name>CustomObject</name></types>"
    )
    assert sandbox.deploy({"destructiveChanges.xml": destructive}, {})["success"]
    assert sandbox.org.components() == set()


def test_counters_move_while_it_runs(simulator: SimulatorProcess) -> None:
    simulator.set_speed(8)
    client = Client(simulator.org(is_sandbox=True))
    files = {k: v for n in range(10) for k, v in class_with_test(f"C{n}").items()}
    identifier = client.start(files, CLASSES, testLevel="RunLocalTests")
    seen = []
    while not (status := client.status(identifier))["done"]:
        seen.append(
            (status["status"], status["numberComponentsDeployed"], status["numberTestsCompleted"])
        )
        time.sleep(0.02)
    assert {state for state, _, _ in seen} == {"Pending", "InProgress"}
    assert len({components for _, components, _ in seen}) > 3
    assert len({tests for _, _, tests in seen}) > 3
    assert seen == sorted(seen, key=lambda entry: (entry[0] != "Pending", *entry[1:]))
    assert (status["numberComponentsDeployed"], status["numberTestsCompleted"]) == (20, 10)


def test_one_deployment_runs_per_org_and_the_rest_waits(simulator: SimulatorProcess) -> None:
    simulator.set_speed(4)
    client = Client(simulator.org(is_sandbox=True))
    other = Client(simulator.org(is_sandbox=True))
    first, second = (client.start(class_with_test(name), CLASSES) for name in ("A", "B"))
    elsewhere = other.start(class_with_test("A"), CLASSES)
    states = set()
    while True:
        waiting = client.status(second)["status"]
        if client.status(first)["done"]:  # asked afterwards: then it had not ended before
            break
        states.add(waiting)
        time.sleep(0.02)
    assert states == {"Pending"}
    assert other.wait(elsewhere)["success"]
    assert client.wait(second)["success"]
    began = {d["id"]: d["startDate"] for d in client.org.deploys()}
    assert began[second] >= client.status(first)["completedDate"]


def test_a_waiting_deployment_is_cancelled_at_once(simulator: SimulatorProcess) -> None:
    simulator.set_speed(2)
    client = Client(simulator.org(is_sandbox=True))
    client.start(class_with_test("A"), CLASSES)
    waiting = client.start(class_with_test("B"), CLASSES)
    answer = client.call(
        "PATCH",
        f"metadata/deployRequest/{waiting}",
        json={"deployResult": {"status": "Canceling"}},
    )
    assert answer.status_code == 202
    assert answer.json()["deployResult"]["status"] == "Canceled"
    assert answer.json()["deployResult"]["canceledByName"] == "Admin"


def test_a_running_deployment_is_cancelled_soon(simulator: SimulatorProcess) -> None:
    simulator.set_speed(3)
    client = Client(simulator.org(is_sandbox=True))
    files = {k: v for n in range(30) for k, v in class_with_test(f"C{n}").items()}
    running = client.start(files, CLASSES)
    while client.status(running)["status"] == "Pending":
        time.sleep(0.02)
    wish = {"deployResult": {"status": "Canceling"}}
    answer = client.call("PATCH", f"metadata/deployRequest/{running}", json=wish)
    assert answer.json()["deployResult"]["status"] == "Canceling"
    assert client.wait(running)["status"] == "Canceled"
    assert client.org.components() == set()


def test_a_cancel_that_comes_too_late_loses(simulator: SimulatorProcess) -> None:
    simulator.set_speed(1)
    client = Client(simulator.org(is_sandbox=True))
    running = client.start(class_with_test("A"), CLASSES)
    while client.status(running)["numberComponentsDeployed"] < 1:
        time.sleep(0.02)
    wish = {"deployResult": {"status": "Canceling"}}
    client.call("PATCH", f"metadata/deployRequest/{running}", json=wish)
    assert client.wait(running)["status"] == "Succeeded"
    again = client.call("PATCH", f"metadata/deployRequest/{running}", json=wish)
    assert again.json()[0]["errorCode"] == "INVALID_ID_FIELD"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"testLevel": "NoTestRun"}, "testLevel of NoTestRun cannot be used in production"),
        ({"rollbackOnError": False}, "rollbackOnError must be set to true"),
        ({"purgeOnDelete": True}, "purgeOnDelete option can only be used on a non-active org"),
        ({"allowMissingFiles": True}, "allowMissingFiles cannot be used"),
        ({"testLevel": "RunEverything"}, "Invalid testLevel"),
        ({"runTests": ["A"]}, "runTests can be used only with a testLevel of RunSpecifiedTests"),
        ({"testLevel": "RunSpecifiedTests"}, "requires at least one test"),
        ({"testLevel": "RunRelevantTests"}, "requires API version 66.0"),
    ],
)
def test_production_refuses_unfit_options(
    production: Client, options: dict[str, object], words: str
) -> None:
    content = zipped({"package.xml": xml("Package", "")})
    answer = production.post(content, **options)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_OPERATION"
    assert words in answer.json()[0]["message"]
    assert production.org.deploys() == []


@pytest.mark.parametrize(
    ("is_sandbox", "level", "ran"),
    [(True, "", 0), (True, "RunLocalTests", 1), (False, "", 1), (False, "RunAllTestsInOrg", 1)],
)
def test_the_default_test_level_depends_on_the_org(
    simulator: SimulatorProcess, is_sandbox: bool, level: str, ran: int
) -> None:
    client = Client(simulator.org(is_sandbox=is_sandbox))
    options = {"testLevel": level} if level else {}
    result = client.deploy(class_with_test("Foo"), CLASSES, **options)
    assert result["success"]
    assert result["numberTestsTotal"] == ran
    assert result["runTestsEnabled"] == bool(ran)


def test_production_without_apex_in_the_package_runs_no_tests(production: Client) -> None:
    result = production.deploy(custom_object("Thing__c"), {"CustomObject": ["Thing__c"]})
    assert (result["success"], result["numberTestsTotal"]) == (True, 0)


def test_a_failing_test_fails_the_deployment(production: Client) -> None:
    test = "@isTest class FooTest {\n @isTest static void m() {\n  Assert.fail('no');\n }\n}"
    result = production.deploy({**class_with_test("Foo"), **apex("FooTest", test)}, CLASSES)
    (failure,) = result["details"]["runTestResult"]["failures"]
    assert result["status"] == "Failed"
    assert (failure["name"], failure["methodName"]) == ("FooTest", "m")
    assert failure["message"] == "System.AssertException: Assertion Failed: no"
    assert failure["stackTrace"] == "Class.FooTest.m: line 3, column 1"
    assert (result["numberTestErrors"], result["numberComponentErrors"]) == (1, 0)
    assert production.org.components() == set()


def test_production_needs_75_percent_over_all_classes(production: Client) -> None:
    result = production.deploy(
        apex("Foo", "public class Foo {\n void f() {\n g();\n }\n}"), CLASSES
    )
    assert result["status"] == "Failed"
    files = {
        **class_with_test("Bar"),
        **apex("Foo", "class Foo { void f() {\na();\nb();\nc();\n} }"),
    }
    result = production.deploy(files, CLASSES)
    (warning,) = result["details"]["runTestResult"]["codeCoverageWarnings"]
    assert result["status"] == "Failed"
    assert warning["message"] == (
        "Average test coverage across all Apex Classes and Triggers is 25%,"
        " at least 75% test coverage is required."
    )


def test_specified_tests_must_cover_each_class_of_the_package(sandbox: Client) -> None:
    files = {**class_with_test("Foo"), **apex("Bar", "public class Bar { void f() {\ng();\n} }")}
    result = sandbox.deploy(files, CLASSES, testLevel="RunSpecifiedTests", runTests=["FooTest"])
    warnings = result["details"]["runTestResult"]["codeCoverageWarnings"]
    assert result["status"] == "Failed"
    assert [(w["name"], w["message"].split(",")[0]) for w in warnings] == [
        ("Bar", "Test coverage of selected Apex Class is 0%")
    ]


def test_specified_tests_must_cover_classes_of_the_package_that_do_not_change(
    sandbox: Client,
) -> None:
    files = {**class_with_test("Foo"), **apex("Bar", "public class Bar { void f() {\ng();\n} }")}
    assert sandbox.deploy(files, CLASSES, testLevel="NoTestRun")["status"] == "Succeeded"
    named = {"testLevel": "RunSpecifiedTests", "runTests": ["FooTest", "Nowhere"]}
    result = sandbox.deploy(files, CLASSES, **named)["details"]["runTestResult"]
    assert [row["name"] for row in result["codeCoverageWarnings"]] == ["Bar"]
    (failure,) = result["failures"]
    assert (failure["name"], failure["message"]) == ("Nowhere", "Class not found")


def test_an_operator_can_make_a_test_fail(sandbox: Client) -> None:
    sandbox.org.set_tests({"FooTest.works": {"message": "System.LimitException: too many"}})
    result = sandbox.deploy(class_with_test("Foo"), CLASSES, testLevel="RunLocalTests")
    (failure,) = result["details"]["runTestResult"]["failures"]
    assert failure["message"] == "System.LimitException: too many"


def test_it_is_listed_as_deploy_request(sandbox: Client) -> None:
    identifier = sandbox.start(class_with_test("Foo"), CLASSES)
    sandbox.wait(identifier)
    (row,) = sandbox.rows(
        "SELECT Id, Status, CheckOnly, NumberComponentsTotal, CreatedBy.Username"
        " FROM DeployRequest",
        tooling=True,
    )
    assert (row["Id"], row["Status"], row["CheckOnly"]) == (identifier, "Succeeded", False)
    assert row["NumberComponentsTotal"] == 2
    assert row["CreatedBy"]["Username"] == sandbox.org.username


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"this is no zip", "INVALID_OPERATION"), (b"PK\x03\x04broken", "INVALID_OPERATION")],
)
def test_what_is_no_zip_fails_as_a_whole(sandbox: Client, content: bytes, code: str) -> None:
    result = sandbox.wait(sandbox.post(content).json()["id"])
    assert (result["status"], result["errorStatusCode"]) == ("Failed", code)
    assert "Unable to read zip" in result["errorMessage"]


def test_an_unknown_deployment_is_not_found(sandbox: Client) -> None:
    answer = sandbox.call("GET", "metadata/deployRequest/0Af000000000001AAA")
    assert answer.status_code == 404


def test_only_orgs_that_track_changes_know_source_members(simulator: SimulatorProcess) -> None:
    tracked = Client(simulator.org(is_sandbox=True, options={"source_tracking": True}))
    tracked.deploy(class_with_test("Foo"), CLASSES)
    soql = "SELECT MemberName, RevisionCounter FROM SourceMember ORDER BY MemberName"
    names = [row["MemberName"] for row in tracked.rows(soql, tooling=True)]
    assert names == ["Foo", "FooTest"]
    plain = Client(simulator.org(is_sandbox=True))
    answer = plain.call("GET", "tooling/query", params={"q": soql})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
