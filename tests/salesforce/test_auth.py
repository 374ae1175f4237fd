"""Signing in, against an org that answers as scripted."""

import time
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.errors import ExternalFault, InvalidInput
from salesforce import auth
from salesforce.hosts import Hosts
from salesforce.types import Session
from tests.salesforce.conftest import pem
from tests.salesforce.scripted import ORG_ID, USER_ID, Answer, Scripted, json_answer, page

TOKEN = "/services/oauth2/token"


def sign_in(hosts: Hosts, server: Scripted, private_key: str) -> Session:
    return auth.jwt_bearer(
        hosts,
        login_host=server.host,
        client_id="key",
        username="release@acme.example",
        private_key=private_key,
    )


def test_jwt_bearer_signs_in_as_the_user_with_the_hosts_own_audience(
    server: Scripted, hosts: Hosts, private_key: str
) -> None:
    server.on("POST", TOKEN, server.token())
    session = sign_in(hosts, server, private_key)
    assert (session.instance_url, session.organization_id) == (server.url, ORG_ID)
    assert session.user_id == USER_ID
    form = parse_qs(server.calls[0].body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    public = load_pem_private_key(private_key.encode(), None).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    claims = jwt.decode(form["assertion"][0], public, ["RS256"], audience=server.url)
    assert (claims["iss"], claims["sub"]) == ("key", "release@acme.example")
    assert 0 < claims["exp"] - time.time() <= 300


def test_client_credentials_go_in_the_authorization_header(server: Scripted, hosts: Hosts) -> None:
    server.on("POST", TOKEN, server.token())
    auth.client_credentials(hosts, login_host=server.host, client_id="key", client_secret="s3cret")
    call = server.calls[0]
    assert call.headers["authorization"] == "Basic a2V5OnMzY3JldA=="
    assert call.body == b"grant_type=client_credentials"


def test_client_credentials_need_my_domain() -> None:
    with pytest.raises(InvalidInput) as refused:
        auth.client_credentials(
            Hosts.of(), login_host="login.salesforce.com", client_id="key", client_secret="s"
        )
    assert refused.value.code == "host.my_domain_needed"


def test_the_token_is_in_no_repr(server: Scripted, hosts: Hosts, private_key: str) -> None:
    server.on("POST", TOKEN, server.token())
    assert "00D!token" not in repr(sign_in(hosts, server, private_key))


@pytest.mark.parametrize(
    "instance",
    [
        "https://evil.com",
        "https://acme.my.salesforce.com.evil.com",
        "https://acme.my.salesforce.com:8443",
        "http://acme.my.salesforce.com",
        "https://x@acme.my.salesforce.com",
        "https://169.254.169.254",
    ],
)
def test_an_instance_outside_the_allow_list_is_refused(
    server: Scripted, hosts: Hosts, private_key: str, instance: str
) -> None:
    server.on("POST", TOKEN, server.token(instance_url=instance))
    with pytest.raises(ExternalFault) as refused:
        sign_in(hosts, server, private_key)
    assert refused.value.code == "org.instance_not_allowed"
    assert not refused.value.retryable
    assert server.paths() == [f"POST {TOKEN}"]


def test_a_redirect_of_the_login_host_is_not_followed(
    server: Scripted, hosts: Hosts, private_key: str
) -> None:
    server.on("POST", TOKEN, Answer(302, headers={"Location": f"{server.url}/elsewhere"}))
    server.on("POST", "/elsewhere", server.token())
    server.on("GET", "/elsewhere", server.token())
    with pytest.raises(ExternalFault) as refused:
        sign_in(hosts, server, private_key)
    assert refused.value.code == "org.redirected"
    assert server.paths() == [f"POST {TOKEN}"]


@pytest.mark.parametrize(
    ("error", "description", "hint"),
    [
        ("invalid_grant", "user hasn't approved this consumer", "Pre-authorise"),
        ("invalid_grant", "audience is invalid", "login host"),
        ("invalid_client_id", "client identifier invalid", "consumer key"),
        ("invalid_client", "invalid client credentials", "secret is wrong"),
        ("invalid_grant", "invalid assertion", "private key"),
        ("inactive_org", "inactive organization", "refreshed"),
        ("invalid_grant", "something new", "Check the credential"),
    ],
)
def test_a_refused_sign_in_says_what_to_do(
    server: Scripted, hosts: Hosts, private_key: str, error: str, description: str, hint: str
) -> None:
    server.on("POST", TOKEN, json_answer({"error": error, "error_description": description}, 400))
    with pytest.raises(ExternalFault) as refused:
        sign_in(hosts, server, private_key)
    assert refused.value.code == "org.refused_login"
    assert not refused.value.retryable
    assert description in refused.value.message
    assert hint in refused.value.message
    assert server.host in refused.value.message


def test_a_secret_refused_with_401_is_a_refused_sign_in(server: Scripted, hosts: Hosts) -> None:
    server.on(
        "POST",
        TOKEN,
        json_answer({"error": "invalid_client", "error_description": "bad secret"}, 401),
    )
    with pytest.raises(ExternalFault) as refused:
        auth.client_credentials(hosts, login_host=server.host, client_id="k", client_secret="s")
    assert refused.value.code == "org.refused_login"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (page(), "org.answer_malformed"),
        (page(503), "org.html_answer"),
        (json_answer([]), "org.answer_malformed"),
        (json_answer({"access_token": "x"}), "org.answer_malformed"),
        (Answer(200, b'{"access_token": "x"', "application/json"), "org.answer_malformed"),
    ],
    ids=["page", "maintenance", "list", "no instance", "broken json"],
)
def test_an_answer_that_is_no_token_is_a_fault(
    server: Scripted, hosts: Hosts, private_key: str, answer: Answer, code: str
) -> None:
    server.on("POST", TOKEN, answer)
    with pytest.raises(ExternalFault) as refused:
        sign_in(hosts, server, private_key)
    assert refused.value.code == code


