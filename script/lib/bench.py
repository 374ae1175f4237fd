"""Run a bench in a scratch installation: own PostgreSQL, own directory, gone afterwards.

``script/bench gate``: what the gate and the history cost; ``script/bench history``: the history.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from core import keyring
from script.lib import environment, roles
from script.lib.embedded import Postgres, shared_buffers
from script.lib.environment import Addresses
from script.lib.installation import ROOT, Installation

DATABASE = "gatehouse"
OPTIONS = {
    "max_connections": "60",
    "shared_buffers": shared_buffers(),
    "log_min_messages": "warning",
}
HISTORY = ("bench_history", ("events", "seconds"))
GATE = ("bench_gate", ("times",))
# The gate first: what it writes is rolled back, while the history stays.
COMMANDS = {"gate": (GATE, HISTORY), "history": (HISTORY,)}
"""By bench its commands, each with the options it takes."""


def main() -> int:
    """Make the scratch installation, run the commands of a bench, remove everything."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("bench", choices=sorted(COMMANDS))
    parser.add_argument("--events", type=int, help="events of the large history")
    parser.add_argument("--seconds", type=float, help="of each writing run")
    parser.add_argument("--times", type=int, help="how often the gate is asked")
    given = parser.parse_args()
    # A bench that is stopped takes its server along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        installation = Installation(place / "var")
        installation.var.mkdir()
        keyring.write(installation.keys)
        state = installation.load("real")
        server = Postgres(place / "postgresql", options=OPTIONS)
        server.create(state.superuser_password)
        try:
            server.start()
            return _run(installation, server, given)
        finally:
            server.stop()


def _run(installation: Installation, server: Postgres, given: argparse.Namespace) -> int:
    state = installation.load("real")
    for database in ("postgres", DATABASE):
        url = server.url("postgres", state.superuser_password, database)
        with psycopg.connect(url, autocommit=True) as connection:
            if database == "postgres":
                roles.create_roles(connection, state.role_passwords)
                roles.create_database(connection, DATABASE)
            else:
                connection.execute(f"SET ROLE {roles.OWNER}")
                roles.harden(connection)
    addresses = Addresses("127.0.0.1", 8000, f"127.0.0.1:{server.port}/{DATABASE}", "redis://none")
    env = environment.of_role("owner", installation, state, addresses)
    manage = [sys.executable, "manage.py"]
    commands = [["migrate", "--database", "owner", "--verbosity", "0"]]
    if not (ROOT / "static-collected").is_dir():
        commands.append(["collectstatic", "--no-input", "--verbosity", "0"])
    for name, options in COMMANDS[given.bench]:
        values = {option: getattr(given, option) for option in options}
        said = [f"--{option}={value}" for option, value in values.items() if value is not None]
        commands.append([name, *said])
    for command in commands:
        done = subprocess.run([*manage, *command], cwd=ROOT, env=env, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
