"""What orgs said about components and tests, failures of tests first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, Q
from django.db.models.expressions import Case, Value, When

from releases.models import Deployment, StepMessage
from releases.rules import causes, types

SHOWN = 50
SHOWN_AT_MOST = 2000
_KINDS = (
    (StepMessage.Kind.TEST, "Failed tests"),
    (StepMessage.Kind.COMPONENT, "Component errors"),
    (StepMessage.Kind.COVERAGE, "Coverage"),
    (StepMessage.Kind.WARNING, "Warnings"),
)

GRAVEST_FIRST = (
    Case(
        *(When(kind=kind, then=Value(place)) for place, (kind, _) in enumerate(_KINDS)),
        default=Value(len(_KINDS)),
    ),
    "pk",
)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line of what the org said, with a likely cause where one is known."""

    state: str
    name: str
    where: str
    problem: str
    cause: str
    stack: str


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """Messages of one kind; ``total`` counts also those not shown."""

    title: str
    rows: tuple[MessageRow, ...]
    total: int

    @property
    def hidden(self) -> int:
        """Messages that are not on this page."""
        return self.total - len(self.rows)


def of(deployment: Deployment, limit: int) -> dict[int, tuple[MessageGroup, ...]]:
    """Groups of messages by step, tests first; two queries, whatever was said."""
    mine = Q(step__deployment=deployment)
    counted = (
        StepMessage.objects.filter(mine).values_list("step_id", "kind").annotate(number=Count("pk"))
    )
    totals = {(step, kind): number for step, kind, number in counted}
    if not totals:
        return {}
    found: dict[tuple[int, str], list[MessageRow]] = defaultdict(list)
    rows = StepMessage.objects.filter(mine).order_by("step_id", *GRAVEST_FIRST)[:limit]
    for message in rows:
        found[message.step_id, message.kind].append(message_row(message))
    groups: dict[int, list[MessageGroup]] = defaultdict(list)
    for kind, title in _KINDS:
        for (step, of_kind), total in totals.items():
            if of_kind == kind:
                shown = tuple(found.get((step, of_kind), ()))
                groups[step].append(MessageGroup(title, shown, total))
    return {step: tuple(items) for step, items in groups.items()}


def message_row(message: StepMessage) -> MessageRow:
    """One message as shown: what, where, the org's words and a likely cause."""
    parts = [types.spoken(message.type) if message.type else ""]
    if message.line:
        place = f"line {message.line}"
        parts.append(f"{place}, column {message.column}" if message.column else place)
    if message.file_name:
        parts.append(message.file_name)
    is_warning = message.kind in (StepMessage.Kind.WARNING, StepMessage.Kind.COVERAGE)
    return MessageRow(
        state="waiting" if is_warning else "failed",
        name=message.name or message.file_name or "The org",
        where=" · ".join(part for part in parts if part),
        problem=message.problem,
        cause=causes.likely(message.problem),
        stack=message.stack,
    )
