"""The token endpoint and its neighbours, refusing in the platform's words.

JWT bearer: RS256 over the app's certificate; iss is the client id, sub the username, aud a login
host or the org's own address; exp may be a number or text, in seconds or in milliseconds
(simple-salesforce sends text, the official command line milliseconds).
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulator.identity import sessions
from simulator.store import Row
from simulator.sure import sure
from simulator.transport.messages import Request, Response, as_json
from simulator.world import Org, Person, World

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_AUDIENCES = ("login.salesforce.com", "test.salesforce.com")
CLI_CLIENT = "PlatformCLI"
MILLISECONDS_FROM = 10**11
SCOPE = "api refresh_token"


class Denied(Exception):
    """A token is refused: the OAuth error and its description."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


def token(world: World, request: Request, org: Org | None) -> Response:
    """Answer POST /services/oauth2/token."""
    form = request.form()
    grants: dict[str, Callable[[], tuple[Org, Person, str, bool]]] = {
        JWT_GRANT: lambda: _jwt(world, form, org),
        "client_credentials": lambda: _client_credentials(world, request, form, org),
        "refresh_token": lambda: _exchange(world, form, org, sessions.REFRESH),
        "authorization_code": lambda: _exchange(world, form, org, sessions.CODE),
        "password": lambda: _password(world, form, org),
    }
    try:
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise Denied("unsupported_grant_type", "grant type not supported")
        found, person, client_id, refresh = grant()
    except Denied as denied:
        refusal = {"error": denied.error, "error_description": denied.description}
        return as_json(refusal, denied.status)
    if not found.active:
        return as_json(
            {"error": "inactive_org", "error_description": "organization is inactive"}, 400
        )
    base = sessions.base_for(world, found, request)
    answer = _answer(world, found, person, client_id, base)
    if refresh:
        answer["refresh_token"] = sessions.issue(world, found, person, client_id, sessions.REFRESH)
    return as_json(answer, effect=f"session for {person.username}")


def _answer(world: World, org: Org, person: Person, client_id: str, base: str) -> dict[str, Any]:
    return {
        "access_token": sessions.issue(world, org, person, client_id),
        "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
        "scope": SCOPE,
        "instance_url": base,
        "id": f"{base}/id/{org.id}/{person.id}",
        "token_type": "Bearer",
        "issued_at": str(int(world.clock.now() * 1000)),
    }


def _app(world: World, client_id: str, org: Org | None) -> list[Row]:
    if org is not None:
        sql = "select * from app where client_id = ? and org = ?"
        return world.store.rows(sql, client_id, org.id)
    return world.store.rows("select * from app where client_id = ?", client_id)


def _jwt(world: World, form: dict[str, str], org: Org | None) -> tuple[Org, Person, str, bool]:
    header, claims, signed, signature = _split(form.get("assertion", ""))
    apps = _app(world, str(claims.get("iss", "")), org)
    if not apps:
        raise Denied("invalid_client_id", "client identifier invalid")
    if header.get("alg") != "RS256" or not any(
        _verifies(app["certificate"], signed, signature) for app in apps
    ):
        raise Denied("invalid_grant", "invalid assertion")
    if _expiry(claims.get("exp")) <= time.time():
        raise Denied("invalid_grant", "expired authorization code")
    person = _person(world, str(claims.get("sub", "")), apps)
    home = sure(world.org(person.org), "every person has an org")
    if not _audience_fits(world, str(claims.get("aud", "")), home):
        raise Denied("invalid_grant", "audience is invalid")
    app = next(app for app in apps if app["org"] == home.id)
    allowed = app["usernames"]
    if allowed is not None and person.username.lower() not in json.loads(allowed):
        raise Denied("invalid_app_access", "user is not admin approved to access this app")
    return home, person, app["client_id"], False


def _split(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    try:
        head, body, signature = assertion.split(".")
        parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (head, body)]
        header, claims = (json.loads(part) for part in parts)
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except (ValueError, binascii.Error) as error:
        raise Denied("invalid_grant", "invalid assertion") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Denied("invalid_grant", "invalid assertion")
    return header, claims, f"{head}.{body}".encode(), raw


def _verifies(certificate: str | None, signed: bytes, signature: bytes) -> bool:
    if not certificate:
        return False
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _expiry(claim: object) -> float:
    try:
        value = float(str(claim))
    except ValueError:
        raise Denied("invalid_grant", "invalid assertion") from None
    return value / 1000 if value >= MILLISECONDS_FROM else value


