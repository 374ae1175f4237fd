"""What each PostgreSQL role may do, declared next to the models and applied after every migration.

An app's ``grants.py`` holds ``GRANTS: {table: {role: privileges}}``, for instance
``{"governance_team": {"web": "INSERT, UPDATE (name)"}}``. web, build and deploy may read every
declared table unless ``"select"`` names who may; ticker reads only what is granted to it by name.
Nothing else is given: a table without an entry is closed to everybody but its owner, and a test
fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from django.apps import AppConfig, apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

ROLES: Final = ("web", "build", "deploy", "ticker")
READERS: Final = ("web", "build", "deploy")
OWNER_ALIAS: Final = "owner"

Declaration = Mapping[str, str | tuple[str, ...]]

# Tables of Django itself. Sessions belong to web alone: whoever reads them can become anybody.
DJANGO: Final[Mapping[str, Declaration]] = {
    "auth_group": {},
    "auth_group_permissions": {},
    "auth_permission": {},
    "django_content_type": {},
    "django_migrations": {},
    "django_session": {"web": "INSERT, UPDATE, DELETE", "select": ("web",)},
}

_PRIVILEGE = re.compile(
    r"(SELECT|INSERT|UPDATE|DELETE)\s*(?:\(\s*([a-z0-9_]+(?:\s*,\s*[a-z0-9_]+)*)\s*\))?"
)


class GrantInvalid(Exception):
    """Raised when a declaration cannot be understood; names the table."""


def declared() -> dict[str, Declaration]:
    """Collect the declarations of Django's tables and of every installed app.

    Raises GrantInvalid when two apps declare the same table.
    """
    found: dict[str, Declaration] = dict(DJANGO)
    for config in apps.get_app_configs():
        if config.module is None or find_spec(f"{config.name}.grants") is None:
            continue
        if config.name == "core":
            continue
        for table, declaration in import_module(f"{config.name}.grants").GRANTS.items():
            if table in found:
                raise GrantInvalid(f"{table} is declared twice, the second time by {config.name}")
            found[table] = declaration
    return found


def statements(table: str, declaration: Declaration) -> Iterator[sql.Composed]:
    """Yield the GRANT statements of one table; what is not written here stays revoked."""
    unknown = set(declaration) - set(ROLES) - {"select"}
    if unknown:
        raise GrantInvalid(f"{table}: unknown role {', '.join(sorted(unknown))}")
    for role in declaration.get("select", READERS):
        yield _grant(sql.SQL("SELECT"), table, role)
    for role in ROLES:
        text = declaration.get(role)
        if isinstance(text, str):
            yield _grant(_privileges(table, text), table, role)


def _privileges(table: str, text: str) -> sql.Composed:
    """Read "INSERT, UPDATE (state, wake_at)"; anything else than the four verbs is refused."""
    parts: list[sql.Composable] = []
    rest = text.strip()
    while rest:
        match = _PRIVILEGE.match(rest)
        if match is None:
            raise GrantInvalid(f"{table}: cannot understand the privileges {text!r}")
        part: sql.Composable = sql.SQL(match[1])
        if match[2]:
            columns = sql.SQL(", ").join(sql.Identifier(c.strip()) for c in match[2].split(","))
            part = sql.SQL("{} ({})").format(part, columns)
        parts.append(part)
        rest = rest[match.end() :].lstrip()
        if rest and not rest.startswith(","):
            raise GrantInvalid(f"{table}: cannot understand the privileges {text!r}")
        rest = rest[1:].lstrip()
    return sql.SQL(", ").join(parts)


def _grant(privileges: sql.Composable, table: str, role: str) -> sql.Composed:
    return sql.SQL("GRANT {} ON TABLE {} TO {}").format(
        privileges, sql.Identifier(table), sql.Identifier(f"gatehouse_{role}")
    )


def apply(connection: BaseDatabaseWrapper) -> None:
    """Take every right on every table away and grant what is declared, in one transaction.

    A declared table that does not exist yet (a partial migration) is passed over.
    """
    grants = declared()
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        everyone = sql.SQL(", ").join(sql.Identifier(f"gatehouse_{role}") for role in ROLES)
        for table in sorted(present):
            cursor.execute(
                sql.SQL("REVOKE ALL ON TABLE {} FROM PUBLIC, {}").format(
                    sql.Identifier(table), everyone
                )
            )
        for table in sorted(present & grants.keys()):
            for statement in statements(table, grants[table]):
                cursor.execute(statement)


def apply_after_migrate(sender: AppConfig, using: str, **_: Any) -> None:
    """Apply the grants when the owner has migrated; connected to post_migrate once."""
    if using == OWNER_ALIAS:
        from django.db import transaction

        with transaction.atomic(using=using):
            apply(connections[using])
