"""The only place that opens an org, and the only reader of org credentials.

What is sealed says what it is for: login host, organisation and environment. Each of them is
compared with the row before a byte is sent, so a credential that was moved to another row, or
whose address was edited underneath it, opens nothing. The session is believed only after the org
itself said which organisation it is.

Every refusal here is an ExternalFault with a sentence for the page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.conf import settings

from core.errors import ExternalFault, InvalidInput
from core.unsealing import unseal
from environments.models import Credential, Environment
from environments.states import Flow, Kind
from salesforce import auth
from salesforce.client import Org
from salesforce.hosts import Hosts
from salesforce.types import Organization, Session

SESSION_SECONDS = 600
"""How long a session is used again within one process before signing in anew."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An org and what it said it is, before the product believes it."""

    org: Org
    organization: Organization


@dataclass(slots=True)
class _Sessions:
    """Sessions of this process, by everything that they were signed in with."""

    kept: dict[tuple[object, ...], tuple[float, Session]] = field(default_factory=dict)

    def get(self, key: tuple[object, ...], sign_in: Callable[[], Session]) -> Session:
        """Return a fresh enough session, or sign in."""
        since, session = self.kept.get(key, (0.0, None))
        if session is None or time.monotonic() - since > SESSION_SECONDS:
            return self.renew(key, sign_in)
        return session

    def renew(self, key: tuple[object, ...], sign_in: Callable[[], Session]) -> Session:
        """Sign in and keep the session."""
        self.kept.pop(key, None)
        session = sign_in()
        self.kept[key] = (time.monotonic(), session)
        return session


_sessions = _Sessions()


def allowed_hosts() -> Hosts:
    """Return the installation's allow-list. A demo reaches only the hosts that it lists itself."""
    env = settings.GATEHOUSE
    ca_file = str(env.org_ca_file) if env.org_ca_file else None
    return Hosts.of(env.org_hosts, ca_file, only_listed=env.mode == "demo")


def purpose_of(kind: str) -> str:
    """Return which sealing keys a kind of org uses: production has its own."""
    return "org-production" if kind == Kind.PRODUCTION else "org-sandbox"


def open_org(environment: Environment) -> Org:
    """Open the org of an environment whose connection was checked.

    Raises ExternalFault: ``org.retired``, ``org.not_connected``, ``org.credential_elsewhere``,
    ``org.refused_login``, ``org.unreachable``, ``org.mismatch`` and the client's other codes.
    """
    row = _row(environment.pk)
    if not row.organization_id or row.is_sandbox is None:
        _refuse("org.not_connected", f"{row.name} was never connected. Check its connection first.")
    opened = _open(row)
    found = opened.organization
    if found.id != row.organization_id or found.is_sandbox != row.is_sandbox:
        opened.org.close()
        what = "a sandbox" if found.is_sandbox else "not a sandbox"
        _refuse(
            "org.mismatch",
            f"{row.name} is another org than the one that was checked: {found.name} "
            f"({found.id}, {what}). Nothing was sent. Check its connection.",
        )
    return opened.org


def open_for_check(environment: Environment) -> Opened:
    """Open an org only to see which one it is; the caller judges it."""
    return _open(_row(environment.pk))


def _row(environment_id: int) -> Environment:
    row = Environment.objects.select_related("credential").get(pk=environment_id)
    if row.retired_at is not None:
        _refuse("org.retired", f"{row.name} is retired, so it is not opened any more.")
    return row


def _open(row: Environment) -> Opened:
    payload = _credential(row)
    key = (row.pk, row.login_host, row.expected_organization_id, row.credential.set_at)

    def sign_in() -> Session:
        return _sign_in(row, payload)

    session = _sessions.get(key, sign_in)
    org = Org(
        session,
        hosts=allowed_hosts(),
        api_version=row.api_version,
        renew=lambda: _sessions.renew(key, sign_in),
    )
    try:
        return Opened(org, org.organization())
    except ExternalFault:
        org.close()
        raise


def _credential(row: Environment) -> dict[str, Any]:
    try:
        stored = row.credential
    except Credential.DoesNotExist:
        _refuse("org.not_connected", f"{row.name} has no credential. Enter one first.")
    payload = unseal(purpose_of(row.kind), stored.key_id, bytes(stored.ciphertext))
    sealed_for = (
        payload.get("login_host"),
        payload.get("organization_id"),
        payload.get("environment_id"),
    )
    if sealed_for != (row.login_host, row.expected_organization_id, row.pk):
        _refuse(
            "org.credential_elsewhere",
            f"The credential of {row.name} was entered for another address, organisation or "
            "environment, so it was not used. Enter the credential again.",
        )
    return payload


def _sign_in(row: Environment, payload: dict[str, Any]) -> Session:
    hosts = allowed_hosts()
    try:
        if payload["flow"] == Flow.JWT:
            session = auth.jwt_bearer(
                hosts,
                login_host=row.login_host,
                client_id=payload["client_id"],
                username=payload["username"],
                private_key=payload["secret"],
            )
        else:
            session = auth.client_credentials(
                hosts,
                login_host=row.login_host,
                client_id=payload["client_id"],
                client_secret=payload["secret"],
            )
    except InvalidInput as error:
        raise ExternalFault(
            "org.host_not_allowed", f"{row.name} cannot be opened: {error.message}", retryable=False
        ) from None
    if session.organization_id != row.expected_organization_id:
        _refuse(
            "org.mismatch",
            f"The address of {row.name} leads to organisation {session.organization_id}, not to "
            f"{row.expected_organization_id} as entered. Correct the address or the "
            "organisation id.",
            organization_id=session.organization_id,
        )
    return session


def _refuse(code: str, message: str, **facts: object) -> NoReturn:
    raise ExternalFault(code, message, retryable=False, **facts)
