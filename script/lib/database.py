"""The database of script/server: our own embedded server, or the one that DATABASE_URL names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from script.lib import roles
from script.lib.embedded import Postgres, ServerFailed, Valkey, shared_buffers
from script.lib.installation import Installation, State
from script.lib.progress import CannotStart, step

DATABASE = "gatehouse"
# Quick enough for a laptop, and every commit is on the disk.
OPTIONS = {
    "max_connections": "100",
    "shared_buffers": shared_buffers(),
    "log_min_messages": "warning",
}


@contextmanager
def postgresql(state: State) -> Iterator[str]:
    """Run PostgreSQL, or use the one of DATABASE_URL; gives ``host:port/name``."""
    outside = os.environ.get("DATABASE_URL", "")
    if outside:
        with step("Preparing the database of DATABASE_URL"):
            address = _prepare_outside(outside, state)
        yield address
        return
    server = Postgres(Path(state.postgres_home), options=OPTIONS)
    try:
        if not (server.data / "PG_VERSION").is_file():
            with step("Making the database cluster"):
                server.create(state.superuser_password)
        with step("Starting PostgreSQL"):
            server.start()
            admin = server.url("postgres", state.superuser_password, "postgres")
            _prepare_embedded(
                admin, server.url("postgres", state.superuser_password, DATABASE), state
            )
        yield f"127.0.0.1:{server.port}/{DATABASE}"
    except ServerFailed as failed:
        raise CannotStart(str(failed)) from failed
    finally:
        server.stop()


def _prepare_embedded(admin: str, inside: str, state: State) -> None:
    with psycopg.connect(admin, autocommit=True) as connection:
        roles.create_roles(connection, state.role_passwords)
        roles.create_database(connection, DATABASE)
    with psycopg.connect(inside, autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(roles.OWNER)))
        roles.harden(connection)


def _prepare_outside(url: str, state: State) -> str:
    """Make our roles in a server that somebody else runs; the address must be an administrator's.

    The database must exist and becomes our owner's. Roles of another installation are not touched.
    """
    parts = urlsplit(url)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            _refuse_foreign_roles(connection, state)
        roles.prepare(url, state.role_passwords)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise CannotStart(
            f"DATABASE_URL must be the address of an administrator of PostgreSQL 15 or newer, "
            f"with an existing database that Gatehouse may own: {reason}"
        ) from error
    options = f"?{parts.query}" if parts.query else ""
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}{options}"


def _refuse_foreign_roles(connection: psycopg.Connection[tuple[object, ...]], state: State) -> None:
    """Refuse a server on which another installation has its roles: their passwords are theirs."""
    comment = f"Gatehouse {state.id}"
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s", [roles.OWNER]
    ).fetchone()
    if found is not None and found[0] != comment:
        raise CannotStart(
            "the PostgreSQL server of DATABASE_URL already serves another installation of "
            "Gatehouse; use that one's var directory (GATEHOUSE_VAR), or another server."
        )
    if found is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(roles.OWNER)))
        connection.execute(
            sql.SQL("COMMENT ON ROLE {} IS {}").format(
                sql.Identifier(roles.OWNER), sql.Literal(comment)
            )
        )


@contextmanager
def redis(installation: Installation, state: State) -> Iterator[str]:
    """Run Valkey, or use the Redis of REDIS_URL; gives its address."""
    outside = os.environ.get("REDIS_URL", "")
    if outside:
        yield outside
        return
    server = Valkey(installation.var / "valkey", state.valkey_password)
    try:
        with step("Starting Valkey"):
            server.start()
        yield server.url
    except ServerFailed as failed:
        raise CannotStart(str(failed)) from failed
    finally:
        server.stop()
