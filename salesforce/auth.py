"""Signing in: JWT bearer and client credentials. Never a password.

Both flows POST a form to ``/services/oauth2/token`` of the login host. What comes back is believed
only in part: the ``instance_url`` has to be on the allow-list, and the organisation is the one
that the ``id`` URL names (its last two segments; docs page remoteaccess_using_openid).
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.errors import ExternalFault, InvalidInput
from salesforce import faults, ids
from salesforce.hosts import LOGIN_HOSTS, Address, Hosts
from salesforce.types import Session
from salesforce.wire import Wire

JWT_SECONDS = 180
"""Life of an assertion; Salesforce takes at most five minutes."""

MIN_KEY_BITS = 2048
_GRANT_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def jwt_bearer(
    hosts: Hosts, *, login_host: str, client_id: str, username: str, private_key: str
) -> Session:
    """Sign in as a pre-authorised user with an assertion signed by the app's RSA key.

    Raises InvalidInput (``host.*``, ``key.*``) and ExternalFault (``org.*``).
    """
    login = hosts.require(login_host)
    claims = {
        "iss": client_id,
        "sub": username,
        "aud": hosts.audience(login),
        "exp": int(time.time()) + JWT_SECONDS,
    }
    assertion = jwt.encode(claims, require_rsa_key(private_key), algorithm="RS256")
    return _token(hosts, login, {"grant_type": _GRANT_JWT, "assertion": assertion})


def client_credentials(
    hosts: Hosts, *, login_host: str, client_id: str, client_secret: str
) -> Session:
    """Sign in as the app's “run as” user; works on My Domain hosts only.

    Raises InvalidInput (``host.*``) and ExternalFault (``org.*``).
    """
    login = hosts.require(login_host)
    require_my_domain(login)
    return _token(
        hosts, login, {"grant_type": "client_credentials"}, basic=(client_id, client_secret)
    )


def require_my_domain(login: Address) -> None:
    """Refuse the two common login hosts. Raises InvalidInput ``host.my_domain_needed``."""
    if login.host in LOGIN_HOSTS:
        raise InvalidInput(
            "host.my_domain_needed",
            "Client credentials work only on the org's own My Domain address "
            "(acme.my.salesforce.com), not on the common login hosts.",
            field="login_host",
        )


def require_rsa_key(pem: str) -> RSAPrivateKey:
    """Return the private key. Raises InvalidInput ``key.malformed`` or ``key.too_short``."""
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput(
            "key.malformed",
            "This is not an unencrypted private key in PEM form: paste the whole file, from "
            "“-----BEGIN PRIVATE KEY-----” to the end line.",
            field="private_key",
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise InvalidInput(
            "key.too_short",
            f"Salesforce takes RSA keys of at least {MIN_KEY_BITS} bits here; this is another "
            "kind or a shorter one.",
            field="private_key",
        )
    return key


def _token(
    hosts: Hosts, login: Address, form: dict[str, str], basic: tuple[str, str] | None = None
) -> Session:
    with Wire(hosts) as wire:
        try:
            response = wire.request(
                "POST",
                f"{login.url}/services/oauth2/token",
                data=form,
                auth=basic,
                headers={"Accept": "application/json"},
            )
        except ExternalFault as fault:
            raise _refused(login, fault) from None
    try:
        answer = response.json()
    except ValueError:
        raise faults.malformed(str(login), "a token answer that is not JSON") from None
    if not isinstance(answer, dict):
        raise faults.malformed(str(login), "a token answer of another form")
    return _session(hosts, login, answer)


def _refused(login: Address, fault: ExternalFault) -> ExternalFault:
    """Tell a refused credential from a host that cannot serve just now."""
    error = str(fault.facts.get("error_code", ""))
    if fault.code == "org.session_expired":
        return faults.of_login(str(login), "invalid_client", "invalid client credentials")
    if fault.code == "org.refused" and error:
        return faults.of_login(str(login), error, str(fault.facts.get("error_text", "")))
    return fault


def _session(hosts: Hosts, login: Address, answer: dict[str, object]) -> Session:
    token, instance = answer.get("access_token"), answer.get("instance_url")
    if not isinstance(token, str) or not token or not isinstance(instance, str):
        raise faults.malformed(str(login), "a token answer without token or instance")
    try:
        address = hosts.require(instance)
    except InvalidInput:
        raise ExternalFault(
            "org.instance_not_allowed",
            f"{login} sent Gatehouse on to “{instance[:80]}”, which is not an allowed address of "
            "an org, so nothing was sent there.",
            retryable=False,
            host=str(login),
        ) from None
    segments = urlsplit(str(answer.get("id", ""))).path.strip("/").split("/")
    if len(segments) < 2 or not ids.is_id(segments[-2]) or not ids.is_id(segments[-1]):
        raise faults.malformed(str(login), "a token answer that names no organisation")
    return Session(token, address.url, ids.long_id(segments[-2]), ids.long_id(segments[-1]))
