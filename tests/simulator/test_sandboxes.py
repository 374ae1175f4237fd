"""Sandboxes through the Tooling calls that the official command line makes."""

import time
from typing import Any

import pytest

from tests.simulator.packages import Client, class_with_test, zipped
from tests.support.simulator import SimulatedOrg, SimulatorProcess

DAY = 86400
INFO = "tooling/sobjects/SandboxInfo"
PROCESS = "tooling/sobjects/SandboxProcess"
COLUMNS = "Id, Status, SandboxName, CopyProgress, SandboxOrganization, EndDate, SandboxInfoId"


@pytest.fixture
def production(simulator: SimulatorProcess) -> Client:
    simulator.set_speed(400)
    return Client(simulator.org())


def create(client: Client, name: str = "dev1", **fields: Any) -> Any:
    body = {"SandboxName": name, "LicenseType": "Developer", **fields}
    return client.call("POST", INFO, json=body)


def newest(client: Client, info: str) -> dict[str, Any]:
    soql = " ".join(
        ("SELECT", COLUMNS, "FROM SandboxProcess WHERE", f"SandboxInfoId='{info}'",
         "ORDER BY CreatedDate DESC")
    )  # fmt: skip
    return client.rows(soql, tooling=True)[0]


def follow(client: Client, info: str, until: str) -> list[str]:
    seen: list[str] = []
    end = time.monotonic() + 20
    while not seen or seen[-1] != until:
        status = newest(client, info)["Status"]
        if not seen or seen[-1] != status:
            seen.append(status)
        assert time.monotonic() < end, seen
        time.sleep(0.01)
    return seen


def made(client: Client, name: str = "dev1", **fields: Any) -> str:
    answer = create(client, name, **fields)
    assert answer.status_code == 201, answer.text
    info = str(answer.json()["id"])
    follow(client, info, "Completed")
    return info


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def sandbox_of(client: Client, name: str = "dev1") -> dict[str, Any]:
    found: dict[str, Any] = client.org.simulator.admin("GET", f"/orgs/{client.org.name}--{name}")
    return found


def test_a_new_sandbox_holds_what_production_holds(production: Client) -> None:
    production.org.load_zip(zipped(class_with_test("Foo")))
    production.org.simulator.set_speed(60)
    info = str(create(production).json()["id"])
    assert follow(production, info, "Completed") == ["Pending", "Processing", "Completed"]
    process = newest(production, info)
    sandbox = sandbox_of(production)
    assert (process["CopyProgress"], process["EndDate"] is not None) == (100, True)
    assert process["SandboxOrganization"] == sandbox["id"][:15]
    assert sandbox["id"] != production.org.id
    assert (sandbox["is_sandbox"], sandbox["components"]) == (True, 2)
    assert f"{production.org.username}.dev1" in sandbox["users"]


def test_the_twin_of_the_caller_signs_in_by_code(production: Client) -> None:
    info = made(production)
    answer = production.call("POST", "tooling/sandboxAuth", json={"sandboxName": "dev1"})
    body = answer.json()
    assert body["authUserName"] == f"{production.org.username}.dev1"
    url = f"{body['loginUrl']}/services/oauth2/token"
    form = {
        "grant_type": "authorization_code",
        "code": body["authCode"],
        "client_id": "PlatformCLI",
    }
    token = production.org.simulator.http.post(url, data=form, timeout=10).json()
    assert token["id"].split("/")[-2] == sandbox_of(production)["id"]
    assert "refresh_token" in token
    again = production.org.simulator.http.post(url, data=form, timeout=10)
    assert again.json()["error_description"] == "invalid authorization code"
    assert info


def test_a_sandbox_that_is_not_ready_gives_no_code(production: Client) -> None:
    production.org.simulator.set_speed(1)
    create(production)
    answer = production.call("POST", "tooling/sandboxAuth", json={"sandboxName": "dev1"})
    assert error(answer) == (400, "INVALID_STATUS")


def test_a_refresh_gives_a_new_organization_and_ends_the_old_sessions(production: Client) -> None:
    info = made(production)
    before = sandbox_of(production)
    org = production.org
    old = SimulatedOrg(
        org.simulator, before["name"], before["id"], before["url"], before["users"][-1],
        org.client_id, org.client_secret, org.key,
    )  # fmt: skip
    client = Client(old)
    org.simulator.jump(DAY + 60)
    fresh = Client(org)
    client = Client(old)
    assert (
        fresh.call("PATCH", f"{INFO}/{info}", json={"LicenseType": "DEVELOPER"}).status_code == 204
    )
    follow(fresh, info, "Completed")
    after = sandbox_of(fresh)
    assert after["id"] != before["id"]
    assert after["url"] == before["url"]
    assert client.call("GET", "limits").status_code == 401
    assert Client(old).rows("SELECT Id FROM Organization") == [{"Id": after["id"]}]
    soql = "SELECT Id FROM SandboxProcess WHERE SandboxName = 'dev1'"
    assert len(fresh.rows(soql, tooling=True)) == 2


