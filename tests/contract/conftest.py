"""A simulated org over HTTPS, and clients of it that signed in for real."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator

import pytest

from salesforce import auth
from salesforce.client import Org
from salesforce.hosts import Hosts
from salesforce.types import DeployStatus, Retrieve, Session
from tests.support.simulator import (
    SimulatedOrg,
    SimulatorProcess,
    simulator,
    simulator_of_session,
    start_simulator,
)

__all__ = ["simulator", "simulator_of_session", "start_simulator"]

WAIT_SECONDS = 30


@pytest.fixture
def simulated(simulator: SimulatorProcess) -> SimulatedOrg:
    """A fresh sandbox."""
    return simulator.org(is_sandbox=True, organization_name="Northwind")


@pytest.fixture
def hosts(simulated: SimulatedOrg) -> Hosts:
    """An allow-list with every org of the simulator."""
    process = simulated.simulator
    return Hosts.of([f"*.localhost:{process.port}"], str(process.ca_file))


@pytest.fixture
def sign_in(simulated: SimulatedOrg, hosts: Hosts) -> Callable[[], Session]:
    """Sign in by JWT bearer."""
    return lambda: auth.jwt_bearer(
        hosts,
        login_host=simulated.host,
        client_id=simulated.client_id,
        username=simulated.username,
        private_key=simulated.key.private_pem,
    )


@pytest.fixture
def org(hosts: Hosts, sign_in: Callable[[], Session]) -> Iterator[Org]:
    """A client of the org."""
    with Org(sign_in(), hosts=hosts, renew=sign_in, pause=lambda _: None) as client:
        yield client


CLASS = "public class {name} {{\n    public static Integer one() {{ return 1; }}\n}}\n"
TEST_CLASS = (
    "@isTest\nprivate class {name}Test {{\n"
    "    @isTest static void works() {{ System.assertEquals(1, {name}.one()); }}\n}}\n"
)
META = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">'
    "<apiVersion>64.0</apiVersion><status>Active</status></ApexClass>\n"
)


def package(*names: str, broken: str = "") -> bytes:
    """A zip with classes and their tests; ``broken`` names one with unbalanced braces."""
    files: dict[str, str] = {}
    for name in names:
        files[f"classes/{name}.cls"] = CLASS.format(name=name)
        files[f"classes/{name}Test.cls"] = TEST_CLASS.format(name=name)
    if broken:
        files[f"classes/{broken}.cls"] = f"public class {broken} {{\n    void half() {{\n}}\n"
    members = sorted(path[8:-4] for path in files)
    for member in members:
        files[f"classes/{member}.cls-meta.xml"] = META
    listed = "".join(f"<members>{member}</members>" for member in members)
    files["package.xml"] = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Package xmlns="http://soap.sforce.com/2006/04/metadata">'
        f"<types>{listed}<name>ApexClass</name></types><version>64.0</version></Package>\n"
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return content.getvalue()


def finished(org: Org, remote_id: str) -> DeployStatus:
    """Poll a deployment to its end."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        status = org.deploy_status(remote_id)
        if status.done:
            return status
        time.sleep(0.05)
    raise AssertionError("the deployment does not end")


def retrieved(org: Org, remote_id: str) -> Retrieve:
    """Poll a retrieve to its end."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        answer = org.retrieve_status(remote_id)
        if answer.done:
            return answer
        time.sleep(0.05)
    raise AssertionError("the retrieve does not end")
