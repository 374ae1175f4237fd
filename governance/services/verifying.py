"""Reading the whole history against its chain, its checkpoints and the guards.

What is found first in each check is told; the checks do not depend on each other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Subquery
from django.db.models.functions import Coalesce
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from core import db, signing
from core.digests import sha256_text
from core.errors import ExternalFault
from governance import audit
from governance.checkpoints.places import Record
from governance.models import Checkpoint, Installation, Verification
from governance.permissions import demand
from governance.rules.chain import Fault
from governance.services import checkpoints, guards, rows
from jobs import wake

KIND = "governance.verification"
ON_DEMAND, SCHEDULED = 1, 2
TRY_AGAIN_SECONDS = (60, 3600)
"""How long to wait after a verification that could not be finished: doubled, up to the second."""


@dataclass(frozen=True, slots=True)
class Told:
    """A checkpoint that was read somewhere, with its signature checked."""

    where: str
    record: Record
    content: dict[str, Any]


@dataclass(slots=True)
class Report:
    """What a verification found."""

    events: int = 0
    checkpoints: int = 0
    problems: list[str] = field(default_factory=list)
    event_id: int | None = None

    @property
    def passed(self) -> bool:
        """Tell whether nothing was wrong."""
        return not self.problems

    def add(self, fault: Fault) -> None:
        """Take a broken row in."""
        self.problems.append(fault.sentence)
        self.event_id = self.event_id if self.event_id is not None else fault.event_id


def request() -> None:
    """Ask a worker to verify now. Codes: those of the capability ``history.verify``."""
    demand("history.verify")
    with transaction.atomic():
        audit.record("history.verification_asked", checkpoints.subject())
        wake.wake(KIND, ON_DEMAND)


def verify(*, outside: Path | None, renew: Callable[[], None] = lambda: None) -> Report:
    """Verify everything; ``outside`` is a directory of checkpoints, ``renew`` called as it goes."""
    report = Report()
    told = list(_own_checkpoints(report))
    own = {each.content["number"]: each for each in told}
    told += _outside_checkpoints(report, outside, own)
    report.checkpoints = len(told)
    signed = {each.content["position"]: (each.content["hash"], each.where) for each in told}
    end = follow_chain(report, signed, renew)
    for each in told:
        if each.content["position"] > end:
            report.problems.append(
                f"position {end + 1}: the end of the history is missing; {each.where}, signed "
                f"{each.content['at']}, says it had {each.content['position']} events, now {end}"
            )
            break
    compare_columns(report, renew)
    compare_details(report)
    report.problems += guards.drift()
    return report


def keep_unfinished(fault: ExternalFault, started_at: datetime) -> int:
    """Write down that nobody knows; return in how many seconds to try again."""
    finished = Verification.objects.filter(unfinished=False).values("pk")[:1]
    tries = Verification.objects.filter(pk__gt=Coalesce(Subquery(finished), 0)).count()
    with transaction.atomic():
        Verification.objects.create(
            started_at=started_at,
            finished_at=db.database_now(),
            events=0,
            checkpoints=0,
            problem=str(fault),
            unfinished=True,
        )
        facts = {"code": fault.code, "problem": fault.message}
        audit.record("history.unfinished", checkpoints.subject(), facts=facts)
    return int(min(TRY_AGAIN_SECONDS[0] * 2 ** min(tries, 10), TRY_AGAIN_SECONDS[1]))


def keep(report: Report, started_at: datetime) -> Verification:
    """Write the result down, and an event when something is wrong or no longer is."""
    before = Verification.objects.filter(unfinished=False).first()
    with transaction.atomic():
        found = Verification.objects.create(
            started_at=started_at,
            finished_at=db.database_now(),
            events=report.events,
            checkpoints=report.checkpoints,
            problem="\n".join(report.problems),
            event_id=report.event_id,
        )
        facts: dict[str, object] = {
            "events": report.events,
            "checkpoints": report.checkpoints,
        }
        if not report.passed:
            facts = {"problem": report.problems[0], "more": len(report.problems) - 1}
            audit.record("history.broken", checkpoints.subject(), facts=facts)
        elif before is None or not before.passed:
            audit.record("history.verified", checkpoints.subject(), facts=facts)
    return found


# ── Checkpoints ──────────────────────────────────────────────────────────────────────────────────


def _own_checkpoints(report: Report) -> Iterator[Told]:
    digest, number, position = "", 0, 0
    for row in Checkpoint.objects.order_by("number"):
        where = f"checkpoint {row.number}"
        found = _read(report, where, checkpoints.record_of(row))
        if found is None:
            return
        follows = found.content["number"] == row.number == number + 1
        if not follows or found.content["previous"] != digest:
            report.problems.append(f"{where}: it does not follow checkpoint {number}")
            return
        if found.content["position"] < position:
            report.problems.append(f"{where}: the history became shorter")
            return
        digest, number, position = row.digest, row.number, found.content["position"]
        if sha256_text(row.body.encode("utf-8")) != digest:
            report.problems.append(f"{where}: its digest is not that of its text")
            return
        yield found


def _outside_checkpoints(
    report: Report, outside: Path | None, own: dict[int, Told]
) -> Iterator[Told]:
    if outside is None:
        return
    installation = str(Installation.objects.get().uuid)
    for path in sorted(outside.glob("*.json")):
        where = f"the checkpoint outside in {path.name}"
        found = _read(report, where, _record_in(path))
        if found is None:
            continue
        number = found.content["number"]
        if found.content.get("installation") != installation:
            report.problems.append(f"{where}: it belongs to another installation")
        elif number not in own:
            report.problems.append(f"{where}: the database does not have checkpoint {number}")
        elif own[number].record.body != found.record.body:
            report.problems.append(f"{where}: the database has another checkpoint {number}")
        yield found


def _record_in(path: Path) -> Record | None:
    try:
        line = json.loads(path.read_text(encoding="utf-8"))
        signature = base64.b64decode(line["signature"], validate=True)
        return Record(0, str(line["body"]), signature, str(line["key"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(report: Report, where: str, record: Record | None) -> Told | None:
    """Check signature and form; what does not fit is a problem and counts for nothing."""
    problem = "cannot be read"
    if record is not None:
        key = signing.public_keys().get(record.key_id)
        content = _content(record)
        if key is None:
            problem = f"is signed with the key {record.key_id}, which is not known here"
        elif not _fits(key, record):
            problem = "has a signature that does not fit"
        elif content is not None:
            return Told(where, record, content)
    report.problems.append(f"{where} {problem}")
    return None


def _content(record: Record) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(record.body)
        kinds = {"number": int, "position": int, "hash": str, "at": str, "previous": str}
        fits = all(isinstance(content.get(name), kind) for name, kind in kinds.items())
    except (ValueError, AttributeError):
        return None
    return content if fits else None


def _fits(key: str, record: Record) -> bool:
    message = f"{checkpoints.SIGNED_AS}\n{record.body}".encode()
    try:
        VerifyKey(base64.b64decode(key)).verify(message, record.signature)
    except (BadSignatureError, ValueError):
        return False
    return True


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────


def follow_chain(
    report: Report, signed: dict[int, tuple[str, str]], renew: Callable[[], None]
) -> int:
    """Follow the chain to its end; return the position of the last row."""
    followed = rows.follow(signed, renew)
    report.events = followed.read
    for fault in followed.faults:
        report.add(fault)
    return followed.end


def compare_columns(report: Report, renew: Callable[[], None] = lambda: None) -> None:
    """Compare the columns that pages filter by with the text that they come from."""
    number = rows.first_with_other_columns(renew)
    if number is not None:
        report.add(Fault(0, number, "its columns do not say what its text says"))


def compare_details(report: Report) -> None:
    """Compare addresses and browsers with what the events say about them; the database does it.

    A detail that is gone was erased, which its owner may; one that is there says what it said.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT governance_wrong_details()")
        (number,) = cursor.fetchone()
    if number is not None:
        report.add(Fault(0, number, "its personal details are not those that it was written with"))
