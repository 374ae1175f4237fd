"""Figures of the simulator: `script/bench simulator` (docs/simulator.md says what they mean).

Everything goes over real sockets to one process on one core: start, small requests, 128 connections
at once, 200 orgs of 2,000 components, 1,000 deployments in flight, a kill in the middle.
"""

import base64
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

ORGS = 200
COMPONENTS = 2_000
DEPLOYS = 1_000
CONNECTIONS = 128
SMALL_REQUESTS = 500
SPEED = 20.0
PATIENCE = 900.0
_XML = "http://soap.sforce.com/2006/04/metadata"
_APP = {"client_id": "bench", "client_secret": "bench"}


class Process:
    """One simulator on one core."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.http = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS, pool_connections=4)
        self.http.mount("http://", adapter)
        self.seconds = 0.0

    def start(self) -> None:
        """Start and wait until it serves."""
        running = self.directory / "running.json"
        running.unlink(missing_ok=True)
        began = time.monotonic()
        command = [sys.executable, "-m", "simulator", "--dir", str(self.directory), "--plain"]
        core = {min(os.sched_getaffinity(0))}
        self.process = subprocess.Popen(
            [*command, "--speed", str(SPEED)],
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, core),
        )
        while not running.exists():
            time.sleep(0.01)
        self.state = json.loads(running.read_text())
        self.seconds = time.monotonic() - began

    def kill(self) -> None:
        """Kill it without a warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def cpu(self) -> float:
        """Processor seconds used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the operator's port."""
        url = f"http://127.0.0.1:{self.state['admin_port']}{path}"
        answer = self.http.request(method, url, json=body, timeout=300)
        answer.raise_for_status()
        return answer.json()

    def org(self, name: str, method: str, path: str, **options: Any) -> requests.Response:
        """Ask an org."""
        url = f"http://127.0.0.1:{self.state['port']}{path}"
        headers = {"Host": f"{name}.localhost:{self.state['port']}", **options.pop("headers", {})}
        return self.http.request(method, url, headers=headers, timeout=120, **options)

    def token(self, name: str) -> dict[str, str]:
        """Sign in."""
        form = {"grant_type": "client_credentials"}
        answer = self.org(
            name, "POST", "/services/oauth2/token", data=form, auth=("bench", "bench")
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def main() -> int:
    """Print the table; 1 when a target is missed."""
    with tempfile.TemporaryDirectory(prefix="simulator-bench-") as directory:
        process = Process(Path(directory))
        process.start()
        try:
            missed = _all(process)
        finally:
            process.kill()
    return int(missed)


def _all(process: Process) -> bool:
    line = _Table()
    line("start", process.seconds, "s", 2)
    line("  of that on the processor", process.cpu, "s", 2)
    names = _orgs(process, line)
    tokens = {name: process.token(name) for name in names}
    _small(process, line, names[0], tokens[names[0]])
    _deploys(process, line, names, tokens)
    process.kill()
    process.start()
    line("start with all of that", process.seconds, "s", 2)
    line("  of that on the processor", process.cpu, "s", 2)
    return line.missed


class _Table:
    def __init__(self) -> None:
        self.missed = False

    def __call__(self, name: str, value: float, unit: str, target: float) -> None:
        late = value > target
        self.missed = self.missed or late
        mark = "MISSED" if late else ""
        print(f"{name:58}{value:10.1f} {unit:4} target {target:g} {mark}", flush=True)


def _orgs(process: Process, line: _Table) -> list[str]:
    files: dict[str, bytes] = {}
    for number in range(COMPONENTS):
        inner = f"<label>R{number}</label><url>https://example.test/{number}</url>"
        path = f"remoteSiteSettings/R{number}.remoteSite"
        files[path] = f'<RemoteSiteSetting xmlns="{_XML}">{inner}</RemoteSiteSetting>'.encode()
    names = [f"org{number}" for number in range(ORGS)]
    first = {"name": names[0], "is_sandbox": True, "apps": [_APP],
             "metadata_zip_base64": base64.b64encode(_zip(files)).decode()}  # fmt: skip
    began = time.monotonic()
    process.admin("POST", "/orgs", first)
    for name in names[1:]:
        body = {"name": name, "is_sandbox": True, "apps": [_APP], "metadata_of": names[0]}
        process.admin("POST", "/orgs", body)
    print(f"{ORGS} orgs of {COMPONENTS} components made in {time.monotonic() - began:.0f} s")
    line(f"memory with {ORGS} orgs of {COMPONENTS} components", process.megabytes, "MB", 1024)
    return names


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def _small(process: Process, line: _Table, name: str, token: dict[str, str]) -> None:
    path = "/services/data/v64.0/query?q=SELECT+Id,Name+FROM+Organization"

    def ask() -> None:
        process.org(name, "GET", path, headers=token).raise_for_status()

    before = process.cpu
    times = sorted(_timed(ask) for _ in range(SMALL_REQUESTS))
    line("small request, median", statistics.median(times), "ms", 5)
    each = 1000 * (process.cpu - before) / SMALL_REQUESTS
    line("  of that on the simulator's processor", each, "ms", 5)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        began = time.monotonic()
        list(pool.map(lambda _: ask(), range(4 * CONNECTIONS)))
        each = 1000 * (time.monotonic() - began) / (4 * CONNECTIONS)
    line(f"{CONNECTIONS} connections at once: each request", each, "ms", 20)


def _deploys(
    process: Process, line: _Table, names: list[str], tokens: dict[str, dict[str, str]]
) -> None:
    process.admin("POST", "/clock", {"speed": 0.05})
    jobs = [names[number % ORGS] for number in range(DEPLOYS)]
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        numbered = list(enumerate(jobs))
        list(pool.map(lambda job: _start(process, job[1], tokens[job[1]], job[0]), numbered))
    line(f"{DEPLOYS} deployments accepted, each", 1000 * (time.monotonic() - began) / DEPLOYS,
         "ms", 50)  # fmt: skip
    line("memory with all of them in flight", process.megabytes, "MB", 1024)
    process.admin("POST", "/clock", {"speed": SPEED})
    began = time.monotonic()
    _wait(process, DEPLOYS // 2)
    before = process.megabytes
    process.kill()
    process.start()
    done = _wait(process, DEPLOYS)
    line("all ended, with a kill in the middle", time.monotonic() - began, "s", PATIENCE)
    line("deployments that did not succeed exactly once", DEPLOYS - done, "", 0)
    line("growth of memory over the second half", process.megabytes - before, "MB", 100)


def _start(process: Process, name: str, token: dict[str, str], number: int) -> None:
    body = f"public class C{number} {{ public Integer f() {{ return {number}; }} }}"
    meta = f'<ApexClass xmlns="{_XML}"><apiVersion>64.0</apiVersion></ApexClass>'
    package = (
        f'<Package xmlns="{_XML}"><types><members>*</members><name>ApexClass</name></types>'
        "<version>64.0</version></Package>"
    )
    content = _zip(
        {
            "package.xml": package.encode(),
            f"classes/C{number}.cls": body.encode(),
            f"classes/C{number}.cls-meta.xml": meta.encode(),
        }
    )
    options = {"deployOptions": {"singlePackage": True, "rollbackOnError": True}}
    answer = process.org(
        name,
        "POST",
        "/services/data/v64.0/metadata/deployRequest",
        headers=token,
        files={
            "json": (None, json.dumps(options), "application/json"),
            "file": ("metadata.zip", content, "application/zip"),
        },
    )
    answer.raise_for_status()


def _wait(process: Process, wanted: int) -> int:
    """Wait until so many deployments succeeded; return how many did."""
    end = time.monotonic() + PATIENCE
    done = 0
    while done < wanted and time.monotonic() < end:
        time.sleep(1)
        counted = process.admin("GET", "/deploys/count")
        done = int(counted.get("Succeeded", 0))
    return done


if __name__ == "__main__":
    sys.exit(main())
