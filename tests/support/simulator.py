"""A real simulator process for tests: orgs, apps with a generated certificate, faults, restarts.

`simulator` is one process per test session with fresh orgs per call of `org()`; its faults are
cleared after each test. `start_simulator` gives a test a process of its own, which it may kill.
"""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
START_SECONDS = 20
FAST = 100.0
CLIENT_ID = "3MVG9.TestApp"
CLIENT_SECRET = "test-secret"
_numbers = count(1)


class LoopbackAdapter(requests.adapters.HTTPAdapter):
    """Send requests for *.localhost to 127.0.0.1: not every system resolves these names."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Keep the org's name in the Host header only."""
        parts = urlsplit(str(request.url))
        request.headers["Host"] = parts.netloc
        request.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{parts.port}"))
        return super().send(request, *args, **options)


@dataclass(frozen=True)
class AppKey:
    """An RSA key with its self-signed certificate, both in PEM."""

    private_pem: str
    certificate_pem: str


@cache
def app_key(name: str = "default") -> AppKey:
    """Return a key pair for JWT sign-in; the same one for the same name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    return AppKey(private.decode(), public.decode())


@dataclass(frozen=True)
class SimulatedOrg:
    """One org of a running simulator, with everything that a client needs to sign in."""

    simulator: "SimulatorProcess"
    name: str
    id: str
    url: str
    username: str
    client_id: str
    client_secret: str
    key: AppKey

    @property
    def host(self) -> str:
        """Host and port, as allow-lists have it."""
        return self.url.partition("://")[2]

    def token(self) -> str:
        """Sign in by client credentials and return the access token."""
        answer = self.simulator.http.post(
            f"{self.url}/services/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(self.client_id, self.client_secret),
            timeout=10,
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def fault(self, kind: str, call: str = "*", **rule: Any) -> None:
        """Add a fault; see docs/simulator.md for kinds and calls."""
        self.simulator.admin(
            "POST", f"/orgs/{self.name}/faults", {"kind": kind, "call": call, **rule}
        )

    def clear_faults(self) -> None:
        """Forget this org's faults."""
        self.simulator.admin("DELETE", f"/orgs/{self.name}/faults")

    def change(self, path: str, content: str) -> None:
        """Change a file in the org behind everybody's back."""
        body = {"path": path, "content": content}
        self.simulator.admin("POST", f"/orgs/{self.name}/metadata", body)

    def delete(self, kind: str, name: str) -> None:
        """Delete a component behind everybody's back."""
        body = {"delete": {"type": kind, "name": name}}
        self.simulator.admin("POST", f"/orgs/{self.name}/metadata", body)

    def load_zip(self, content: bytes) -> None:
        """Put a metadata zip into the org without a deployment."""
        body = {"zip_base64": base64.b64encode(content).decode()}
        self.simulator.admin("POST", f"/orgs/{self.name}/metadata", body)

    def components(self) -> set[str]:
        """Return what the org holds as Type:Name."""
        listed = self.simulator.admin("GET", f"/orgs/{self.name}/metadata")
        return {f"{entry['type']}:{entry['name']}" for entry in listed}

    def content(self, path: str) -> str:
        """Return a file that the org holds."""
        found = self.simulator.admin("GET", f"/orgs/{self.name}/metadata?path={path}")
        return str(found["content"])

    def deploys(self) -> list[dict[str, Any]]:
        """Return the org's deployments, the newest first."""
        found: list[dict[str, Any]] = self.simulator.admin("GET", f"/deploys?org={self.name}")
        return found

    def requests(self, call: str = "") -> list[dict[str, Any]]:
        """Return the requests that the org received (of one call)."""
        query = f"/requests?org={self.name}" + (f"&call={call}" if call else "")
        found: list[dict[str, Any]] = self.simulator.admin("GET", query)
        return found

    def effects(self) -> list[str]:
        """Return what the requests to this org changed, in order."""
        listed = self.simulator.admin("GET", f"/requests?org={self.name}&effect=1")
        return [entry["effect"] for entry in listed]

    def set_tests(self, rules: dict[str, dict[str, Any]]) -> None:
        """Make tests fail, slow or flaky: {"FooTest.works": {"message": "…"}}."""
        self.simulator.admin("POST", f"/orgs/{self.name}/tests", rules)