def test_a_refresh_too_early_is_refused_with_the_date(production: Client) -> None:
    info = made(production)
    answer = production.call("PATCH", f"{INFO}/{info}", json={})
    assert error(answer) == (400, "INVALID_OPERATION")
    assert "can be refreshed again after 20" in answer.json()[0]["message"]


@pytest.mark.parametrize(("licence", "days"), [("PARTIAL", 5), ("FULL", 29)])
def test_larger_sandboxes_wait_longer(simulator: SimulatorProcess, licence: str, days: int) -> None:
    simulator.set_speed(400)
    org = simulator.org()
    info = made(Client(org), LicenseType=licence, TemplateId="1ps000000000001AAA")
    simulator.jump((days - 1) * DAY)
    assert error(Client(org).call("PATCH", f"{INFO}/{info}", json={}))[1] == "INVALID_OPERATION"
    simulator.jump(DAY + 60)
    assert Client(org).call("PATCH", f"{INFO}/{info}", json={}).status_code == 204


def waiting(simulator: SimulatorProcess) -> tuple[Client, str, str]:
    """Return a client, the sandbox and the process that waits for activation."""
    simulator.set_speed(400)
    org = simulator.org()
    info = made(Client(org))
    simulator.jump(DAY + 60)
    client = Client(org)
    client.call("PATCH", f"{INFO}/{info}", json={"AutoActivate": False})
    follow(client, info, "Pending Activation")
    return client, info, newest(client, info)["Id"]


def test_without_auto_activation_the_old_copy_lives_until_activation(
    simulator: SimulatorProcess,
) -> None:
    client, info, process = waiting(simulator)
    before = sandbox_of(client)["id"]
    assert newest(client, info)["SandboxOrganization"] != before[:15]
    answer = client.call("PATCH", f"{PROCESS}/{process}", json={"RefreshAction": "ACTIVATE"})
    assert answer.status_code == 204
    follow(client, info, "Completed")
    assert sandbox_of(client)["id"][:15] == newest(client, info)["SandboxOrganization"]
    assert sandbox_of(client)["id"] != before


def test_a_discarded_copy_leaves_the_old_one(simulator: SimulatorProcess) -> None:
    client, info, process = waiting(simulator)
    before = sandbox_of(client)["id"]
    client.call("PATCH", f"{PROCESS}/{process}", json={"RefreshAction": "DISCARD"})
    follow(client, info, "Discarded")
    assert sandbox_of(client)["id"] == before
    again = client.call("PATCH", f"{PROCESS}/{process}", json={"RefreshAction": "ACTIVATE"})
    assert error(again) == (400, "INVALID_STATUS")


def test_a_clone_holds_what_its_source_holds(production: Client) -> None:
    source = made(production)
    name = f"{production.org.name}--dev1"
    body = {"path": "classes/Own.cls", "content": "public class Own { }"}
    production.org.simulator.admin("POST", f"/orgs/{name}/metadata", body)
    made(production, "dev2", SourceId=source, LicenseType=None)
    assert sandbox_of(production, "dev2")["components"] == 1


def test_a_deleted_sandbox_is_gone_and_its_name_free(production: Client) -> None:
    info = made(production)
    process = newest(production, info)["Id"]
    assert production.call("DELETE", f"{INFO}/{info}").status_code == 204
    with pytest.raises(RuntimeError, match="404"):
        sandbox_of(production)
    end = time.monotonic() + 10
    soql = " ".join(("SELECT Status FROM SandboxProcess WHERE", f"Id = '{process}'"))
    while production.rows(soql, tooling=True) != [{"Status": "Deleted"}]:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert made(production)


def test_labels_are_translated_and_conditions_take_codes(simulator: SimulatorProcess) -> None:
    simulator.set_speed(400)
    org = simulator.org(options={"language": "ja"})
    client = Client(org)
    info = str(create(client).json()["id"])
    follow(client, info, "完了")
    everything = client.rows("SELECT Status FROM SandboxProcess", tooling=True)
    assert everything == [{"Status": "完了"}]
    not_deleted = "SELECT Id FROM SandboxProcess WHERE Status NOT IN ('D','E')"
    assert len(client.rows(not_deleted, tooling=True)) == 1
    by_label = "SELECT Id FROM SandboxProcess WHERE Status = 'Completed'"
    assert client.rows(by_label, tooling=True) == []


