"""Signing in, and what happens to sessions."""

import time
from typing import Any

import jwt
import pytest

from tests.simulator.packages import Client
from tests.support.simulator import SimulatedOrg, SimulatorProcess, app_key

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def org(simulator: SimulatorProcess) -> SimulatedOrg:
    return simulator.org()


def ask(org: SimulatedOrg, url: str = "", **form: str) -> Any:
    return org.simulator.http.post(f"{url or org.url}/services/oauth2/token", data=form, timeout=10)


def assertion(org: SimulatedOrg, **changes: Any) -> str:
    claims = {
        "iss": org.client_id,
        "sub": org.username,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
        **changes,
    }
    key = changes.pop("key", None) or org.key.private_pem
    return jwt.encode({k: v for k, v in claims.items() if k != "key"}, key, algorithm="RS256")


def in_seconds(offset: int) -> int:
    return int(time.time()) + offset


@pytest.mark.parametrize(
    "audience",
    ["https://login.salesforce.com", "https://test.salesforce.com/", "own", "own/", "local"],
)
def test_a_jwt_for_any_fitting_audience_gives_a_session(org: SimulatedOrg, audience: str) -> None:
    own = {
        "own": org.url,
        "own/": f"{org.url}/",
        "local": f"https://127.0.0.1:{org.simulator.port}",
    }
    answer = ask(
        org, grant_type=JWT_GRANT, assertion=assertion(org, aud=own.get(audience, audience))
    )
    body = answer.json()
    assert answer.status_code == 200
    assert body["instance_url"] == org.url
    assert body["id"].split("/")[-2] == org.id
    assert body["access_token"].startswith(org.id[:15] + "!")
    assert Client(org, body["access_token"]).rows("SELECT Id FROM Organization") == [{"Id": org.id}]


@pytest.mark.parametrize(
    "shape",
    [str, lambda seconds: seconds * 1000, int],
    ids=["text as simple-salesforce", "milliseconds as the command line", "number"],
)
def test_every_shape_of_expiry_is_understood(org: SimulatedOrg, shape: Any) -> None:
    now, was = in_seconds(100), in_seconds(-100)
    good = ask(org, grant_type=JWT_GRANT, assertion=assertion(org, exp=shape(now)))
    late = ask(org, grant_type=JWT_GRANT, assertion=assertion(org, exp=shape(was)))
    assert good.status_code == 200
    assert late.json() == {
        "error": "invalid_grant",
        "error_description": "expired authorization code",
    }


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@x.y"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://evil.example"}, "invalid_grant", "audience is invalid"),
        ({"aud": "https://other.localhost"}, "invalid_grant", "audience is invalid"),
        ({"key": app_key("foreign").private_pem}, "invalid_grant", "invalid assertion"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_a_wrong_jwt_is_refused(
    org: SimulatedOrg, changes: dict[str, Any], error: str, words: str
) -> None:
    answer = ask(org, grant_type=JWT_GRANT, assertion=assertion(org, **changes))
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": words}


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "€.€.€"])
def test_what_is_no_jwt_is_an_invalid_assertion(org: SimulatedOrg, text: str) -> None:
    answer = ask(org, grant_type=JWT_GRANT, assertion=text)
    assert answer.json()["error_description"] == "invalid assertion"


def test_a_user_that_the_app_does_not_admit_is_refused(simulator: SimulatorProcess) -> None:
    org = simulator.org()
    path = f"/orgs/{org.name}/apps"
    app = {"client_id": "narrow", "certificate_pem": org.key.certificate_pem, "users": ["x@y.z"]}
    simulator.admin("POST", path, app)
    answer = ask(org, grant_type=JWT_GRANT, assertion=assertion(org, iss="narrow"))
    assert answer.json()["error"] == "invalid_app_access"


def test_the_shared_login_host_finds_the_org_by_user(org: SimulatedOrg) -> None:
    shared = f"https://127.0.0.1:{org.simulator.port}"
    answer = ask(org, shared, grant_type=JWT_GRANT, assertion=assertion(org))
    assert answer.json()["id"].split("/")[-2] == org.id
    assert answer.json()["instance_url"] == shared  # not every system resolves *.localhost


def test_client_credentials_work_on_the_orgs_own_host_only(org: SimulatedOrg) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": org.client_id,
        "client_secret": org.client_secret,
    }
    assert ask(org, **form).status_code == 200
    shared = ask(org, f"https://127.0.0.1:{org.simulator.port}", **form)
    assert shared.json()["error_description"] == "request not supported on this domain"
    wrong = ask(org, **{**form, "client_secret": "x"})
    assert wrong.json() == {
        "error": "invalid_client",
        "error_description": "invalid client credentials",
    }


def test_an_unknown_grant_is_refused(org: SimulatedOrg) -> None:
    assert ask(org, grant_type="magic").json()["error"] == "unsupported_grant_type"


def test_userinfo_names_user_and_org(org: SimulatedOrg) -> None:
    headers = {"Authorization": f"Bearer {org.token()}"}
    url = f"{org.url}/services/oauth2/userinfo"
    found = org.simulator.http.get(url, headers=headers, timeout=10).json()
    assert (found["organization_id"], found["preferred_username"]) == (org.id, org.username)
    assert org.simulator.http.get(url, timeout=10).status_code == 403


def test_a_revoked_session_is_over(org: SimulatedOrg) -> None:
    client = Client(org)
    revoke = f"{org.url}/services/oauth2/revoke"
    body = {"token": client.token}
    assert org.simulator.http.post(revoke, data=body, timeout=10).status_code == 200
    refused = client.call("GET", "limits")
    assert refused.status_code == 401
    assert refused.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    assert org.simulator.http.post(revoke, data=body, timeout=10).status_code == 400


def test_a_session_ends_after_two_hours_without_use(org: SimulatedOrg) -> None:
    client = Client(org)
    org.simulator.jump(3600)
    assert client.call("GET", "limits").status_code == 200
    org.simulator.jump(2 * 3600 + 1)
    assert client.call("GET", "limits").status_code == 401


def test_a_token_of_another_org_is_refused(simulator: SimulatorProcess, org: SimulatedOrg) -> None:
    other = simulator.org()
    assert Client(org, other.token()).call("GET", "limits").status_code == 401


def test_the_loopback_address_serves_the_org_of_the_token(org: SimulatedOrg) -> None:
    answer = org.simulator.http.get(
        f"https://127.0.0.1:{org.simulator.port}/services/data/v64.0/query",
        params={"q": "SELECT Id FROM Organization"},
        headers={"Authorization": f"Bearer {org.token()}"},
        timeout=10,
    )
    assert answer.json()["records"][0]["Id"] == org.id
