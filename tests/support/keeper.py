"""Keeps one PostgreSQL and one Valkey for a test run, and ends both with it.

``python -m tests.support.keeper RUN_DIR PID`` starts the servers in the background, writes
RUN_DIR/servers.json and waits until the process PID is gone or until SIGTERM; then it stops them
and removes RUN_DIR. A run that is killed therefore leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path

import psycopg
from psycopg import sql

from script.lib import roles
from script.lib.embedded import Postgres, Valkey

PASSWORD = "test"
TEST_LOGIN = "gatehouse_test"
MEMBER_OF = (
    "gatehouse_web",
    "gatehouse_build",
    "gatehouse_deploy",
    "gatehouse_ticker",
    "gatehouse_owner",
)

# Durability costs time and a test cluster is thrown away; one scram round keeps connecting cheap.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "scram_iterations": "1",
    "max_connections": "150",
    "shared_buffers": "128MB",
    "autovacuum": "off",
    "deadlock_timeout": "200ms",
    "log_min_messages": "warning",
}


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def prepare(superuser: str) -> None:
    """Make the logins of the product and the one that tests use."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        roles.create_roles(connection, dict.fromkeys(roles.LOGINS, PASSWORD))
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {} IN ROLE {}").format(
                sql.Identifier(TEST_LOGIN),
                sql.Literal(PASSWORD),
                sql.SQL(", ").join(sql.Identifier(role) for role in MEMBER_OF),
            )
        )


def _start(run_dir: Path, postgres: Postgres, valkey: Valkey) -> None:
    """Start both and write their addresses, whole or not at all."""
    postgres.create(PASSWORD)
    postgres.start()
    superuser = postgres.url("postgres", PASSWORD, "postgres")
    prepare(superuser)
    valkey.start()
    addresses = {
        "superuser": superuser,
        "port": postgres.port,
        "valkey": valkey.url,
        "keeper": os.getpid(),
    }
    partial = run_dir / "servers.partial"
    partial.write_text(json.dumps(addresses))
    partial.rename(run_dir / "servers.json")


def keep(run_dir: Path, parent: int) -> None:
    """Run both servers for as long as the test run lives."""
    stopping: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    postgres = Postgres(run_dir / "postgresql", options=FAST)
    valkey = Valkey(run_dir / "valkey", secrets.token_hex(8))
    try:
        _start(run_dir, postgres, valkey)
        while not stopping and not _gone(parent):
            time.sleep(0.25)
    except Exception:
        (run_dir / "keeper.failed").touch()
        raise
    finally:
        valkey.stop()
        postgres.stop()
    shutil.rmtree(run_dir, ignore_errors=True)


def main() -> None:
    """Detach from the caller, who waits for servers.json, and keep the servers."""
    if os.fork():
        return
    os.setsid()
    keep(Path(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
