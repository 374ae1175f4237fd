"""Several calls in one request, and sandboxes in the Connect form."""

from typing import Any

import pytest

from tests.simulator.packages import Client
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def client(simulator: SimulatorProcess) -> Client:
    return Client(simulator.org())


def call(method: str, path: str, reference: str, body: Any = None) -> dict[str, Any]:
    url = f"/services/data/v64.0/{path}"
    return {"method": method, "url": url, "referenceId": reference, "body": body}


def test_later_calls_use_what_earlier_ones_answered(client: Client) -> None:
    calls = [
        call("POST", "sobjects/Account", "acc", {"Name": "A"}),
        call("POST", "sobjects/Contact", "con", {"LastName": "B", "AccountId": "@{acc.id}"}),
        call("GET", "query?q=SELECT+Id,(SELECT+LastName+FROM+Contacts)+FROM+Account", "all"),
    ]
    answer = client.call("POST", "composite", json={"compositeRequest": calls}).json()
    assert [e["httpStatusCode"] for e in answer["compositeResponse"]] == [201, 201, 200]
    (account,) = answer["compositeResponse"][2]["body"]["records"]
    assert [c["LastName"] for c in account["Contacts"]["records"]] == ["B"]


def test_all_or_none_leaves_nothing(client: Client) -> None:
    calls = [
        call("POST", "sobjects/Account", "one", {"Name": "A"}),
        call("POST", "sobjects/Account", "two", {"Nonsense": "A"}),
    ]
    body = {"allOrNone": True, "compositeRequest": calls}
    answer = client.call("POST", "composite", json=body).json()["compositeResponse"]
    assert answer[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert answer[1]["body"][0]["errorCode"] == "INVALID_FIELD"
    assert client.rows("SELECT Id FROM Account") == []


def test_collections_of_records(client: Client) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": n} for n in ("A", "B")]
    made = client.call("POST", "composite/sobjects", json={"records": records}).json()
    assert [entry["success"] for entry in made] == [True, True]
    changed = [{"attributes": {"type": "Account"}, "id": made[0]["id"], "Name": "C"}]
    client.call("PATCH", "composite/sobjects", json={"records": changed})
    client.call("DELETE", "composite/sobjects", params={"ids": made[1]["id"]})
    assert client.rows("SELECT Name FROM Account") == [{"Name": "C"}]


def test_sandboxes_in_the_connect_form(client: Client) -> None:
    body = {"SandboxName": "dev", "LicenseType": "DEVELOPER"}
    client.call("POST", "tooling/sobjects/SandboxInfo", json=body)
    report = client.call("GET", "sandbox/reports").json()
    (entry,) = report["sandboxes"]
    assert entry["sandbox"]["sandboxName"] == "dev"
    assert not entry["sandbox"]["canActivate"]
    refused = client.call("PATCH", f"sandbox/activate/{entry['sandbox']['sandboxId']}", json={})
    assert refused.json()[0]["errorCode"] == "INVALID_STATUS"
