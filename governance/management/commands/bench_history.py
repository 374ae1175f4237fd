"""manage.py bench_history: figures of the history, in a scratch database of script/bench.

Refuses a database that holds events: it fills it with a million.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.queues import SimpleQueue
from statistics import median
from typing import Any

import psutil
import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from core.measure import Watch, cpu_time, flush_time, judged, timed
from governance.bench_events import (
    body,
    copy_events,
    drop_indexes,
    enable_always,
    link_events,
    parameters,
)
from governance.models import AuditEvent, AuditLink, User
from governance.services import founding, guards, verifying

WRITERS = (1, 4, 8)
TIMES = 7
APPENDS = 1_000
VERIFIED = 300_000
VERIFICATIONS = 3
PAGE_MS = 100
SETTLED = 20_000
FLAT_MB = 10
BODY = "INSERT INTO governance_auditevent (body) VALUES (%s)"
PAGES = {
    "newest": "",
    "one release": "?release=R-4217",
    "one environment": "?environment=E-3",
    "one person": "?person={person}",
    "a failed outcome": "?outcome=failed",
    "an area": "?area=policy",
    "a period": "?since=2025-03-01&until=2025-03-07",
    "a word": "?q=R-4217",
    "rare words": "?q=halfway+through+everything",
    "environment and person": "?environment=E-3&person={person}",
    "deep in the middle": "?at=o1738368000000000-1",
}


class Command(BaseCommand):
    """Fill a scratch database and print what the history costs."""

    help = "Figures of the history; run it through script/bench history."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take sizes."""
        parser.add_argument("--events", type=int, default=1_000_000)
        parser.add_argument("--seconds", type=float, default=3.0, help="of each writing run")

    def handle(self, *args: Any, events: int, seconds: float, **options: Any) -> None:
        """Run everything in order."""
        if AuditEvent.objects.exists():
            raise CommandError("This database holds events; the bench wants an empty one.")
        if "owner" not in settings.DATABASES:
            raise CommandError("The bench needs the owner of a scratch database.")
        person = self._founded()
        self._writing(seconds)
        pages_of_few = self._pages(person)
        self._fill(events)
        self._verifying()
        pages_of_many = self._pages(person)
        self.stdout.write(
            "\nPages (ms, median of 7 requests through Django's test client; in brackets the CPU of"
            " Gatehouse and of PostgreSQL)"
        )
        for name in PAGES:
            few, many = pages_of_few[name], pages_of_many[name]
            self.stdout.write(
                f"  {name:<24} few {few[0]:7.1f} ({few[1]:5.1f})"
                f"   {events:,} {many[0]:7.1f} ({many[1]:5.1f})"
                f"   {judged(many[0] < PAGE_MS, f'{PAGE_MS} ms')}"
            )
        self._exports()

    def _founded(self) -> User:
        board = [("Ana Lima", "ana@example.com"), ("Ben Okafor", "ben@example.com")]
        founded = founding.found(team_name="Platform", board=board)
        return founded.founders[0].user

    # ── Writing ──────────────────────────────────────────────────────────────────────────────────

    def _writing(self, seconds: float) -> None:
        ceiling = 1 / flush_time()
        self.stdout.write(
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
            f"{psutil.virtual_memory().total / 2**30:.0f} GB; "
            f"the disk takes {1000 / ceiling:.2f} ms for a flush: {ceiling:,.0f} in a second,\n"
            "which is the most that commits with events can be\n\n"
            "Events/s, one event in each transaction, writers in processes;\n"
            "CPU of writer and connection per event"
        )
        head = ("writers", "without chain", "with chain", "not flushed", "CPU", "not flushed")
        self.stdout.write("  {:<9}{:>15}{:>13}{:>14}{:>12}{:>14}".format(*head))
        for count in WRITERS:
            plain = self._unchained(count, seconds)
            chained, cpu = written(count, seconds)
            swift, least = written(count, seconds, flushed=False)
            self.stdout.write(
                f"  {count:<9}{plain:>15,.0f}{chained:>13,.0f}{swift:>14,.0f}"
                f"{cpu * 1e6:>9.0f} us{least * 1e6:>11.0f} us"
            )
        wanted = f"{APPENDS:,} commits/s with {WRITERS[-1]} writers"
        flushes = f"{wanted} (ceiling of this disk: {ceiling:,.0f} flushes/s)"
        self.stdout.write(f"  {judged(chained >= APPENDS, flushes)}")
        self.stdout.write(f"  {judged(swift >= APPENDS, f'{wanted}, the disk aside')}")

    def _unchained(self, count: int, seconds: float) -> float:
        switch = "ALTER TABLE governance_auditevent {} TRIGGER chain_hop1"
        with connection.cursor() as cursor:
            cursor.execute(switch.format("DISABLE"))
        rate, _ = written(count, seconds)
        with connection.cursor() as cursor:
            cursor.execute(switch.format("ENABLE ALWAYS"))
            cursor.execute("ALTER TABLE governance_auditevent DISABLE TRIGGER USER")
            cursor.execute(
                "DELETE FROM governance_auditevent v WHERE NOT EXISTS"
                " (SELECT 1 FROM governance_auditlink l WHERE l.event_id = v.id)"
            )
            enable_always(cursor)
        return rate

    def _fill(self, total: int) -> None:
        """Fill quickly: this is about reading, so guards and indexes stand aside meanwhile."""
        started = time.perf_counter()
        have = AuditEvent.objects.count()
        first = AuditEvent.objects.latest("pk").pk + 1
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE governance_auditevent DISABLE TRIGGER USER")
            cursor.execute("ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER read_event")
            indexes = drop_indexes(cursor)
        middle = first + (total - have) // 2
        end = first + total - have
        shares = [(first, middle, end), (middle, end, end)]
        connections.close_all()
        children = [multiprocessing.Process(target=copy_events, args=share) for share in shares]
        for child in children:
            child.start()
        for child in children:
            child.join()
        link_events()
        copied = time.perf_counter() - started
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '256MB'")
            for definition in indexes:
                cursor.execute(definition)
            enable_always(cursor)
            cursor.execute("SELECT setval('governance_auditevent_id_seq', %s)", [end])
            cursor.execute("VACUUM ANALYZE governance_auditevent")
            cursor.execute("VACUUM ANALYZE governance_auditlink")
        took = time.perf_counter() - started
        self.stdout.write(
            f"\nFilled to {AuditLink.objects.count():,} events in {took:.0f} s"
            f" (rows and chain {copied:.0f} s, indexes {took - copied:.0f} s)"
        )

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────

    def _verifying(self) -> None:
        report = verifying.Report()
        self.stdout.write("\nVerification (CPU of Gatehouse and of PostgreSQL)")
        events = AuditLink.objects.count()
        chain = partial(verifying.follow_chain, report, {}, lambda: None)
        # The first time also pays for memory that the machine has to bring back.
        rate = median(self._verified("chain", events, chain) for _ in range(VERIFICATIONS))
        self.stdout.write(f"    {judged(rate >= VERIFIED, f'{VERIFIED:,} events/s in the median')}")
        self._verified("derived columns", events, lambda: verifying.compare_columns(report))
        drift = timed(guards.drift)
        self.stdout.write(f"  guards            {drift * 1000:>12,.0f} ms")
        if not report.passed:
            raise CommandError(f"The bench's own history is broken: {report.problems}")

    def _verified(self, words: str, events: int, act: Callable[[], object]) -> float:
        with Watch() as watch:
            seconds = timed(act)
        self.stdout.write(
            f"  {words:<18}{events / seconds:>12,.0f} events/s"
            f"{watch.seconds / events * 1e6:>8.1f} us of CPU per event"
        )
        return events / seconds

    def _pages(self, person: User) -> dict[str, tuple[float, float]]:
        """Return by page the wall time of a request and the CPU time, in ms."""
        client = Client(SERVER_NAME="localhost")
        client.force_login(person)
        found = {}
        for name, query in PAGES.items():
            address = reverse("governance:history") + query.format(person=person.pk)
            ask = partial(page, client, address)
            with Watch() as watch:
                wall = [timed(ask) for _ in range(TIMES)]
            found[name] = median(wall) * 1000, watch.seconds / TIMES * 1000
        return found

    def _exports(self) -> None:
        self.stdout.write("\nExports (whole history, streamed)")
        for name in ("history_csv", "history_jsonl"):
            answers: SimpleQueue[tuple[float, int, float, float]] = multiprocessing.SimpleQueue()
            connections.close_all()
            child = multiprocessing.Process(target=export, args=(name, answers))
            child.start()
            seconds, size, first, later = answers.get()
            child.join()
            self.stdout.write(
                f"  {name:<14}{seconds:7.1f} s  {size / 1e6:7.0f} MB  memory grew by {first:.0f} MB"
                f" until line {SETTLED:,}, by {later:.0f} MB afterwards"
                f"   {judged(later < FLAT_MB, 'flat memory')}"
            )


