"""Put a pack together: records first, then the tables that are drawn from the very same facts.

Rows of ``population.csv`` are written while the records are, so the two cannot disagree. What is
large is streamed; what is kept while streaming lies in files that vanish.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import IO, Any
from zoneinfo import ZoneInfo

from core import clock, signing
from core.digests import sha256_text
from governance.states import Role
from releases.evidence import (
    access,
    exceptions,
    history,
    pdf,
    places,
    policies,
    readme,
    refusals,
    tables,
)
from releases.evidence.access import Span
from releases.evidence.archive import Archive, readable_json
from releases.evidence.population import Selection, elsewhere, executions, selection_of
from releases.evidence.record import load, record_of
from releases.evidence.times import local, utc
from releases.models import EvidencePack

FORMAT = "gatehouse-evidence/2"
VERIFIERS = (
    ("verify.py", "releases.evidence.verification", "verify.py"),
    ("verify_stories.py", "releases.evidence.verification", "verify_stories.py"),
    ("verify_history.py", "governance.verification", "verify.py"),
)
"""Programs that are put into every pack, the packages that hold them, and their names there."""

SPOOLED = 2_000_000
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Maker:
    """One pack in the making."""

    pack: EvidencePack
    archive: Archive
    progress: Progress
    worker: str
    made_at: datetime = field(default_factory=clock.now)
    stretch: history.Stretch = field(default_factory=history.Stretch)
    earliest: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)
    manifest_digest: str = ""
    rights: access.Rights = field(init=False)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the local columns."""
        return ZoneInfo(self.pack.zone)

    def make(self) -> bytes:
        """Write every file; returns the manifest's bytes."""
        selection = selection_of(self.pack)
        with _spool() as population, _spool() as departures:
            self._changes(population, departures)
            self._exceptions(departures, selection)
            self._spooled("population.csv", tables.POPULATION, population)
            rows = tables.reconciliation_rows(selection, self.zone)
            self._table("reconciliation.csv", tables.RECONCILIATION, rows)
            rows = tables.request_rows(selection, self.zone)
            self._table("requests.csv", tables.REQUESTS, rows)
            self._spooled("exceptions.csv", exceptions.EXCEPTIONS, departures)
        span = self._span()
        self._table(places.PLACES, places.HEAD, places.rows(selection, self.zone))
        self.rights = access.Rights.read(span)
        self._table("access.csv", access.ACCESS, access.access_rows(self.rights, self.zone))
        rows = refusals.refusal_rows(span, self.zone)
        self._table(refusals.REFUSALS, refusals.HEAD, rows)
        for path, content in policies.policy_files(span.until):
            self.archive.document(path, content)
        self._history(span)
        return self._finish(span)

    def _changes(self, population: IO[str], departures: IO[str]) -> None:
        rows = executions(selection_of(self.pack))
        total = rows.count()
        numbers = rows.values_list("pk", flat=True).iterator(chunk_size=500)
        for done, number in enumerate(numbers):
            self.progress("records of changes", done, total)
            change = load(number)
            record = record_of(change)
            place = f"changes/{change.deployment.public_id}"
            written = self.archive.document(f"{place}.json", record)
            paper = pdf.document(record, f"sha256:{written.sha256}", written.path)
            self.archive.chunks(f"{place}.pdf", [paper])
            _keep(population, tables.population_row(change, self.zone))
            for row in exceptions.exceptions_of(change):
                _keep(departures, row.row(self.zone))
            self.stretch.include(event.link.position for event in change.events)
            if change.events:
                first = change.events[0].at
                self.earliest = min(self.earliest or first, first)

    def _exceptions(self, departures: IO[str], selection: Selection) -> None:
        """What no attempt explains; of one release only its own attempts are told."""
        if selection.release is not None:
            return
        for source in (
            exceptions.exceptions_of_orgs(selection),
            exceptions.exceptions_of_history(self._span()),
        ):
            for row in source:
                _keep(departures, row.row(self.zone))

    def _span(self) -> Span:
        """The period that access and refusals are told for."""
        pack = self.pack
        if pack.since is not None and pack.until is not None:
            return Span(pack.since, min(pack.until, self.made_at))
        since = self.earliest or (pack.release.created_at if pack.release else pack.created_at)
        return Span(since, self.made_at)

    def _history(self, span: Span) -> None:
        self.progress("history", 0, 0)
        if self.pack.release is None:
            self.stretch.include_period(span)
        self.stretch.reach_checkpoint()
        for path, rows in (
            ("events.jsonl", history.events(self.stretch)),
            ("checkpoints.jsonl", history.checkpoints(self.stretch)),
        ):
            self.counts[path] = self.archive.lines(path, rows).rows or 0

    def _table(self, path: str, head: tuple[str, ...], rows: Any) -> None:
        self.progress(path, 0, 0)
        self.counts[path] = self.archive.table(path, head, rows).rows or 0

    def _spooled(self, path: str, head: tuple[str, ...], rows: IO[str]) -> None:
        rows.seek(0)
        self._table(path, head, (json.loads(line) for line in rows))

    def _finish(self, span: Span) -> bytes:
        pack = self.pack
        facts = {
            "pack": pack.public_id,
            "subject": pack.subject,
            "scope": self._scope(span),
            "made_at": f"{utc(self.made_at)} ({local(self.made_at, self.zone)})",
            "made_for": pack.requested_by.full_name,
            "zone": pack.zone,
            "population": self.counts["population.csv"],
            "key": "\n    ".join(f"{key}  ({name})" for name, key in signing.public_keys().items()),
        }
        self.archive.text("README.txt", readme.readme(facts))
        self.archive.document("public_keys.json", signing.public_keys())
        for name, place, source in VERIFIERS:
            program = resources.files(place).joinpath(source).read_bytes()
            self.archive.chunks(name, [program])
        manifest = readable_json(self._manifest(span))
        signed = signing.sign("gatehouse-manifest", manifest)
        signature = {
            "key": signed.key_id,
            "signature": base64.b64encode(signed.value).decode("ascii"),
        }
        self.archive.chunks("manifest.json", [manifest], listed=False)
        self.archive.chunks("manifest.json.sig", [readable_json(signature)], listed=False)
        return manifest

    def _scope(self, span: Span) -> str:
        """The scope in words; the end of a period is not part of it."""
        told = f"Told from {utc(span.since)} to {utc(span.until)} ({self._both(span)})"
        if self.pack.release is not None:
            return f"All attempts of this release on protected environments. {told}"
        return f"Environments: {self._where()}. {told}"

    def _where(self) -> str:
        return self.pack.environment.name if self.pack.environment else "all protected ones"

    def _both(self, span: Span) -> str:
        return f"{local(span.since, self.zone)} to {local(span.until, self.zone)}"

    def _manifest(self, span: Span) -> dict[str, Any]:
        pack = self.pack
        return {
            "format": FORMAT,
            "pack": pack.public_id,
            "scope": {
                "kind": pack.scope,
                "release": pack.release.public_id if pack.release else None,
                "environment": pack.environment.name if pack.environment else None,
                "since": utc(pack.since) or None,
                "until": utc(pack.until) or None,
                "speaks_about": {"since": utc(span.since), "until": utc(span.until)},
                "filters": "none: every attempt on a protected environment is in the population",
            },
            "made_at": utc(self.made_at),
            "made_for": {"id": pack.requested_by_id, "name": pack.requested_by.full_name},
            "made_by": self.worker,
            "zone_of_local_columns": pack.zone,
            "counts": self.counts,
            "history": {
                "first_position": self.stretch.first,
                "last_position": self.stretch.last,
                "covered_by_checkpoints_until": history.covered_until(self.stretch),
            },
            "planned_here_began_later": [
                {
                    "change": row.public_id,
                    "planned_at": utc(row.created_at),
                    "started_at": utc(row.started_at),
                }
                for row in elsewhere(selection_of(pack))
            ],
            "roles_told_in_access": sorted(Role(role).title for role in self.rights.roles),
            "orgs_asked_for_their_own_list": tables.looks(selection_of(pack)),
            "files": self.archive.listing(),
        }


def folder_of(pack: EvidencePack) -> str:
    """The one directory that a pack unpacks into."""
    if pack.release is not None:
        return f"evidence-{pack.release.public_id}"
    where = "protected" if pack.environment is None else _plain(pack.environment.name)
    days = [f"{day:%Y%m%d}" for day in pack.days]
    return "-".join(["evidence", *days, where])


def write(pack: EvidencePack, target: IO[bytes], progress: Progress, worker: str) -> Maker:
    """Write a pack's zip; returns its maker with what was counted."""
    with Archive(target, folder_of(pack)) as archive:
        maker = Maker(pack, archive, progress, worker)
        maker.manifest_digest = sha256_text(maker.make())
    return maker


def _plain(name: str) -> str:
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name.lower())
    return kept.strip("-") or "environment"


def _spool() -> Any:
    return tempfile.SpooledTemporaryFile(SPOOLED, "w+", encoding="utf-8")


def _keep(spool: IO[str], row: Iterable[object]) -> None:
    """Keep a row of a table as one line, whatever line ends its cells hold."""
    spool.write(json.dumps([str(cell) for cell in row]) + "\n")