def test_a_token_that_names_no_organization_is_a_fault(
    server: Scripted, hosts: Hosts, private_key: str
) -> None:
    server.on("POST", TOKEN, server.token(id="https://login.salesforce.com/id/x/y"))
    with pytest.raises(ExternalFault) as refused:
        sign_in(hosts, server, private_key)
    assert refused.value.code == "org.answer_malformed"


def test_nothing_is_sent_to_a_host_with_a_foreign_certificate(
    server: Scripted, private_key: str
) -> None:
    strict = Hosts.of([server.host])
    with pytest.raises(ExternalFault) as refused:
        sign_in(strict, server, private_key)
    assert refused.value.code == "org.certificate"
    assert server.calls == []


def test_a_host_that_is_not_there_is_unreachable(hosts: Hosts, private_key: str) -> None:
    free = Hosts.of(["gone.localhost:1"])
    with pytest.raises(ExternalFault) as refused:
        auth.jwt_bearer(
            free,
            login_host="gone.localhost:1",
            client_id="k",
            username="u",
            private_key=private_key,
        )
    assert refused.value.code == "org.unreachable"
    assert refused.value.retryable
    assert "gone.localhost:1" in refused.value.message


def test_only_a_long_rsa_key_is_taken() -> None:
    with pytest.raises(InvalidInput) as malformed:
        auth.require_rsa_key("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    assert malformed.value.code == "key.malformed"
    with pytest.raises(InvalidInput) as short:
        auth.require_rsa_key(pem(rsa.generate_private_key(65537, 1024)))  # noqa: S505
    assert short.value.code == "key.too_short"
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(InvalidInput) as other:
        auth.require_rsa_key(elliptic.decode())
    assert other.value.code == "key.too_short"


def test_a_key_with_a_password_is_refused(private_key: str) -> None:
    key = load_pem_private_key(private_key.encode(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"pw"),
    )
    with pytest.raises(InvalidInput) as refused:
        auth.require_rsa_key(locked.decode())
    assert refused.value.code == "key.malformed"