def test_a_partial_copy_is_sampled(simulator: SimulatorProcess) -> None:
    simulator.set_speed(60)
    client = Client(simulator.org())
    answer = create(client, LicenseType="Partial", TemplateId="1ps000000000001AAA")
    seen = follow(client, answer.json()["id"], "Completed")
    assert seen == ["Pending", "Processing", "Sampling", "Completed"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"SandboxName": "much-too-long-name"}, "STRING_TOO_LONG"),
        ({"SandboxName": ""}, "REQUIRED_FIELD_MISSING"),
        ({"LicenseType": "Gold"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"LicenseType": "Partial"}, "REQUIRED_FIELD_MISSING"),
        ({"SourceId": "0GQ000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"Colour": "red"}, "INVALID_FIELD"),
        ({"HistoryDays": 7}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ],
)
def test_a_faulty_request_is_refused(production: Client, fields: dict[str, Any], code: str) -> None:
    assert error(create(production, **{"name": "dev1", **_named(fields)})) == (400, code)
    assert production.rows("SELECT Id FROM SandboxInfo", tooling=True) == []


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    return {("name" if key == "SandboxName" else key): value for key, value in fields.items()}


def test_names_and_licences_are_limited(simulator: SimulatorProcess) -> None:
    client = Client(simulator.org(options={"sandbox_licenses": {"DEVELOPER": 1}}))
    assert create(client).status_code == 201
    assert error(create(client, "DEV1"))[1] == "DUPLICATE_VALUE"
    assert error(create(client, "dev2"))[1] == "LIMIT_EXCEEDED"


def test_one_copy_at_a_time(simulator: SimulatorProcess) -> None:
    simulator.set_speed(1)
    client = Client(simulator.org())
    info = create(client).json()["id"]
    assert error(client.call("PATCH", f"{INFO}/{info}", json={}))[1] == "INVALID_STATUS"
    assert error(client.call("DELETE", f"{INFO}/{info}"))[1] == "INVALID_STATUS"


def test_only_production_manages_sandboxes(simulator: SimulatorProcess) -> None:
    client = Client(simulator.org(is_sandbox=True))
    assert error(create(client)) == (403, "INSUFFICIENT_ACCESS")


def test_sandboxes_of_a_seed_are_known_to_their_production(simulator: SimulatorProcess) -> None:
    production = simulator.org()
    options = {"license_type": "FULL", "copied_days_ago": 30}
    child = simulator.org(f"{production.name}--uat", is_sandbox=True, options=options)
    client = Client(production)
    rows = client.rows("SELECT id, SandboxName, LicenseType FROM sandboxinfo", tooling=True)
    assert [(r["SandboxName"], r["LicenseType"]) for r in rows] == [("uat", "FULL")]
    assert newest(client, rows[0]["Id"])["SandboxOrganization"] == child.id[:15]
    assert client.call("PATCH", f"{INFO}/{rows[0]['Id']}", json={}).status_code == 204


def test_a_restart_in_the_middle_of_a_copy_loses_nothing(start_simulator: Any) -> None:
    process = start_simulator(speed=20)
    client = Client(process.org())
    info = create(client).json()["id"]
    process.kill()
    process.start()
    follow(client, info, "Completed")
    assert len(client.rows("SELECT Id FROM SandboxProcess", tooling=True)) == 1


def test_plain_records_are_kept(simulator: SimulatorProcess) -> None:
    client = Client(simulator.org())
    answer = client.call("POST", "sobjects/account", json={"name": "Acme", "Phone": "1"})
    identifier = answer.json()["id"]
    assert (answer.status_code, identifier[:3]) == (201, "001")
    client.call("PATCH", f"sobjects/Account/{identifier}", json={"Phone": "2"})
    assert client.rows("SELECT Name, Phone FROM Account") == [{"Name": "Acme", "Phone": "2"}]
    assert client.call("GET", f"sobjects/Account/{identifier}").json()["Name"] == "Acme"
    assert error(client.call("POST", "sobjects/Account", json={"Nope": 1})) == (
        400,
        "INVALID_FIELD",
    )
    assert client.call("DELETE", f"sobjects/Account/{identifier}").status_code == 204
    assert client.rows("SELECT Id FROM Account") == []
    refused = client.call("POST", "sobjects/User", json={"Username": "a@b.c"})
    assert error(refused) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
