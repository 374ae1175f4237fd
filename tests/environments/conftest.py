"""A small house: teams, people, sealing keys, a scripted org, and workers that run here and now."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from nacl.public import PrivateKey

from core.context import Actor, acting_as
from environments import gateways
from environments.models import Environment
from environments.services import orgs
from environments.services.orgs import Words
from governance.models import Membership, Policy, PolicyVersion, Team, User
from jobs import runner
from jobs.models import Work
from salesforce.ids import long_id
from tests.salesforce.scripted import (
    USER_ID,
    Answer,
    Scripted,
    json_answer,
    serve,
)
from tests.support.databases import as_role

SECRET = "s3cret-of-the-app"
PRD_ID = long_id("00D0000000000PR")
CI_ID = long_id("00D0000000000CI")
OTHER_ID = long_id("00D0000000000XX")


@dataclass
class House:
    """Teams and people by name."""

    teams: dict[str, Team] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)

    def acting(self, name: str) -> AbstractContextManager[Actor]:
        """Act as this person."""
        user = self.people[name]
        return acting_as(Actor("person", user.pk, user.full_name))


PEOPLE = (
    ("ana", "platform", "board_member"),
    ("ben", "platform", "board_member"),
    ("marek", "platform", "release_manager"),
    ("ines", "platform", "admin"),
    ("paul", "platform", "auditor"),
    ("priya", "sales", "team_lead"),
    ("lena", "sales", "developer"),
    ("tomas", "service", "team_lead"),
)


@pytest.fixture
def house(db: None) -> House:
    """Platform owns production; Sales and Service build."""
    return build_house()


def build_house() -> House:
    """Write the teams and the people."""
    made = House()
    for slug in ("platform", "sales", "service"):
        made.teams[slug] = Team.objects.create(
            slug=slug, name=slug.title(), owns_production=slug == "platform"
        )
    for name, team, role in PEOPLE:
        user = User.objects.create(email=f"{name}@acme.example", full_name=name.title())
        made.people[name] = user
        Membership.objects.create(user=user, team=made.teams[team], role=role)
    return made


@pytest.fixture(scope="session")
def keys() -> dict[str, dict[str, dict[str, str]]]:
    """Sealing keys of both purposes: ``{"public": {purpose: {id: key}}, "private": …}``."""
    made: dict[str, dict[str, dict[str, str]]] = {"public": {}, "private": {}}
    for purpose in ("org-production", "org-sandbox"):
        key = PrivateKey.generate()
        for half, content in (("private", bytes(key)), ("public", bytes(key.public_key))):
            made[half][purpose] = {"k1": base64.b64encode(content).decode()}
    return made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Scripted]:
    """An org that answers as scripted; by default the healthy sandbox ``CI_ID``."""
    with serve(tmp_path) as running:
        healthy(running, CI_ID)
        yield running


def healthy(
    server: Scripted, organization_id: str, *, is_sandbox: bool = True, name: str = "Northwind"
) -> None:
    """Script everything that a check of an org asks for."""
    login = f"https://login.salesforce.com/id/{organization_id}/{USER_ID}"
    server.on("POST", "/services/oauth2/token", server.token(id=login))
    row = {
        "Id": organization_id,
        "Name": name,
        "IsSandbox": is_sandbox,
        "InstanceName": "EU1S",
        "OrganizationType": "Enterprise Edition",
    }
    organization(server, row)
    server.on("GET", "/services/data", json_answer([{"version": "63.0"}, {"version": "64.0"}]))
    limits = {"DailyApiRequests": {"Max": 5000, "Remaining": 1000}}
    server.on("GET", "/services/data/v64.0/limits/", json_answer(limits))


def organization(server: Scripted, row: dict[str, Any]) -> None:
    """Script the one row of Organization."""
    answer = json_answer({"done": True, "totalSize": 1, "records": [row]})
    server.on("GET", "/services/data/v64.0/query/", answer)


@pytest.fixture(autouse=True)
def installation(
    settings: Any, request: pytest.FixtureRequest, keys: dict[str, dict[str, dict[str, str]]]
) -> Iterator[None]:
    """Give the settings the keys, and the scripted org when the test has one."""
    settings.SEALING_PUBLIC_KEYS = keys["public"]
    settings.SEALING_PRIVATE_KEYS = keys["private"]
    if "server" in request.fixturenames:
        server: Scripted = request.getfixturevalue("server")
        settings.GATEHOUSE = replace(
            settings.GATEHOUSE,
            org_hosts=(f"org.localhost:{server.port}", f"other.localhost:{server.port}"),
            org_ca_file=Path(server.ca_file),
        )
    gateways._sessions.kept.clear()
    yield
    gateways._sessions.kept.clear()


@pytest.fixture(scope="session")
def private_key() -> str:
    """An RSA key in PEM form."""
    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def words(server: Scripted | None = None, /, **changes: str) -> Words:
    """What people type about an org, by default the scripted sandbox."""
    given = {
        "name": "Sales CI",
        "licence_type": "developer_pro",
        "login_host": server.host if server else "acme--ci.sandbox.my.salesforce.com",
        "expected_organization_id": CI_ID,
        **changes,
    }
    return Words(**given)


@pytest.fixture
def environment(house: House, server: Scripted) -> Environment:
    """Sales CI, registered, not connected."""
    with house.acting("priya"):
        return orgs.create(team=house.teams["sales"], stage="CI", words=words(server))


@pytest.fixture
def sealed(house: House, environment: Environment) -> Environment:
    """Sales CI with a credential, waiting for its check."""
    seal(house, environment)
    return environment


def seal(house: House, environment: Environment, by: str = "priya") -> None:
    """Store client credentials."""
    with house.acting(by):
        orgs.set_credential(
            environment_id=environment.pk,
            flow="client_credentials",
            client_id="3MVG9",
            username="",
            secret=SECRET,
        )


@pytest.fixture
def connected(sealed: Environment, work: Callable[..., None]) -> Environment:
    """Sales CI, checked by a worker."""
    work("deploy")
    sealed.refresh_from_db()
    assert sealed.connection == "ok", sealed.connection_message
    return sealed


MAX_ROUNDS = 30


@pytest.fixture
def work(db: None) -> Callable[..., None]:
    """Run everything that a queue's workers have to do now, in the role of that worker."""

    def run(queue: str, kind: str = "") -> None:
        for _ in range(MAX_ROUNDS):
            rows = Work.objects.filter(queue=queue, wake_at__isnull=False)
            if kind:
                rows = rows.filter(kind=kind)
            due = list(rows.values_list("pk", flat=True))
            if not due:
                return
            _make_due(due)
            with as_role(queue):
                runner.advance(queue, due)
        raise AssertionError(f"the {queue} queue does not come to rest")

    return run


def _make_due(ids: list[int]) -> None:
    """Let time pass for rows that wait for their next poll."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_work SET wake_at = gatehouse_now() WHERE id = ANY(%s)", [ids])


def policy(
    house: House, name: str = "Production", quorum: int = 2, *, governs_board: bool = False
) -> Policy:
    """A policy in force."""
    from core.digests import digest_json

    rule = {"number": quorum, "roles": ["board_member"], "team": None, "when": "always"}
    body = {
        "approvals": [rule] if quorum else [],
        "expires_hours": 168,
        "test_level": "RunLocalTests",
    }
    with as_role("owner"):
        made = Policy.objects.create(name=name, governs_board=governs_board)
        PolicyVersion.objects.create(
            policy=made,
            number=1,
            body=body,
            digest=digest_json(body),
            proposed_by=house.people["ana"],
            confirmed_by=house.people["ben"],
        )
    return made


__all__ = ["Answer"]