@dataclass
class SimulatorProcess:
    """A simulator process and its operator's port."""

    directory: Path
    speed: float = FAST
    plain: bool = False
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    state: dict[str, Any] = field(default_factory=dict)
    http: requests.Session = field(default_factory=requests.Session)

    def start(self) -> "SimulatorProcess":
        """Start (again) and wait until it serves."""
        running = self.directory / "running.json"
        running.unlink(missing_ok=True)
        command = [sys.executable, "-m", "simulator", "--dir", str(self.directory)]
        command += ["--speed", str(self.speed), *(["--plain"] if self.plain else [])]
        log = (self.directory.parent / f"{self.directory.name}.log").open("ab")
        self.process = subprocess.Popen(
            [*command, *self.arguments], cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        end = time.monotonic() + START_SECONDS
        while not running.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the simulator did not start; see {self.directory}.log")
            time.sleep(0.02)
        self.state = json.loads(running.read_text(encoding="utf-8"))
        self.http.trust_env = False
        for scheme in ("https://", "http://"):
            self.http.mount(scheme, LoopbackAdapter())
        self.http.verify = False if self.plain else str(self.ca_file)
        return self

    @property
    def port(self) -> int:
        """Port of the orgs."""
        return int(self.state["port"])

    @property
    def ca_file(self) -> Path:
        """The CA that clients have to trust."""
        return Path(self.state["ca_file"])

    def stop(self) -> None:
        """End it gently."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)
        self.process.wait(timeout=15)
        self.process = None
        self.http.close()

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the operator's port; an error becomes a RuntimeError with its text."""
        answer = self.http.request(
            method, f"http://127.0.0.1:{self.state['admin_port']}{path}", json=body, timeout=30
        )
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def org(self, name: str = "", **description: Any) -> SimulatedOrg:
        """Make an org with one user and one app that takes both sign-in flows."""
        name = name or f"org{next(_numbers)}-{os.getpid()}"
        key = description.pop("key", None) or app_key()
        username = (
            description.pop("username", "") or f"admin@{re.sub('[^a-z0-9.]', '.', name)}.test"
        )
        app = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "certificate_pem": key.certificate_pem,
        }
        made = self.admin(
            "POST",
            "/orgs",
            {"name": name, "users": [{"username": username}], "apps": [app], **description},
        )
        return SimulatedOrg(
            self, name, made["id"], made["url"], username, CLIENT_ID, CLIENT_SECRET, key
        )

    def jump(self, seconds: float) -> None:
        """Move the simulated clock."""
        self.admin("POST", "/clock", {"jump_seconds": seconds})

    def set_speed(self, speed: float) -> None:
        """Change the factor for durations that begin from now on."""
        self.admin("POST", "/clock", {"speed": speed})


StartSimulator = Callable[..., SimulatorProcess]


@pytest.fixture(scope="session")
def simulator_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """One simulator for all tests of this process."""
    directory = tmp_path_factory.mktemp("simulator") / "state"
    directory.mkdir()
    running = SimulatorProcess(directory).start()
    yield running
    running.stop()


@pytest.fixture
def simulator(simulator_of_session: SimulatorProcess) -> Iterator[SimulatorProcess]:
    """The shared simulator, with faults and speed put back afterwards."""
    yield simulator_of_session
    simulator_of_session.admin("DELETE", "/faults")
    simulator_of_session.set_speed(FAST)


@pytest.fixture
def start_simulator(tmp_path: Path) -> Iterator[StartSimulator]:
    """Start processes of a test's own: start_simulator(speed=…, plain=…)."""
    started: list[SimulatorProcess] = []

    def start(**options: Any) -> SimulatorProcess:
        directory = tmp_path / f"simulator{len(started)}"
        directory.mkdir()
        process = SimulatorProcess(directory, **options).start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
