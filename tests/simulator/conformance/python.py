"""The Python clients: simple-salesforce and CumulusCI, over TLS with the simulator's own CA."""

import json
import os
from pathlib import Path
from typing import Any

from tests.simulator.conformance.clients import Score, run_lines
from tests.simulator.packages import class_with_test, manifest, zipped
from tests.support.simulator import SimulatedOrg, SimulatorProcess

HERE = Path(__file__).parent


def run(place: Path, process: SimulatorProcess, score: Score) -> None:
    """Run both against fresh orgs."""
    python = str(place / "python" / "bin" / "python")
    ca = str(process.directory / "ca.pem")
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": ca, "SSL_CERT_FILE": ca,
                   "HOME": str(place / "home"), "CUMULUSCI_DISABLE_REFRESH": "1"}  # fmt: skip
    files = {"package.xml": manifest({"ApexClass": ["Foo", "FooTest"]}), **class_with_test("Foo")}
    archive = place / "simple.zip"
    archive.write_bytes(zipped(files))
    url = f"https://127.0.0.1:{process.port}"
    org = process.org(is_sandbox=True)
    given = {"url": url, "token": org.token(), "version": "64.0", "zip": str(archive)}
    _run(place, score, [python, str(HERE / "simple.py")], given, environment)
    source = place / "cumulus-source"
    for path, text in files.items():
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    hub = process.org()
    subscribers = [{"name": "One"}, {"name": "Two", "push_error": {"ErrorType": "DeployError"}}]
    package = {"name": "Tools", "namespace": "tools",
               "versions": [{"number": "1.0.0.1"}, {"number": "1.1.0.1"}],
               "subscribers": subscribers}  # fmt: skip
    made = process.admin("POST", f"/orgs/{hub.name}/packages", package)
    box = process.org(is_sandbox=True)
    cumulus: dict[str, Any] = {
        "box": _access(process, box, url), "hub": _access(process, hub, url),
        "source": str(source), "subscribers": made["subscribers"],
    }  # fmt: skip
    program = [python, str(HERE / "cumulus.py"), str(place / "cumulus")]
    _run(place, score, program, cumulus, environment)


def _access(process: SimulatorProcess, org: SimulatedOrg, url: str) -> dict[str, str]:
    user = "005000000000001AAA"
    deploys = f"http://127.0.0.1:{process.state['admin_port']}/deploys?org={org.name}"
    return {"name": org.name, "url": url, "token": org.token(), "id": f"{url}/id/{org.id}/{user}",
            "deploys": deploys}  # fmt: skip


def _run(
    place: Path,
    score: Score,
    program: list[str],
    given: dict[str, Any],
    environment: dict[str, str],
) -> None:
    file = place / "given.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(given))
    run_lines([*program, str(file)], score, environment)
