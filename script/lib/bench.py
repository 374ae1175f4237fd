"""Run a bench in a scratch installation: own PostgreSQL, own directory, gone afterwards.

``script/bench gate``: what the history and the gate cost.
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
from script.lib.embedded import Postgres
from script.lib.environment import Addresses
from script.lib.installation import ROOT, Installation

DATABASE = "gatehouse"
OPTIONS = {"max_connections": "60", "shared_buffers": "256MB", "log_min_messages": "warning"}
COMMANDS = {"gate": ("bench_history", "bench_gate")}


def main() -> int:
    """Make the scratch installation, run the commands of a bench, remove everything."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("bench", choices=sorted(COMMANDS))
    parser.add_argument("--only", help="one of the bench's commands")
    given, rest = parser.parse_known_args()
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
            return _run(installation, server, [given.only] if given.only else None, given, rest)
        finally:
            server.stop()


def _run(
    installation: Installation,
    server: Postgres,
    only: list[str] | None,
    given: argparse.Namespace,
    rest: list[str],
) -> int:
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
    commands += [[name, *rest] for name in only or COMMANDS[given.bench] if _exists(name)]
    for command in commands:
        done = subprocess.run([*manage, *command], cwd=ROOT, env=env, check=False)
        if done.returncode:
            return done.returncode
    return 0


def _exists(command: str) -> bool:
    return any(ROOT.glob(f"*/management/commands/{command}.py"))


if __name__ == "__main__":
    sys.exit(main())
