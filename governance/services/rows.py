"""Reading every row of the history, in portions on two connections, so that memory stays flat.

A portion of the chain in which anything is wrong is read again row by row, which names the first
row that does not fit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, LiteralString, TypeVar

import psycopg
from django.db import connection
from psycopg import sql

from governance.rules.chain import Chain, Fault, Link
from governance.services import hashing

Answer = TypeVar("Answer")

PAGES = 1_000
READERS = 2

_LINKS = """
    SELECT position, event_id, previous, hash FROM governance_auditlink
    WHERE position > {start} AND position <= {end} ORDER BY position
"""
_DIGESTS = """
    SELECT id, sha256(convert_to(body, 'UTF8')) FROM governance_auditevent WHERE id = ANY({ids})
"""
_COUNTS = """
    SELECT (SELECT count(*) FROM governance_auditevent), count(*), coalesce(max(position), 0)
    FROM governance_auditlink
"""
_UNLINKED = """
    SELECT e.id FROM governance_auditevent e LEFT JOIN governance_auditlink l ON l.event_id = e.id
    WHERE l.event_id IS NULL ORDER BY e.id LIMIT 1
"""
# One parse per row, and no jsonb but for the three values that are looked into.
_COLUMNS = """
    SELECT min(e.id)
    FROM governance_auditevent e,
         LATERAL json_to_record(e.body::json)
             AS b(event text, sentence text, subject jsonb, actor jsonb, team text, at timestamptz,
                  related jsonb)
    WHERE e.ctid >= format('(%s,0)', {start})::tid AND e.ctid < format('(%s,0)', {end})::tid
      AND (e.event, e.sentence, e.subject_kind, e.subject_ref, e.actor_kind, e.actor_name, e.team,
           e.actor_id, e.at, to_jsonb(e.related))
          IS DISTINCT FROM
          (b.event, b.sentence, b.subject ->> 'kind', b.subject ->> 'ref',
           b.actor ->> 'kind', b.actor ->> 'name', b.team,
           (b.actor ->> 'id')::bigint, b.at, coalesce(b.related, '[]'))
"""
_NUMBERS = """
    SELECT e.id FROM governance_auditevent e
    WHERE e.ctid >= format('(%s,0)', {start})::tid AND e.ctid < format('(%s,0)', {end})::tid
    ORDER BY e.id
"""
_PAGES = "SELECT pg_relation_size('governance_auditevent') / current_setting('block_size')::int"


@dataclass(frozen=True, slots=True)
class Followed:
    """How far the chain was read, where it ends, and what is wrong first."""

    read: int
    end: int
    faults: tuple[Fault, ...]


def follow(signed: Mapping[int, tuple[str, str]], renew: Callable[[], None]) -> Followed:
    """Follow the chain to its end.

    ``signed``: position → (hash in hex, name of the checkpoint that says so).
    """
    events, links, end = _counts()
    chain, faults = Chain(signed), []
    for portion in hashing.portions(end, sorted(signed)):
        renew()
        if not chain.take(portion):
            fault = chain.read(*_in_rows(portion.start, portion.end))
            if fault is not None:
                faults.append(fault)
                break
    if events != links:
        faults.append(_unlinked(events - links))
    return Followed(chain.position, end, tuple(faults))


def first_with_other_columns(renew: Callable[[], None]) -> int | None:
    """Return the first event whose columns do not say what its text says.

    Read by pages of the table: numbers of events may have been tampered with.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PAGES)
        (pages,) = cursor.fetchone()
    found = []
    for number in _in_portions(_other_columns, pages):
        renew()
        found += [number] if number is not None else []
    return min(found, default=None)


def _other_columns(raw: psycopg.Connection[Any], start: int, end: int) -> int | None:
    asked = _filled(_COLUMNS, start=start, end=end)
    try:
        return _number(raw, asked)
    except psycopg.DataError:
        return _first_unreadable(raw, asked, start, end)


def _number(raw: psycopg.Connection[Any], asked: sql.Composed) -> int | None:
    with psycopg.Cursor(raw) as cursor:
        row = cursor.execute(asked).fetchone()
    return row[0] if row else None


def _first_unreadable(
    raw: psycopg.Connection[Any], asked: sql.Composed, start: int, end: int
) -> int | None:
    """Name the first event that is wrong where a text is not even JSON: ask about one by one."""
    with psycopg.Cursor(raw) as cursor:
        numbers = cursor.execute(_filled(_NUMBERS, start=start, end=end)).fetchall()
    for (number,) in numbers:
        try:
            if _number(raw, asked + _filled(" AND e.id = {number}", number=number)) is not None:
                return int(number)
        except psycopg.DataError:
            return int(number)
    return None


def _counts() -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        events, links, end = cursor.fetchone()
    return events, links, end


def _in_portions(
    ask: Callable[[psycopg.Connection[Any], int, int], Answer], end: int
) -> Iterator[Answer]:
    """Ask about (0, end] in portions, on several connections; answers come in order."""
    readers = [connection.copy() for _ in range(READERS)]
    free: SimpleQueue[psycopg.Connection[Any]] = SimpleQueue()
    coming: deque[Future[Answer]] = deque()

    def portion(start: int, stop: int) -> Answer:
        raw = free.get()
        try:
            return ask(raw, start, stop)
        finally:
            free.put(raw)

    try:
        for reader in readers:
            reader.ensure_connection()
            free.put(reader.connection)
        with ThreadPoolExecutor(max_workers=READERS) as ahead:
            for start in range(0, end, PAGES):
                stop = min(start + PAGES, end)
                coming.append(ahead.submit(portion, start, stop))
                if len(coming) > 2 * READERS:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
    finally:
        for reader in readers:
            reader.close()


def _in_rows(start: int, end: int) -> tuple[list[Link], dict[int, bytes]]:
    """Read a portion row by row: its links, and the digests of their events."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        query = _filled(_LINKS, start=start, end=end)
        links: list[Link] = cursor.execute(query, binary=True).fetchall()
        query = _filled(_DIGESTS, ids=[event_id for _, event_id, _, _ in links] or [0])
        return links, dict(cursor.execute(query, binary=True).fetchall())


def _filled(query: LiteralString, **values: object) -> sql.Composed:
    """Write values out, so that the planner sees how few rows it is about."""
    return sql.SQL(query).format(**{name: sql.Literal(value) for name, value in values.items()})


def _unlinked(more: int) -> Fault:
    with connection.cursor() as cursor:
        cursor.execute(_UNLINKED)
        row = cursor.fetchone()
    text = f"{abs(more)} events are not in the chain" if more > 0 else "links without an event"
    return Fault(0, row[0] if row else None, text)
