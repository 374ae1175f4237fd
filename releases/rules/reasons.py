"""One reason of the gate: a stable code, a sentence to act on, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """How a reason is shown (the ``data-state`` of the page)."""

    DONE = "done"
    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the gate is open or closed, as a sentence a person can act on.

    ``text`` says times in UTC and names it; ``at`` is the moment it speaks of, so that a page can
    say the same sentence in the reader's zone.
    """

    code: str
    text: str
    state: Mark = Mark.HELD
    at: datetime | None = None
    waived: bool = False

    @property
    def holds(self) -> bool:
        """Whether this reason keeps the gate closed."""
        return self.state is not Mark.DONE

    def told(self, zone: tzinfo) -> str:
        """The sentence with its time in the reader's zone."""
        if self.at is None:
            return self.text
        return self.text.replace(moment(self.at), moment(self.at, zone))

    def stored(self) -> dict[str, str]:
        """As a deployment's row keeps it."""
        kept = {"code": self.code, "text": self.text, "state": self.state.value}
        return kept if self.at is None else {**kept, "at": self.at.isoformat()}


def restored(item: Mapping[str, Any]) -> Reason:
    """A reason from a deployment's row."""
    at = datetime.fromisoformat(item["at"]) if item.get("at") else None
    return Reason(item["code"], item["text"], Mark(item["state"]), at)


def moment(at: datetime, zone: tzinfo = UTC) -> str:
    """A time inside a sentence, with the name of its zone: ``Thu 22 Oct 22:00 CEST``."""
    return at.astimezone(zone).strftime("%a %-d %b %H:%M %Z")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: allowed only when no reason holds."""

    reasons: tuple[Reason, ...]

    @property
    def allowed(self) -> bool:
        """True when every rule was asked and none holds."""
        return bool(self.reasons) and not any(reason.holds for reason in self.reasons)

    @property
    def waived(self) -> tuple[str, ...]:
        """What would have held a deployment that is no emergency, in words."""
        return tuple(reason.text for reason in self.reasons if reason.waived)

    @property
    def holding(self) -> tuple[Reason, ...]:
        """Only the reasons that keep the gate closed."""
        return tuple(reason for reason in self.reasons if reason.holds)

    def __bool__(self) -> bool:
        return self.allowed
