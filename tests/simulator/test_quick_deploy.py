"""Quick deploys and the ledger of validations behind them."""

import pytest

from tests.simulator.packages import Client, apex, class_with_test, custom_object
from tests.support.simulator import SimulatorProcess

CLASSES = {"ApexClass": ["*"]}
DAY = 86400


@pytest.fixture
def client(simulator: SimulatorProcess) -> Client:
    return Client(simulator.org())


def validate(client: Client, name: str = "Foo") -> str:
    options = {"checkOnly": True, "testLevel": "RunLocalTests"}
    identifier = client.start(class_with_test(name), CLASSES, **options)
    assert client.wait(identifier)["success"]
    return identifier


def quick(client: Client, validated: str) -> tuple[int, dict[str, str]]:
    answer = client.call(
        "POST", "metadata/deployRequest", json={"validatedDeployRequestId": validated}
    )
    body = answer.json()
    return answer.status_code, body[0] if isinstance(body, list) else body


def test_it_deploys_what_was_validated_without_running_tests(client: Client) -> None:
    validated = validate(client)
    status, body = quick(client, validated)
    result = client.wait(body["id"])
    assert status == 201
    assert body["id"] != validated
    assert (result["success"], result["checkOnly"], result["numberTestsTotal"]) == (True, False, 0)
    assert client.org.components() == {"ApexClass:Foo", "ApexClass:FooTest"}


def test_a_validation_that_covers_too_little_is_no_candidate(simulator: SimulatorProcess) -> None:
    sandbox = Client(simulator.org(is_sandbox=True))
    long = "public class Idle {\n" + "".join(
        f"Integer f{n}() {{\nreturn {n};\n}}\n" for n in range(9)
    )
    files = {**class_with_test("Foo"), **apex("Idle", long + "}")}
    options = {"checkOnly": True, "testLevel": "RunLocalTests"}
    identifier = sandbox.start(files, CLASSES, **options)
    assert sandbox.wait(identifier)["success"]
    assert quick(sandbox, identifier)[1]["errorCode"] == "INVALID_ID_FIELD"


def test_a_deployment_in_between_voids_the_validation(client: Client) -> None:
    validated = validate(client)
    assert client.deploy(custom_object("Thing__c"), {"CustomObject": ["Thing__c"]})["success"]
    status, body = quick(client, validated)
    assert (status, body["errorCode"]) == (400, "INVALID_ID_FIELD")


def test_another_validation_or_a_failed_deployment_voids_nothing(client: Client) -> None:
    validated = validate(client)
    validate(client, "Bar")
    assert not client.deploy({}, {"ApexClass": ["Gone"]})["success"]
    assert quick(client, validated)[0] == 201


def test_a_validation_lasts_ten_days(client: Client) -> None:
    validated = validate(client)
    client.org.simulator.jump(10 * DAY + 60)
    fresh = Client(client.org)
    assert quick(fresh, validated)[0] == 400


def test_a_validation_without_tests_is_no_candidate(client: Client) -> None:
    identifier = client.start(custom_object("T__c"), {"CustomObject": ["T__c"]}, checkOnly=True)
    assert client.wait(identifier)["success"]
    assert quick(client, identifier)[0] == 400


@pytest.mark.parametrize("identifier", ["", "0Af000000000001AAA"])
def test_an_unknown_validation_is_refused(client: Client, identifier: str) -> None:
    assert quick(client, identifier)[1]["errorCode"] == "INVALID_ID_FIELD"


def test_an_ordinary_deployment_is_no_candidate(client: Client) -> None:
    identifier = client.start(class_with_test("Foo"), CLASSES)
    assert client.wait(identifier)["success"]
    assert quick(client, identifier)[0] == 400
