"""Set up the installation and run all of it, until Ctrl-C (script/server)."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from core import keyring
from script.lib import database, environment
from script.lib.environment import Addresses
from script.lib.health import is_well
from script.lib.installation import ROOT, Installation, State, var_directory, write_private
from script.lib.progress import CannotStart, fail, say, step
from script.lib.supervisor import Supervisor

PORT = 8000
READY_SECONDS = 60
SIMULATOR_SECONDS = 30
WORKERS = (("deploy", 2), ("build", 1))
ROLES = ("owner", "web", "build", "deploy", "ticker")


def main(arguments: list[str] | None = None) -> int:
    """Run script/server; returns the exit status."""
    parser = argparse.ArgumentParser(prog="script/server", description=__doc__)
    parser.add_argument("--no-demo", action="store_true", help="start empty, for real orgs")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the dashboard ({PORT})")
    given = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    os.umask(0o022)
    installation = Installation(var_directory())
    try:
        with installation.locked():
            return _run(installation, "real" if given.no_demo else "demo", given.port)
    except CannotStart as reason:
        return fail(str(reason))
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _run(installation: Installation, mode: str, port: int) -> int:
    state = installation.load(mode)
    host = os.environ.get("GATEHOUSE_BIND_HOST", "127.0.0.1") if mode == "real" else "127.0.0.1"
    _demand_free(host, port)
    if mode == "demo":
        _demand_simulators_ports(state)
    say(f"Gatehouse ({'demo company' if mode == 'demo' else 'empty, for real orgs'})")
    with database.postgresql(state) as address, database.redis(installation, state) as bell:
        addresses = Addresses(host, port, address, bell)
        _set_up(installation, state, addresses)
        demo = mode == "demo"
        words = _demo(installation, state, addresses) if demo else _founding(state, addresses)
        _write_environments(installation, state, addresses)
        # Setting up takes minutes the first time: somebody else may have taken it meanwhile.
        _demand_free(host, port)
        return _serve(installation, state, addresses, words)


def _demand_free(host: str, port: int) -> None:
    """Refuse a port that is taken before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"port {port} cannot be used ({error.strerror}); choose another with --port."
            ) from None


def _demand_simulators_ports(state: State) -> None:
    """The demo's orgs live at ports that its database knows: nobody else may hold them."""
    for port in (state.simulator_port, state.simulator_admin_port):
        try:
            _demand_free("127.0.0.1", port)
        except CannotStart:
            raise CannotStart(
                f"port {port}, which the demo's simulator has had since its first start, is taken; "
                "end what uses it, or remove var/ to begin a new demo."
            ) from None


def _set_up(installation: Installation, state: State, addresses: Addresses) -> None:
    """Bring schema, keys and static files up to date."""
    owner = environment.of_role("owner", installation, state, addresses)
    if not (installation.keys / "public.json").is_file():
        with step("Making the keys that credentials are sealed to"):
            keyring.write(installation.keys)
    with step("Bringing the database up to date"):
        _manage(owner, "migrate", "--database", "owner", "--no-input", "--verbosity", "0")
    stamp = _static_stamp()
    if state.static_stamp != stamp or not (ROOT / "static-collected").is_dir():
        with step("Collecting static files"):
            _manage(owner, "collectstatic", "--no-input", "--clear", "--verbosity", "0")
        state.static_stamp = stamp
        installation.save(state)


def _static_stamp() -> str:
    """Return a digest that changes with every static file of ours and with the requirements."""
    seen = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        if path.is_file():
            seen.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return seen.hexdigest()


def _manage(env: dict[str, str], *command: str) -> str:
    """Run a management command; raises CannotStart with the end of what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=env, capture_output=True, text=True
    )
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise CannotStart(f"manage.py {command[0]} failed:\n{said}")
    return done.stdout


def _demo(installation: Installation, state: State, addresses: Addresses) -> str:
    """Seed the demo company into a fresh database, and return the logins to print."""
    with _simulator(installation, state):
        if not state.seeded:
            with step("Founding the demo company (its repositories, orgs and last weeks)"):
                _manage(environment.of_demo_command(installation, state, addresses), "demo")
            state.seeded = True
            installation.save(state)
    return _manage(environment.of_demo_command(installation, state, addresses), "demo", "--logins")


def _simulator_command(installation: Installation, state: State) -> list[str]:
    return [
        sys.executable,
        "-m",
        "simulator",
        "--dir",
        str(installation.simulator),
        "--port",
        str(state.simulator_port),
        "--admin-port",
        str(state.simulator_admin_port),
    ]


@contextmanager
def _simulator(installation: Installation, state: State) -> Iterator[None]:
    """Run the simulator for the seed; does nothing when the demo is seeded already."""
    if state.seeded:
        yield
        return
    installation.simulator.mkdir(parents=True, exist_ok=True)
    installation.repositories.mkdir(parents=True, exist_ok=True)
    ready = installation.simulator / "running.json"
    ready.unlink(missing_ok=True)
    log = installation.var / "simulator.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _simulator_command(installation, state),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        with step("Starting the simulator of Salesforce"):
            deadline = time.monotonic() + SIMULATOR_SECONDS
            while not ready.is_file():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise CannotStart(f"the simulator did not start; see {log}.")
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _write_environments(installation: Installation, state: State, addresses: Addresses) -> None:
    """Write what script/manage needs to join this run."""
    found = {role: environment.of_role(role, installation, state, addresses) for role in ROLES}
    write_private(installation.environments, json.dumps(found, indent=1))


def _serve(installation: Installation, state: State, addresses: Addresses, words: str) -> int:
    """Run every process until Ctrl-C."""
    supervisor = Supervisor()
    if state.mode == "demo":
        command = " ".join(f"'{word}'" for word in _simulator_command(installation, state))
        supervisor.add("simulator", command, {"PATH": os.environ["PATH"]}, str(ROOT))
    for role, count in (("web", 1), ("ticker", 1), *WORKERS):
        env = environment.of_role(role, installation, state, addresses)
        for number in range(1, count + 1):
            name = role if count == 1 else f"{role}.{number}"
            supervisor.add(name, f"script/entry {role}", env, str(ROOT))
    threading.Thread(target=_welcome, args=(addresses, words), daemon=True).start()
    supervisor.loop()
    return int(supervisor.returncode or 0)


def _founding(state: State, addresses: Addresses) -> str:
    """Return how to found this installation, or nothing when it is founded."""
    with psycopg.connect(addresses.login(state, "gatehouse_web")) as connection:
        people = connection.execute("SELECT 1 FROM governance_user LIMIT 1").fetchone()
    if people is not None:
        return ""
    return (
        "This installation is empty. Found it with the people of the release board:\n"
        "  script/manage found --board 'Name <mail>' --board 'Name <mail>' --admin 'Name <mail>'\n"
        "and give each of them the link that it prints."
    )


def _welcome(addresses: Addresses, words: str) -> None:
    """Print the address, and what people need to know, once the dashboard answers."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_well(addresses.port, os.environ.get("GATEHOUSE_HOST", "")):
        if time.monotonic() > deadline:
            say("The dashboard does not answer yet; see the lines above.")
            return
        time.sleep(0.1)
    lines = [f"Gatehouse is ready: http://localhost:{addresses.port}", ""]
    lines += [*words.rstrip().splitlines(), ""] if words else []
    lines += ["Ctrl-C stops everything; the data stays."]
    say("\n".join(["", *(f"  {line}".rstrip() for line in lines), ""]))


if __name__ == "__main__":
    sys.exit(main())
