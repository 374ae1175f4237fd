"""A production org of the simulator with its sandboxes, connected, for tests of requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from environments import gateways
from environments.models import Environment, Sandbox, SandboxRequest
from environments.services import orgs
from environments.services.orgs import Words
from environments.services.sandboxes import inventory
from tests.environments.conftest import House
from tests.support.simulator import SimulatedOrg, SimulatorProcess

DAY = 86_400


@dataclass
class Scene:
    """Production and the sandboxes of the test, as the simulator and Gatehouse know them."""

    house: House
    production: SimulatedOrg
    work: Callable[..., None]
    environment: Environment
    orgs: dict[str, SimulatedOrg] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)

    @property
    def process(self) -> SimulatorProcess:
        """The simulator."""
        return self.production.simulator

    def read(self) -> None:
        """Read the sandboxes as a deploy worker does."""
        with self.house.acting("marek"):
            inventory.ask()
        self.work("deploy", inventory.KIND)

    def sandbox(self, name: str) -> Sandbox:
        """A listed sandbox as it is now."""
        return Sandbox.objects.get(name=name)

    def request(self, found: SandboxRequest) -> SandboxRequest:
        """A request as it is now."""
        return SandboxRequest.objects.get(pk=found.pk)

    def writes(self, word: str) -> list[str]:
        """What the production org was made to do, by a word in it."""
        return [effect for effect in self.production.effects() if word in effect]


def connect(house: House, org: SimulatedOrg, name: str, stage: str, **more: Any) -> Environment:
    """Register an org and store a credential, as an admin does."""
    words = Words(
        name=name,
        licence_type=more.get("licence", "developer"),
        login_host=org.host,
        expected_organization_id=org.id,
    )
    with house.acting("ines"):
        made = orgs.create(team=more.get("team"), stage=stage, words=words)
        orgs.set_credential(
            environment_id=made.pk,
            flow="jwt",
            client_id=org.client_id,
            username=org.username,
            secret=org.key.private_pem,
        )
    return made


def build(
    house: House, simulator: SimulatorProcess, work: Any, settings: Any, **options: Any
) -> Scene:
    """Production with two sandboxes: ``uat`` of Sales TEST (old enough), ``spare`` of nobody."""
    settings.GATEHOUSE = replace(
        settings.GATEHOUSE,
        org_hosts=(f"*.localhost:{simulator.port}",),
        org_ca_file=simulator.ca_file,
    )
    gateways._sessions.kept.clear()
    production = simulator.org(organization_name="Northwind", options=options)
    made = {}
    for name, days in (("uat", 10), ("spare", 0)):
        made[name] = simulator.org(
            f"{production.name}--{name}",
            is_sandbox=True,
            username=f"{production.username}.{name}",
            options={"license_type": "DEVELOPER", "copied_days_ago": days},
        )
    environment = connect(house, production, "Production", "PRD", licence="production")
    scene = Scene(house, production, work, environment, made)
    scene.environments["uat"] = connect(
        house, made["uat"], "Sales TEST", "TEST", team=house.teams["sales"]
    )
    work("deploy", orgs.CHECK_KIND)
    for row in (environment, scene.environments["uat"]):
        row.refresh_from_db()
        assert row.connection == "ok", row.connection_message
    return scene