def _person(world: World, username: str, apps: list[Row]) -> Person:
    homes = {app["org"] for app in apps}
    row = world.store.row("select id from person where username = ? and active = 1", username)
    person = None if row is None else world.person(row["id"])
    if person is None or person.org not in homes:
        raise Denied("invalid_grant", "user hasn't approved this consumer")
    return person


def _audience_fits(world: World, audience: str, org: Org) -> bool:
    parts = urlsplit(audience if "//" in audience else f"//{audience}")
    if parts.hostname in LOGIN_AUDIENCES:
        return True
    if parts.hostname not in (org.host, *sessions.LOOPBACK_HOSTS):
        return False
    return parts.port in (None, world.port)


def _client_credentials(
    world: World, request: Request, form: dict[str, str], org: Org | None
) -> tuple[Org, Person, str, bool]:
    client_id, secret = _client(request, form)
    if org is None:
        raise Denied("invalid_grant", "request not supported on this domain")
    apps = _app(world, client_id, org)
    if not apps:
        raise Denied("invalid_client_id", "client identifier invalid")
    app = apps[0]
    if not app["client_secret"] or not secrets.compare_digest(app["client_secret"], secret):
        raise Denied("invalid_client", "invalid client credentials")
    if app["run_as"]:
        people = [p for p in world.people(org.id) if p.username == app["run_as"] and p.active]
    else:
        people = [p for p in world.people(org.id) if p.active]
    if not people:
        raise Denied("invalid_grant", "no client credentials user enabled")
    return org, people[0], client_id, False


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, value = request.header("Authorization").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except (ValueError, binascii.Error) as error:
        raise Denied("invalid_client", "invalid client credentials") from error
    return client_id, secret


def _exchange(
    world: World, form: dict[str, str], org: Org | None, kind: str
) -> tuple[Org, Person, str, bool]:
    field, words = (
        ("refresh_token", "expired access/refresh token")
        if kind == sessions.REFRESH
        else ("code", "invalid authorization code")
    )
    held = sessions.matching(sessions.of_token(world, form.get(field, ""), kind), org)
    row = world.store.row("select client_id from token where token = ?", form.get(field, ""))
    if held is None or row is None:
        raise Denied("invalid_grant", words)
    if row["client_id"] not in (form.get("client_id", ""), CLI_CLIENT):
        raise Denied("invalid_client_id", "client identifier invalid")
    if kind == sessions.CODE:
        sessions.revoke(world, form.get(field, ""))
    return held.org, held.person, row["client_id"], kind == sessions.CODE


def _password(world: World, form: dict[str, str], org: Org | None) -> tuple[Org, Person, str, bool]:
    apps = _app(world, form.get("client_id", ""), org)
    if not apps:
        raise Denied("invalid_client_id", "client identifier invalid")
    person = by_password(world, form.get("username", ""), form.get("password", ""))
    if person is None or person.org not in {app["org"] for app in apps}:
        raise Denied("invalid_grant", "authentication failure")
    home = sure(world.org(person.org), "every person has an org")
    return home, person, form.get("client_id", ""), False


def by_password(world: World, username: str, password: str) -> Person | None:
    """Return the active user with that password; users without one cannot sign in so."""
    row = world.store.row("select id from person where username = ? and active = 1", username)
    person = None if row is None else world.person(row["id"])
    if person is None or not person.password:
        return None
    return person if secrets.compare_digest(person.password, password) else None


def userinfo(world: World, request: Request, org: Org | None) -> Response:
    """Answer /services/oauth2/userinfo and the identity address /id/<org>/<user>."""
    session = sessions.of_request(world, request, org)
    if session is None:
        return Response(403, b"Bad_OAuth_Token", "text/html;charset=UTF-8")
    base, person = sessions.base_for(world, session.org, request), session.person
    return as_json(
        {
            "sub": f"{base}/id/{session.org.id}/{person.id}",
            "id": f"{base}/id/{session.org.id}/{person.id}",
            "user_id": person.id,
            "organization_id": session.org.id,
            "preferred_username": person.username,
            "username": person.username,
            "nickname": person.username.split("@")[0],
            "name": person.full_name,
            "display_name": person.full_name,
            "email": person.email,
            "email_verified": True,
            "active": person.active,
            "user_type": "STANDARD",
            "zoneinfo": "GMT",
            "urls": {"rest": f"{base}/services/data/v{{version}}/"},
        }
    )


def revoke(world: World, request: Request) -> Response:
    """Answer /services/oauth2/revoke: 200 for a living token, 400 for any other."""
    value = request.form().get("token") or request.query.get("token", "")
    if sessions.revoke(world, value):
        return Response(200, b"", effect="session revoked")
    refusal = {
        "error": "unsupported_token_type",
        "error_description": "this token is not supported",
    }
    return as_json(refusal, 400)