def page(client: Client, address: str) -> None:
    """Ask for a page; anything but the page is an error."""
    answer = client.get(address)
    if answer.status_code != 200:
        raise CommandError(f"{address}: {answer.status_code}")


def export(name: str, answers: SimpleQueue[tuple[float, int, float, float]]) -> None:
    """Read an export to its end, in a process of its own whose memory is watched."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.earliest("pk"))
    page(client, reverse("governance:history"))
    process, size = psutil.Process(), 0
    before = settled = peak = process.memory_info().rss
    started = time.perf_counter()
    for number, part in enumerate(chunks(client, name)):
        size += len(part)
        if number % 1000 == 0:
            peak = max(peak, process.memory_info().rss)
            settled = peak if number <= SETTLED else settled
    seconds = time.perf_counter() - started
    answers.put((seconds, size, (settled - before) / 1e6, (peak - settled) / 1e6))


def chunks(client: Client, name: str) -> Iterator[bytes]:
    """Yield the parts of a streamed answer."""
    yield from client.get(reverse(f"governance:{name}"))


def written(count: int, seconds: float, *, flushed: bool = True) -> tuple[float, float]:
    """Return events/s of so many processes that commit one event at a time, and CPU s per event.

    CPU time is that of the writers and of their connections; on a busy machine it says more. The
    chain is held until the disk has the commit; ``flushed=False`` shows what is left without it.
    """
    answers: SimpleQueue[tuple[int, float]] = multiprocessing.SimpleQueue()
    connections.close_all()
    start = time.monotonic() + 1.0
    children = [
        multiprocessing.Process(target=write, args=(start, start + seconds, flushed, answers))
        for _ in range(count)
    ]
    for child in children:
        child.start()
    told = [answers.get() for _ in children]
    for child in children:
        child.join()
    total = sum(done for done, _ in told)
    return total / seconds, sum(cpu for _, cpu in told) / max(total, 1)


def write(start: float, end: float, flushed: bool, answers: SimpleQueue[tuple[int, float]]) -> None:
    """Commit events until the time is over."""
    text = body(os.getpid(), 10_000_000)
    done = 0
    with psycopg.connect(**parameters(), autocommit=True) as raw:
        if not flushed:
            raw.execute("SET synchronous_commit = off")
        processes = (psutil.Process(), psutil.Process(raw.info.backend_pid))
        time.sleep(max(0.0, start - time.monotonic()))
        before = sum(map(cpu_time, processes))
        while time.monotonic() < end:
            raw.execute(BODY, [text], prepare=True)
            done += 1
        answers.put((done, sum(map(cpu_time, processes)) - before))
