"""An org that answers as scripted, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from salesforce.client import Org
from salesforce.hosts import Hosts
from salesforce.types import Session
from tests.salesforce.scripted import ORG_ID, USER_ID, Scripted, serve


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Scripted]:
    """A scripted org."""
    with serve(tmp_path) as running:
        yield running


@pytest.fixture
def hosts(server: Scripted) -> Hosts:
    """An allow-list with the scripted org."""
    return Hosts.of([server.host], server.ca_file)


@pytest.fixture
def session(server: Scripted) -> Session:
    """A session in the scripted org."""
    return Session("00D!token", server.url, ORG_ID, USER_ID)


@pytest.fixture
def pauses() -> list[float]:
    """What the client would have waited."""
    return []


@pytest.fixture
def org(hosts: Hosts, session: Session, pauses: list[float]) -> Iterator[Org]:
    """A client of the scripted org that does not wait."""
    with Org(session, hosts=hosts, pause=pauses.append) as client:
        yield client


MakePem = Callable[[int], str]


@pytest.fixture(scope="session")
def private_key() -> str:
    """An RSA key of the smallest size that Salesforce takes, in PEM form."""
    return pem(rsa.generate_private_key(65537, 2048))


def pem(key: rsa.RSAPrivateKey) -> str:
    """Write a key in PEM form."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
