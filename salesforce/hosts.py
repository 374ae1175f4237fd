"""The hosts that may be spoken to.

A login host is typed by people and an ``instance_url`` comes back with every token, so both are
checked against one allow-list before a byte of a credential or a package is sent: Salesforce's two
login hosts and My Domain hosts on port 443, and the exact ``host:port`` pairs that the
installation lists (the simulator's). Certificates of listed hosts may come from their own CA file;
that CA is never trusted for a host of Salesforce.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import InvalidInput

LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# acme.my.salesforce.com, acme--uat.sandbox.my.salesforce.com, acme.develop.my.salesforce.com
_MY_DOMAIN = re.compile(rf"(?:{_LABEL}\.){{1,3}}my\.salesforce\.com")
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and its port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write ``host``, or ``host:port`` when the port is not 443."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as an https origin without a trailing slash."""
        return f"https://{self}"


def parse(text: str) -> Address:
    """Read ``host``, ``host:port`` or ``https://host[:port]/``; anything more is refused.

    Raises InvalidInput ``host.malformed``: other schemes, user names, paths and queries.
    """
    stripped = text.strip()
    url = stripped if "://" in stripped else f"https://{stripped}"
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        raise _malformed(text) from None
    host = (parts.hostname or "").lower().rstrip(".")
    plain = parts.scheme == "https" and parts.path in ("", "/") and "@" not in parts.netloc
    if not plain or "?" in url or "#" in url or not _HOST.fullmatch(host):
        raise _malformed(text)
    return Address(host, port)


def _malformed(text: str) -> InvalidInput:
    return InvalidInput(
        "host.malformed",
        f"“{text[:80]}” is not an address of an org: write it as acme.my.salesforce.com, "
        "without a path.",
        field="login_host",
    )


@dataclass(frozen=True, slots=True)
class Hosts:
    """The allow-list: Salesforce's hosts, plus ``extra`` addresses trusted through ``ca_file``.

    ``only_listed`` leaves Salesforce's own hosts out: a demo must not reach a real org.
    """

    extra: frozenset[Address] = frozenset()
    ca_file: str | None = None
    only_listed: bool = False

    @classmethod
    def of(
        cls, extra: Iterable[str] = (), ca_file: str | None = None, *, only_listed: bool = False
    ) -> Hosts:
        """Build from ``host:port`` texts; ``*.localhost:PORT`` lists every name below it."""
        return cls(frozenset(_listed(text) for text in extra), ca_file, only_listed)

    def is_extra(self, address: Address) -> bool:
        """Say whether the address is one that the installation listed itself."""
        if address in self.extra:
            return True
        head, _, tail = address.host.partition(".")
        return bool(head and tail) and Address(f"*.{tail}", address.port) in self.extra

    def allows(self, address: Address) -> bool:
        """Say whether the address may be spoken to."""
        if self.is_extra(address) or self.only_listed:
            return self.is_extra(address)
        known = address.host in LOGIN_HOSTS or _MY_DOMAIN.fullmatch(address.host) is not None
        return known and address.port == 443

    def require(self, text: str) -> Address:
        """Return the address. Raises InvalidInput ``host.malformed`` or ``host.not_allowed``."""
        address = parse(text)
        if not self.allows(address):
            if self.only_listed:
                raise InvalidInput(
                    "host.not_allowed",
                    f"{address} is not an org of this demo, which reaches only simulated orgs. "
                    "Start a real installation to connect an org of Salesforce.",
                    field="login_host",
                )
            raise InvalidInput(
                "host.not_allowed",
                f"{address} is not an address of Salesforce: Gatehouse speaks to "
                "login.salesforce.com, test.salesforce.com and *.my.salesforce.com. "
                "Use the org's My Domain address.",
                field="login_host",
            )
        return address

    def verify(self, address: Address) -> str | bool:
        """Return what certificates of this host are checked against (``requests``' verify)."""
        return self.ca_file if self.is_extra(address) and self.ca_file else True

    def audience(self, login: Address) -> str:
        """Return the JWT audience that goes with a login host; it is never typed.

        Salesforce documents two for its own hosts, whichever of an org's addresses the token is
        asked for at: https://login.salesforce.com, and https://test.salesforce.com for sandboxes
        and scratch orgs (docs page remoteaccess_oauth_jwt_flow). A listed host is its own.
        """
        if self.is_extra(login):
            return login.url
        return f"https://{'test' if _is_sandbox_name(login.host) else 'login'}.salesforce.com"


def _is_sandbox_name(host: str) -> bool:
    """Say whether the name of a host of Salesforce is a sandbox's or a scratch org's.

    ``acme--uat.sandbox.my…``, the older ``acme--uat.my…``, ``….scratch.my…``.
    """
    first, _, rest = host.partition(".")
    return first == "test" or "--" in first or rest.startswith(("sandbox.", "scratch."))


def _listed(text: str) -> Address:
    if text.startswith("*."):
        rest = parse(text[2:])
        return Address(f"*.{rest.host}", rest.port)
    return parse(text)
