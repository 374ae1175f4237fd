"""manage.py bench_history: figures of the history, in a scratch database of script/bench.

Refuses a database that holds events: it fills it with a million.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
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

from core.digests import canonical_json
from core.measure import Watch, cpu_time, flush_time, timed
from governance.models import AuditEvent, AuditLink, User
from governance.rules.chain import link
from governance.services import founding, guards, verifying

WRITERS = (1, 4, 8)
PER_FETCH = 10_000
TIMES = 7
BODY = "INSERT INTO governance_auditevent (body) VALUES (%s)"
LINKS = """
    COPY governance_auditlink (position, event_id, previous, hash) FROM STDIN (FORMAT binary)
"""
START = datetime(2024, 1, 1, tzinfo=UTC)
EVENTS = (
    "release.composed",
    "approval.approved",
    "deployment.started",
    "deployment.failed",
    "step.succeeded",
    "membership.granted",
    "policy.confirmed",
    "environment.holds",
)
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


def body(number: int, total: int) -> str:
    """Make an event as the product would write it."""
    release, environment, person = number % 5000, number % 30, number % 50 + 1
    event = EVENTS[number % len(EVENTS)]
    spread = timedelta(days=1000) * (number / max(total, 1))
    words = "halfway through everything" if number == total // 2 else "as planned"
    content = {
        "v": 1,
        "event": event,
        "at": START + spread,
        "actor": {"kind": "person", "id": person, "name": f"Person {person}"},
        "origin": {"via": "web", "auth": "totp", "session": f"{number:016x}"},
        "subject": {"kind": "release", "id": release, "ref": f"R-{release}", "label": "a train"},
        "related": [f"R-{release}", f"D-{number % 20000}", f"E-{environment}"],
        "team": None,
        "request": f"{number:032x}",
        "facts": {"environment": f"Environment {environment}", "note": "a fact " * 20},
        "sentence": f"Person {person} moved R-{release} to Environment {environment} {words}",
    }
    return canonical_json(content).decode("utf-8")


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
            )
        self._exports()

    def _founded(self) -> User:
        board = [("Ana Lima", "ana@example.com"), ("Ben Okafor", "ben@example.com")]
        founded = founding.found(team_name="Platform", board=board)
        return founded.founders[0].user

    # ── Writing ──────────────────────────────────────────────────────────────────────────────────

    def _writing(self, seconds: float) -> None:
        self.stdout.write(
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
            f"{psutil.virtual_memory().total / 2**30:.0f} GB; "
            f"the disk takes {flush_time() * 1000:.2f} ms for a flush\n\n"
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
        self._verified("chain", events, lambda: verifying.follow_chain(report, {}, lambda: None))
        self._verified("derived columns", events, lambda: verifying.compare_columns(report))
        drift = timed(guards.drift)
        self.stdout.write(f"  guards            {drift * 1000:>12,.0f} ms")
        if not report.passed:
            raise CommandError(f"The bench's own history is broken: {report.problems}")

    def _verified(self, words: str, events: int, act: Callable[[], object]) -> None:
        with Watch() as watch:
            seconds = timed(act)
        self.stdout.write(
            f"  {words:<18}{events / seconds:>12,.0f} events/s"
            f"{watch.seconds / events * 1e6:>8.1f} us of CPU per event"
        )

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
            answers: SimpleQueue[tuple[float, int, float]] = multiprocessing.SimpleQueue()
            connections.close_all()
            child = multiprocessing.Process(target=export, args=(name, answers))
            child.start()
            seconds, size, more = answers.get()
            child.join()
            self.stdout.write(
                f"  {name:<14}{seconds:7.1f} s  {size / 1e6:7.0f} MB  memory grew by {more:.0f} MB"
            )


def page(client: Client, address: str) -> None:
    """Ask for a page; anything but the page is an error."""
    answer = client.get(address)
    if answer.status_code != 200:
        raise CommandError(f"{address}: {answer.status_code}")


def export(name: str, answers: SimpleQueue[tuple[float, int, float]]) -> None:
    """Read an export to its end, in a process of its own whose memory is watched."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.earliest("pk"))
    page(client, reverse("governance:history"))
    process, size, peak = psutil.Process(), 0, 0
    before = process.memory_info().rss
    started = time.perf_counter()
    for number, part in enumerate(chunks(client, name)):
        size += len(part)
        if number % 1000 == 0:
            peak = max(peak, process.memory_info().rss)
    answers.put((time.perf_counter() - started, size, (peak - before) / 1e6))


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


def drop_indexes(cursor: Any) -> list[str]:
    """Drop the indexes of the events that are no constraints; return how to make them."""
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " WHERE i.indrelid = 'governance_auditevent'::regclass AND NOT i.indisunique"
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def copy_events(first: int, end: int, total: int) -> None:
    """Copy events with these ids into the table."""
    with (
        psycopg.connect(**parameters()) as raw,
        raw.cursor() as writer,
        writer.copy("COPY governance_auditevent (id, body) FROM STDIN") as copy,
    ):
        for number in range(first, end):
            copy.write_row([number, body(number, total)])


def link_events() -> None:
    """Link what has no link yet, in order of ids, as the chain's own trigger would."""
    last = AuditLink.objects.latest("position")
    position, previous = last.position, bytes(last.hash)
    with (
        psycopg.connect(**parameters()) as reading,
        psycopg.connect(**parameters()) as writing,
        reading.cursor("events", binary=True) as events,
        writing.cursor() as writer,
        writer.copy(LINKS) as copy,
    ):
        copy.set_types(["int8", "int8", "bytea", "bytea"])
        events.itersize = PER_FETCH
        events.execute(
            "SELECT e.id, sha256(convert_to(e.body, 'UTF8')) FROM governance_auditevent e"
            " WHERE NOT EXISTS (SELECT FROM governance_auditlink l WHERE l.event_id = e.id)"
            " ORDER BY e.id"
        )
        for number, digest in events:
            position += 1
            own = link(previous, position, number, digest)
            copy.write_row([position, number, previous, own])
            previous = own


def enable_always(cursor: Any) -> None:
    """Put the guards of the events' table back as the migrations made them."""
    cursor.execute(
        "SELECT tgname FROM pg_trigger"
        " WHERE tgrelid = 'governance_auditevent'::regclass AND NOT tgisinternal"
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER "{name}"')


def parameters() -> dict[str, Any]:
    """Return how psycopg reaches the scratch database."""
    given = settings.DATABASES["default"]
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return {"dbname": given["NAME"], **{key: given[name] for key, name in names.items()}}
