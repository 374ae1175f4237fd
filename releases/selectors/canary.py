"""What gate and floor answered the canary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from governance.models import AuditEvent
from releases.selectors.words import Word

ANSWERS = ("canary.refused", "canary.allowed")
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """One attempt and the two refusals it met."""

    url: str
    ref: str
    at: datetime | None
    word: Word
    gate: str
    floor: str


def newest(number: int = SHOWN) -> list[Answer]:
    """The newest answers."""
    rows = AuditEvent.objects.filter(event__in=ANSWERS).order_by("-at", "-pk")[:number]
    return [_answer(row) for row in rows]


def _answer(row: AuditEvent) -> Answer:
    facts = json.loads(row.body)["facts"]
    refused = row.event == "canary.refused"
    word = Word("done", "Refused") if refused else Word("failed", "Not refused")
    return Answer(
        row.get_absolute_url(), row.public_id, row.at, word, facts["gate"], facts["floor"]
    )
