"""The database's clock and locks. All locks here are refused outside a transaction."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

M = TypeVar("M", bound=models.Model)


class Now(models.Func):
    """The database's clock inside a query, where ``database_now`` would ask one of its own."""

    function = "gatehouse_now"
    output_field = models.DateTimeField()


def database_now(using: str = DEFAULT_DB_ALIAS) -> datetime:
    """Read the time from the database; it moves on inside a transaction.

    Decisions about expiry and windows use this clock, since all processes share it and only the
    database's owner may replace it.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT gatehouse_now()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def advisory_lock(name: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """Wait for the named lock and hold it alone until the transaction ends."""
    _advisory(name, "SELECT pg_advisory_xact_lock(%s)", using)


def shared_advisory_lock(name: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """Wait until nobody holds the named lock alone, and keep it that way until the end."""
    _advisory(name, "SELECT pg_advisory_xact_lock_shared(%s)", using)


def _advisory(name: str, statement: str, using: str) -> None:
    _demand_transaction(using)
    key = int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big", signed=True)
    with connections[using].cursor() as cursor:
        cursor.execute(statement, [key])


def lock_rows(rows: models.QuerySet[M]) -> list[M]:
    """Lock the rows in order of their keys (so that two callers never deadlock) and return them.

    ``no_key``: rows that refer to these may still be inserted meanwhile.
    """
    _demand_transaction(rows.db)
    return list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)))


def _demand_transaction(using: str) -> None:
    if not transaction.get_connection(using).in_atomic_block:
        raise transaction.TransactionManagementError("a lock is only held inside a transaction")
