"""The PostgreSQL logins of Gatehouse and its database, made by the server's superuser.

``owner`` owns the schema and is used by migrations alone. web, build, deploy and ticker are the
logins of the processes; what each may do is declared in the apps' ``grants.py``. SET ROLE is no
boundary, so every process has a login of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

OWNER = "gatehouse_owner"
PROCESSES = ("gatehouse_web", "gatehouse_build", "gatehouse_deploy", "gatehouse_ticker")
LOGINS = (OWNER, *PROCESSES)


def create_roles(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> None:
    """Make the logins, or give the existing ones these passwords; the connection is in autocommit.

    Takes EXECUTE on the owner's future functions from the public, also for functions of later
    migrations: a function that others may call is granted by name.
    """
    for role in LOGINS:
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                sql.SQL("ALTER" if exists else "CREATE"),
                sql.Identifier(role),
                sql.Literal(passwords[role]),
            )
        )


def create_database(connection: psycopg.Connection[Any], name: str) -> None:
    """Make an empty database that belongs to owner and that only our logins may enter."""
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if not found:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(OWNER)
            )
        )
    restrict_database(connection, name)


def restrict_database(connection: psycopg.Connection[Any], name: str) -> None:
    """Let only our logins connect; a database made from a template does not inherit this."""
    database = sql.Identifier(name)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for role in PROCESSES:
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role))
        )


def harden(owner: psycopg.Connection[Any]) -> None:
    """Say, inside the new database and as owner, what the public may not do.

    Without IN SCHEMA on purpose: the form with a schema cannot take the default away.
    """
    owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    owner.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")


def prepare(admin: str, passwords: Mapping[str, str]) -> None:
    """Make logins and rights on a server that somebody else runs.

    ``admin`` is the address of an administrator, with an existing database, which becomes our
    owner's. May be repeated: passwords are then set anew.
    """
    with psycopg.connect(admin, autocommit=True) as connection:
        create_roles(connection, passwords)
        name = connection.info.dbname
        owner, database = sql.Identifier(OWNER), sql.Identifier(name)
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, owner))
        restrict_database(connection, name)
        connection.execute(sql.SQL("SET ROLE {}").format(owner))
        harden(connection)


def main() -> int:
    """Make the logins from ADMIN_DATABASE_URL and one password per login (script/entry roles)."""
    names = {role: f"{role.removeprefix('gatehouse_').upper()}_PASSWORD" for role in LOGINS}
    missing = [n for n in ("ADMIN_DATABASE_URL", *names.values()) if not os.environ.get(n)]
    if missing:
        print(f"script/entry roles needs {', '.join(missing)}", file=sys.stderr)
        return 2
    passwords = {role: os.environ[name] for role, name in names.items()}
    try:
        prepare(os.environ["ADMIN_DATABASE_URL"], passwords)
    except psycopg.Error as error:
        print(f"script/entry roles: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
