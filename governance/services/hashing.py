"""Hashing the history again, in processes with a connection of their own.

PostgreSQL hands out texts and hashes of some rows as a few long byte strings, which is cheap; the
hashes are computed here, where the processor's own instructions for SHA-256 serve. Portions do not
depend on each other, since each row carries the hash before it: one process reads while another
hashes, so that both cores are busy. Then processor time is what counts (ADR 0126): one question for
some rows, asked of libpq itself, and texts that are cut by their lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from signal import SIGKILL
from typing import Any

import psycopg
from django.db import connection
from psycopg.pq import ExecStatus

from core.errors import ExternalFault
from governance.rules.chain import SIZE, Portion, cut, hashes, signed_between

PORTION = 10_000
READ = 1_000
"""Rows in one answer of PostgreSQL: more would leave the processor's cache."""
PROCESSES = 2
SPREAD = 4
ENDED_SECONDS = 5
LONGEST = 65_536

# Event ids that lie far apart belong to a long transaction, or were tampered with: then no text is
# read at once, nor is one that is longer than any that the product writes.
_QUESTION = """
    PREPARE history_rows (bigint, bigint, bigint, bigint) AS
    SELECT l.numbers, l.previous, l.hash, e.ids, e.lengths, e.texts
    FROM (
        SELECT min(event_id) AS least, max(event_id) AS most,
               bool_and(octet_length(previous) = 32 AND octet_length(hash) = 32) AS sound,
               string_agg(int8send(position) || int8send(event_id), '') AS numbers,
               string_agg(previous, '') AS previous, string_agg(hash, '') AS hash
        FROM (SELECT position, event_id, previous, hash FROM governance_auditlink
              WHERE position > $1 AND position <= $2 ORDER BY position) rows
    ) l,
    LATERAL (
        SELECT string_agg(int8send(id), '') AS ids,
               string_agg(int4send(octet_length(body)), '') AS lengths,
               string_agg(CASE WHEN octet_length(body) <= $3 THEN body END, '') AS texts
        FROM governance_auditevent
        WHERE l.sound AND l.most::numeric - l.least < $4 AND id BETWEEN l.least AND l.most
    ) e
"""
_NAME, _COLUMNS, _BINARY = b"history_rows", 6, 1
# The same plan however large the history is; the processes share the cores already.
_PLANS = """
    SET max_parallel_workers_per_gather = 0;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET jit = off;
    SET plan_cache_mode = force_generic_plan
"""
# glibc gives memory back to the kernel after each answer, and takes it again page by page for the
# next one, unless a larger piece was given back before: a third of PostgreSQL's time here.
_KEEPING_MEMORY = "SELECT octet_length(repeat(' ', 16777216))"


def portions(end: int, signed: Sequence[int]) -> Iterator[Portion]:
    """Read (0, end] in portions, in order; ``signed`` are the positions that checkpoints tell."""
    starts = range(0, end, PORTION)
    if len(starts) <= PROCESSES:
        yield from _read(starts, end, signed)
        return
    processes = get_context("fork")
    with ExitStack() as stack:
        sources = []
        for number in range(PROCESSES):
            here, there = processes.Pipe(duplex=False)
            stack.enter_context(here)
            share = starts[number::PROCESSES]
            child = processes.Process(target=_send, args=(there, share, end, signed), daemon=True)
            child.start()
            stack.callback(child.join)
            stack.callback(child.kill)
            there.close()
            sources.append((here, child))
        for number in range(len(starts)):
            yield _received(*sources[number % PROCESSES])


def _received(here: Connection, child: ForkProcess) -> Portion:
    """Return a process's next answer; code: history.verification_unfinished when it is gone."""
    try:
        portion: Portion = here.recv()
    except (EOFError, OSError) as error:
        child.join(ENDED_SECONDS)
        raise ExternalFault(
            "history.verification_unfinished",
            "The verification could not be finished: a process that reads the history "
            f"{_ending(child.exitcode)}. Nothing is said about the history itself.",
        ) from error
    return portion


def _ending(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return "ended with an error, which its log tells"
    memory = ", as the kernel does when memory runs out" if exitcode == -SIGKILL else ""
    return f"was killed by signal {-exitcode}{memory}"


def _send(there: Connection, starts: range, end: int, signed: Sequence[int]) -> None:
    for portion in _read(starts, end, signed):
        there.send(portion)


def _read(starts: range, end: int, signed: Sequence[int]) -> Iterator[Portion]:
    with closing(connection.copy()) as reader:
        reader.ensure_connection()
        raw: psycopg.Connection[Any] = reader.connection
        raw.execute(_PLANS)
        raw.execute(_KEEPING_MEMORY)
        raw.execute(_QUESTION)
        for start in starts:
            yield _portion(raw, start, min(start + PORTION, end), signed)


def _portion(raw: psycopg.Connection[Any], start: int, end: int, signed: Sequence[int]) -> Portion:
    first, last, told = b"", b"", {}
    for begin in range(start, end, READ):
        stop = min(begin + READ, end)
        previous, own = _hashed(raw, begin, stop)
        if len(own) != SIZE * (stop - begin) or previous[SIZE:] != own[:-SIZE]:
            return Portion(start, end, fits=False)
        if last not in (b"", previous[:SIZE]):
            return Portion(start, end, fits=False)
        for place in signed_between(signed, begin, stop):
            at = SIZE * (place - begin - 1)
            told[place] = own[at : at + SIZE]
        first, last = first or previous[:SIZE], own[-SIZE:]
    return Portion(start, end, True, first, last, told)


def _hashed(raw: psycopg.Connection[Any], start: int, end: int) -> tuple[bytes, bytes]:
    """Return previous and hash of these rows one after another; nothing where one is wrong."""
    asked = [b"%d" % number for number in (start, end, LONGEST, SPREAD * READ)]
    answer = raw.pgconn.exec_prepared(_NAME, asked, result_format=_BINARY)
    if answer.status != ExecStatus.TUPLES_OK:
        raise psycopg.errors.error_from_result(answer)
    values = (answer.get_value(0, column) or b"" for column in range(_COLUMNS))
    numbers, previous, own, ids, lengths, texts = values
    fits = hashes(start, previous, numbers, ids, cut(texts, lengths)) == own
    return (previous, own) if fits else (b"", b"")
