"""Databases of the tests: a migrated template, one clone per pytest worker, roles as in production.

The alias "default" is a login that is a member of web, build and deploy and starts as web; "owner"
is the schema's owner. Nothing in the database is switched off for tests: instead of TRUNCATE, a
test that commits is followed by a new clone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql
from psycopg.pq import TransactionStatus

from script.lib import roles
from tests.support import servers

TEMPLATE = "gatehouse_template"
TEST_LOGIN = "gatehouse_test"
ROLES = ("web", "build", "deploy", "ticker", "owner")


def worker_database() -> str:
    """Return the name of this pytest worker's own database."""
    return f"gatehouse_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def prepare() -> None:
    """Make the template if this is the first worker of the run, clone it and point Django at it."""
    running = servers.running()
    with servers.run_lock():
        done = servers.run_dir() / "template.done"
        if not done.is_file():
            _make_template(running)
            done.touch()
    clone()


def _make_template(running: servers.Servers) -> None:
    with psycopg.connect(running.superuser, autocommit=True) as superuser:
        roles.create_database(superuser, TEMPLATE)
    owner = running.login(roles.OWNER, TEMPLATE)
    with psycopg.connect(owner, autocommit=True) as connection_of_owner:
        roles.harden(connection_of_owner)
    _point_at(running, TEMPLATE)
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    connections.close_all()


def _point_at(running: servers.Servers, database: str) -> None:
    for alias, user in (("default", TEST_LOGIN), ("owner", roles.OWNER)):
        settings = connections[alias].settings_dict
        settings.update(
            {
                "NAME": database,
                "USER": user,
                "PASSWORD": "test",
                "HOST": "127.0.0.1",
                "PORT": running.port,
            }
        )


def clone() -> None:
    """Replace this worker's database by a fresh copy of the template."""
    _copy(TEMPLATE, worker_database())


def _copy(template: str, name: str) -> None:
    running = servers.running()
    connections.close_all()
    with psycopg.connect(running.superuser, autocommit=True) as superuser:
        superuser.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        superuser.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(roles.OWNER)
            )
        )
        _let_in(superuser, name)
    _point_at(running, worker_database())


@contextmanager
def starting_here() -> Iterator[Callable[[], None]]:
    """Keep this worker's database as it is now; gives what puts it back to this moment."""
    name = worker_database()
    kept = f"{name}_kept"
    connections.close_all()
    _copy(name, kept)
    try:
        yield lambda: _copy(kept, name)
    finally:
        connections.close_all()
        with psycopg.connect(servers.running().superuser, autocommit=True) as superuser:
            superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(kept)))


def _let_in(superuser: psycopg.Connection[Any], name: str) -> None:
    roles.restrict_database(superuser, name)
    superuser.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            sql.Identifier(name), sql.Identifier(TEST_LOGIN)
        )
    )


@contextmanager
def another(name: str) -> Iterator[str]:
    """Work in a new, empty database, prepared as a server of somebody else; gives its address."""
    running = servers.running()
    with psycopg.connect(running.superuser, autocommit=True) as superuser:
        roles.create_database(superuser, name)
        _let_in(superuser, name)
    address = running.login(roles.OWNER, name)
    with psycopg.connect(address, autocommit=True) as owner:
        roles.harden(owner)
    connections.close_all()
    _point_at(running, name)
    try:
        yield address
    finally:
        connections.close_all()
        _point_at(running, worker_database())
        with psycopg.connect(running.superuser, autocommit=True) as superuser:
            superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def drop() -> None:
    """Close the connections of this worker; its database goes with the run."""
    connections.close_all()


def _set_role(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


@contextmanager
def as_role(role: str) -> Iterator[None]:
    """Let the connection "default" of this thread act as web, build, deploy or ticker.

    As owner only for scenery that people would decide in weeks: guards that stop everybody else
    let the owner by, and the checkpoints outside find it.

    A transaction that failed inside is left as it is: its rollback gives the old role back.
    """
    if role not in ROLES:
        raise ValueError(f"no such role: {role}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before: str = cursor.fetchone()[0]
    _set_role(f"gatehouse_{role}")
    try:
        yield
    finally:
        raw = connection.connection
        if raw is not None and raw.info.transaction_status != TransactionStatus.INERROR:
            _set_role(before)


@contextmanager
def as_owner() -> Iterator[None]:
    """Let "default" be the owner's own login, as script/manage does; sees what is committed."""
    settings = connection.settings_dict
    before, options = dict(settings), dict(settings["OPTIONS"])
    connection.close()
    settings.update(USER=roles.OWNER, OPTIONS={**options, "assume_role": None})
    try:
        yield
    finally:
        connection.close()
        settings.update(before)


@contextmanager
def role_connection(role: str, **options: Any) -> Iterator[psycopg.Connection[Any]]:
    """Open a separate psycopg connection as a real login (web, build, deploy, ticker or owner).

    It sees only what is committed: use it in tests marked ``transactional_db``.
    """
    url = servers.running().login(f"gatehouse_{role}", worker_database())
    with psycopg.connect(url, **options) as opened:
        yield opened
