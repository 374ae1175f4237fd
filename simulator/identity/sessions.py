"""Sessions: tokens that name their org, expire, and die with their org."""

import secrets
from dataclasses import dataclass

from simulator.transport.messages import Request
from simulator.world import Org, Person, World

LIFETIME_SECONDS = 2 * 60 * 60
REFRESH = "refresh"
ACCESS = "access"
CODE = "code"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "login.localhost", "test.localhost")


@dataclass(frozen=True, slots=True)
class Session:
    """Who is calling, and in which org."""

    token: str
    org: Org
    person: Person


def issue(world: World, org: Org, person: Person, client_id: str, kind: str = ACCESS) -> str:
    """Make a token; access tokens live as long as the org's session time-out says."""
    now = world.clock.now()
    lifetime = float(org.options.get("session_seconds", LIFETIME_SECONDS))
    token = f"{org.id[:15]}!AQ{secrets.token_urlsafe(60).replace('-', '_')}"
    world.store.run(
        "insert into token (token, org, person, client_id, kind, issued_at, expires_at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        token,
        org.id,
        person.id,
        client_id,
        kind,
        now,
        None if kind == REFRESH else now + lifetime,
    )
    return token


def of_token(world: World, token: str, kind: str = ACCESS) -> Session | None:
    """Return the living session of a token; None for unknown, expired, inactive."""
    row = world.store.row("select * from token where token = ? and kind = ?", token, kind)
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= world.clock.now()):
        return None
    org = world.org(row["org"])
    person = world.person(row["person"])
    if org is None or not org.active or person is None or not person.active:
        return None
    _keep_alive(world, org, token, row["expires_at"])
    return Session(token, org, person)


def _keep_alive(world: World, org: Org, token: str, expires_at: float | None) -> None:
    if expires_at is None:
        return
    lifetime = float(org.options.get("session_seconds", LIFETIME_SECONDS))
    now = world.clock.now()
    if expires_at - now < lifetime / 2:  # the platform extends a session in its second half
        world.store.run("update token set expires_at = ? where token = ?", now + lifetime, token)


def of_request(world: World, request: Request, org: Org | None) -> Session | None:
    """Return the session of a request's bearer token, if it belongs to the addressed org."""
    scheme, _, token = request.header("Authorization").partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        return None
    return matching(of_token(world, token.strip()), org)


def matching(session: Session | None, org: Org | None) -> Session | None:
    """Return the session unless it was given out by another org than the addressed one."""
    if session is None or (org is not None and org.id != session.org.id):
        return None
    return session


def revoke(world: World, token: str) -> bool:
    """End a token's life; say whether there was one."""
    return bool(world.store.run("delete from token where token = ?", token))


def end_all(world: World, org_id: str) -> None:
    """End every session of an org."""
    world.store.run("delete from token where org = ?", org_id)


def base_for(world: World, org: Org, request: Request) -> str:
    """Return the address at which this client should go on.

    Clients that came by 127.0.0.1 stay there, since many systems do not resolve *.localhost.
    """
    if request.host not in ("127.0.0.1", "localhost"):
        return world.base_url(org)
    return f"{'http' if world.plain else 'https'}://{request.host}:{world.port}"


def addressed(world: World, request: Request) -> Org | None:
    """Return the org that the host name means; None on the shared loopback hosts."""
    host = request.host
    if host in LOOPBACK_HOSTS:
        return None
    return world.org_named(host.split(".")[0])
