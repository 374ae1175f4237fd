"""Faults by rule, and the journal that tells what took effect nevertheless."""

import time
from typing import Any

import pytest
import requests

from tests.simulator.packages import Client, class_with_test, manifest, problems, zipped
from tests.support.simulator import SimulatorProcess

CLASSES = {"ApexClass": ["*"]}


@pytest.fixture
def client(simulator: SimulatorProcess) -> Client:
    return Client(simulator.org(is_sandbox=True))


def package() -> bytes:
    return zipped({"package.xml": manifest(CLASSES), **class_with_test("Foo")})


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"kind": "status", "status": 503}, 503, "SERVER_UNAVAILABLE"),
        ({"kind": "status", "status": 403}, 403, "REQUEST_LIMIT_EXCEEDED"),
        ({"kind": "status", "status": 500}, 500, "UNKNOWN_EXCEPTION"),
        ({"kind": "status", "status": 400, "code": "X", "message": "y"}, 400, "X"),
        ({"kind": "expired_session"}, 401, "INVALID_SESSION_ID"),
    ],
)
def test_a_refusal_strikes_as_often_as_told(
    client: Client, rule: dict[str, Any], status: int, code: str
) -> None:
    client.org.fault(rule.pop("kind"), "rest.query", times=1, **rule)
    path = "query?q=SELECT Id FROM Organization"
    refused = client.call("GET", path)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (status, code)
    assert Client(client.org).call("GET", path).status_code == 200


def test_an_expired_session_stays_expired(client: Client) -> None:
    client.org.fault("expired_session", "rest.limits", times=1)
    assert client.call("GET", "limits").status_code == 401
    assert client.call("GET", "limits").status_code == 401


def test_a_reset_before_leaves_no_trace_and_a_reset_after_leaves_the_deployment(
    client: Client,
) -> None:
    client.org.fault("reset_before", "deploy.start", times=1)
    with pytest.raises(requests.ConnectionError):
        client.post(package())
    assert client.org.deploys() == []
    client.org.fault("reset_after", "deploy.start", times=1)
    with pytest.raises(requests.ConnectionError):
        client.post(package())
    assert len(client.org.deploys()) == 1
    assert [e.split()[0] for e in client.org.effects() if "deploy" in e] == ["deploy"]


def test_a_timeout_after_accept_leaves_the_deployment(client: Client) -> None:
    client.org.fault("timeout_after", "deploy.start", times=1, seconds=5)
    with pytest.raises(requests.ReadTimeout):
        client.call(
            "POST",
            "metadata/deployRequest",
            files=[
                ("json", (None, '{"deployOptions":{"singlePackage":true}}', "application/json")),
                ("file", ("p.zip", package(), "application/zip")),
            ],
            timeout=0.5,
        )
    assert len(client.org.deploys()) == 1


def test_a_timeout_before_leaves_nothing(client: Client) -> None:
    client.org.fault("timeout_before", "deploy.start", times=1, seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        client.post(package())
    assert client.org.deploys() == []


def test_slow_html_and_garbage(client: Client) -> None:
    client.org.fault("slow", "rest.limits", times=1, seconds=0.3)
    began = time.monotonic()
    assert client.call("GET", "limits").status_code == 200
    assert time.monotonic() - began > 0.25
    client.org.fault("html", "rest.limits", times=1)
    page = client.call("GET", "limits")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    client.org.fault("garbage", "rest.limits", times=1)
    with pytest.raises(requests.JSONDecodeError):
        client.call("GET", "limits").json()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UNKNOWN_EXCEPTION", "An unexpected error occurred"),
        ("ALREADY_IN_PROCESS", "temporarily lock your organization's administration setup"),
    ],
)
def test_a_deployment_fails_as_a_whole(client: Client, code: str, words: str) -> None:
    client.org.fault("deploy_error", "deploy.run", times=1, code=code)
    result = client.deploy(class_with_test("Foo"), CLASSES)
    assert (result["status"], result["errorStatusCode"]) == ("Failed", code)
    assert words in result["errorMessage"]
    assert result["details"]["componentFailures"] == []
    assert client.deploy(class_with_test("Foo"), CLASSES)["success"]


def test_a_component_meets_a_lock(client: Client) -> None:
    rule = {"code": "UNABLE_TO_LOCK_ROW", "component": "FooTest"}
    client.org.fault("component_error", "deploy.run", times=1, **rule)
    result = client.deploy(class_with_test("Foo"), CLASSES)
    assert problems(result) == [
        ("ApexClass", "FooTest", "unable to obtain exclusive access to this record")
    ]
    assert client.org.components() == set()


def test_without_rollback_a_lock_leaves_the_rest(client: Client) -> None:
    rule = {"code": "UNABLE_TO_LOCK_ROW", "component": "FooTest"}
    client.org.fault("component_error", "deploy.run", times=1, **rule)
    result = client.deploy(class_with_test("Foo"), CLASSES, rollbackOnError=False)
    assert (result["status"], client.org.components()) == ("SucceededPartial", {"ApexClass:Foo"})


def test_a_deployment_that_never_ends_can_be_cancelled(client: Client) -> None:
    client.org.fault("never_ends", "deploy.run", times=1)
    identifier = client.start(class_with_test("Foo"), CLASSES)
    time.sleep(0.3)
    assert client.status(identifier)["status"] == "InProgress"
    wish = {"deployResult": {"status": "Canceling"}}
    client.call("PATCH", f"metadata/deployRequest/{identifier}", json=wish)
    assert client.wait(identifier)["status"] == "Canceled"


def test_rules_skip_and_repeat_by_their_seed(client: Client) -> None:
    client.org.fault("status", "rest.limits", skip=2, times=1)
    statuses = [client.call("GET", "limits").status_code for _ in range(4)]
    assert statuses == [200, 200, 503, 200]

    def draw() -> list[int]:
        client.org.clear_faults()
        client.org.fault("status", "rest.limits", probability=0.5, seed=7)
        return [client.call("GET", "limits").status_code for _ in range(12)]

    assert set(draw()) == {200, 503}


def test_the_jump_of_the_clock_ends_what_was_running(client: Client) -> None:
    client.org.simulator.set_speed(0.01)
    identifier = client.start(class_with_test("Foo"), CLASSES)
    client.org.fault("jump", "deploy.status", times=2, seconds=3000)
    time.sleep(0.1)
    client.status(identifier)
    time.sleep(0.5)
    client.status(identifier)
    assert client.wait(identifier)["success"]


def test_an_unknown_kind_is_refused(client: Client) -> None:
    with pytest.raises(RuntimeError, match="There is no fault 'earthquake'"):
        client.org.fault("earthquake")


def test_every_request_is_in_the_journal_with_its_call(client: Client) -> None:
    client.call("GET", "limits")
    client.call("GET", "nonsense")
    client.deploy(class_with_test("Foo"), CLASSES)
    calls = [entry["call"] for entry in client.org.requests()]
    assert calls[:4] == ["oauth.token", "rest.limits", "unknown", "deploy.start"]
    assert set(calls[4:]) == {"deploy.status"}
    (start,) = client.org.requests("deploy.start")
    assert (start["status"], start["effect"].split()[0]) == (201, "deploy")
    warnings = client.org.simulator.admin("GET", "/warnings")
    assert any("nonsense" in entry["message"] for entry in warnings)
