"""What is out of the ordinary: of attempts, of the orgs and of the history itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from core import clock
from environments.states import Stage
from releases.evidence import tables
from releases.evidence.access import Span
from releases.evidence.population import Selection, environments_of
from releases.evidence.record import Change
from releases.evidence.record.authorised import counts, hands_in
from releases.evidence.record.tested import wrote_it
from releases.evidence.refusals import breaches
from releases.evidence.tables import STREAM, Row
from releases.evidence.times import local, utc
from releases.states import Standing

EXCEPTIONS = (
    "kind", "object", "environment", "when (UTC)", "when (local)", "who", "what", "still open",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Departure:
    """One departure from the ordinary way."""

    kind: str
    ref: str
    environment: str
    at: datetime | None
    who: str
    what: str
    is_open: bool = False

    def row(self, zone: ZoneInfo) -> Row:
        """The exception as a line of the file."""
        return (
            self.kind, self.ref, self.environment, utc(self.at), local(self.at, zone), self.who,
            self.what, "yes" if self.is_open else "no",
        )  # fmt: skip


def exceptions_of(change: Change) -> Iterator[Departure]:
    """What is out of the ordinary about one attempt."""
    deployment, where = change.deployment, change.deployment.environment.name
    at = deployment.started_at or deployment.created_at
    ref = deployment.public_id
    who = deployment.requester.full_name if deployment.requester else ""
    yield from _emergency(change, ref, where)
    if deployment.settle_outcome:
        by = deployment.settled_by.full_name if deployment.settled_by else ""
        what = f"outcome unknown, settled as {deployment.settle_outcome}: {deployment.settle_note}"
        yield Departure("settled by a person", ref, where, deployment.finished_at, by, what)
    if deployment.state == "unknown":
        yield Departure("outcome unknown", ref, where, at, who, deployment.message, is_open=True)
    begun = deployment.started_at
    if begun and deployment.not_after and begun > deployment.not_after:
        yield Departure("started after its window", ref, where, begun, who, "")
    yield from _conflicts(change, ref, where)
    yield from _testers(change, ref, where)
    wrote = change.write is not None and change.write.intended_at is not None
    if wrote and change.request is None and deployment.environment.stage == "PRD":
        yield Departure("write without approval request", ref, where, at, who, "", True)


def _emergency(change: Change, ref: str, where: str) -> Iterator[Departure]:
    row = change.break_glass
    if row is None:
        return
    said = f"{row.incident}: {row.reason}"
    yield Departure(
        "break-glass", ref, where, row.used_at or row.created_at, str(row.asked_by), said
    )
    if row.review_due_at is None:
        return
    ended = row.reviewed_at or clock.now()
    if ended > row.review_due_at:
        by = str(row.reviewed_by) if row.reviewed_by else ""
        due = f"{row.public_id} was due {utc(row.review_due_at)}"
        yield Departure("late review", ref, where, ended, by, due, row.reviewed_at is None)


def _conflicts(change: Change, ref: str, where: str) -> Iterator[Departure]:
    hands = hands_in(change)
    for row in change.decisions:
        if counts(row) and row.person_id in hands:
            reasons = "; ".join(hands[row.person_id])
            yield Departure(
                "segregation conflict", ref, where, row.decided_at, row.person.full_name, reasons
            )


def _testers(change: Change, ref: str, where: str) -> Iterator[Departure]:
    """User tests of production signed by somebody who wrote what was tested."""
    if change.write is None or change.deployment.environment.stage != Stage.PRD:
        return
    for row in change.candidates:
        if row.tested_by is not None and wrote_it(row, row.tested_by_id):
            said = f"signed the user testing of {row.tag} of {row.team.name}, wrote commits of it"
            name = row.tested_by.full_name
            yield Departure("tester wrote the code", ref, where, row.tested_at, name, said)


def exceptions_of_history(span: Span) -> Iterator[Departure]:
    """What happened past every control, as the history tells it."""
    for kind, event in breaches(span):
        body = json.loads(event.body)
        who = body["actor"]["name"]
        yield Departure(kind, event.public_id, "", event.at, who, event.sentence)


def exceptions_of_orgs(selection: Selection) -> Iterator[Departure]:
    """Changes in the orgs that no attempt of ours explains."""
    if selection.release is not None:
        return
    for environment in environments_of(selection):
        rows = tables.reported(selection, environment).filter(standing=Standing.UNEXPLAINED.value)
        for row in rows.iterator(chunk_size=STREAM):
            said = f"; explained: {row.explanation}" if row.explanation else ""
            yield Departure(
                "unexplained change",
                row.remote_id,
                environment.name,
                row.created_at,
                row.created_by_name or row.created_by_id,
                f"{row.components_total} components deployed past Gatehouse ({row.status}){said}",
                row.is_open,
            )
