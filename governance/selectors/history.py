"""Reading the history: by object, by filters, page by page from the newest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from core import ids
from governance.events import known_events
from governance.models import AuditEvent

PAGE = 50
PAGE_MAX = 200
STREAM = 500
WALK = 20_000
EVER = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR = re.compile(r"(\d{1,16})-(\d{1,19})")


OUTCOMES: dict[str, str] = {
    "done": "Went well",
    "failed": "Failed or refused",
    "waiting": "Waits for somebody",
    "held": "Held",
}
"""How an event ended, by the state that marks it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; an empty field does not narrow the search.

    ``since`` is inclusive, ``until`` exclusive. ``words`` are looked for inside the sentences;
    a public id among them finds the object's whole story. An event matches when it is about all of
    ``refs``. ``outcome`` is one of ``OUTCOMES``.
    """

    person: int | None = None
    refs: tuple[str, ...] = ()
    group: str = ""
    outcome: str = ""
    team: str = ""
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrowing(self) -> int:
        """How many things narrow the search, times aside."""
        others = (self.person, self.group, self.outcome, self.team, self.words)
        return len(self.refs) + sum(1 for each in others if each)


@dataclass(frozen=True, slots=True)
class Page:
    """One page, newest first, and the cursors of its neighbours ("" when there is none)."""

    events: list[AuditEvent] = field(default_factory=list)
    newer: str = ""
    older: str = ""


def events_for(ref: str, *, limit: int = PAGE, without: str = "") -> list[AuditEvent]:
    """Return the newest events about an object or related to it, newest first.

    ``without`` leaves out a group of events, such as ``step``, from a short story.
    """
    found = AuditEvent.objects.filter(related__contains=[ref]).order_by("-at", "-id")
    if without:
        found = found.exclude(event__startswith=f"{without}.")
    return list(found[: min(limit, PAGE_MAX)])


def search(filters: Filters, *, cursor: str = "", size: int = PAGE) -> Page:
    """Return one page of the events that match.

    A cursor comes from a former page; an unreadable one starts from the newest.
    """
    size = max(1, min(size, PAGE_MAX))
    found = matching(filters)
    direction, place = cursor[:1], _read_cursor(cursor[1:])
    if direction == "n" and place is not None:
        return _newer_page(found, place, size)
    before = AuditEvent.objects.filter(_beyond(place, "lt") if place else Q())
    events = _older(found & before, before, filters, size)
    more = len(events) > size
    events = events[:size]
    return Page(
        events,
        newer=_cursor("n", events[0]) if events and place is not None else "",
        older=_cursor("o", events[-1]) if more else "",
    )


def _older(
    found: QuerySet[AuditEvent], before: QuerySet[AuditEvent], filters: Filters, size: int
) -> list[AuditEvent]:
    """Read one row more than a page of ``found``, the newest first; ``before``: unfiltered.

    Where two things are asked for, PostgreSQL takes them for independent, expects a page soon and
    walks the index of times: to its end when they never meet. So it walks among the newest alone;
    where these do not fill a page few events match, and those are found and sorted.
    """
    newest = found.order_by("-at", "-id")
    if filters.narrowing < 2:
        return list(newest[: size + 1])
    last = before.order_by("-at", "-id").values("at")[WALK : WALK + 1]
    near = list(newest.filter(at__gte=Coalesce(Subquery(last), EVER))[: size + 1])
    if len(near) > size:
        return near
    # Not a column, therefore not the order of an index.
    moment = ExpressionWrapper(F("at") + timedelta(0), output_field=DateTimeField())
    return list(found.order_by(moment.desc(), "-id")[: size + 1])


def _newer_page(found: QuerySet[AuditEvent], place: tuple[datetime, int], size: int) -> Page:
    events = list(found.filter(_beyond(place, "gt")).order_by("at", "id")[: size + 1])
    more = len(events) > size
    events = events[:size][::-1]
    if not events:
        return Page()
    return Page(
        events,
        newer=_cursor("n", events[0]) if more else "",
        older=_cursor("o", events[-1]),
    )


def stream(filters: Filters) -> Iterator[AuditEvent]:
    """Yield every event that matches, newest first, with flat memory.

    Portion by portion and not through a cursor: outside a transaction PostgreSQL would write the
    whole result down before the first row.
    """
    rows = matching(filters).order_by("-at", "-id").select_related("link")
    portion = list(rows[:STREAM])
    while portion:
        yield from portion
        last = portion[-1]
        portion = list(rows.filter(_beyond((last.at, last.pk), "lt"))[:STREAM])


def matching(filters: Filters) -> QuerySet[AuditEvent]:
    """Return the events that match, in no order."""
    found = AuditEvent.objects.all()
    if filters.person is not None:
        found = found.filter(
            Q(actor_id=filters.person) | Q(related__contains=[f"user:{filters.person}"])
        )
    if filters.refs:
        found = found.filter(related__contains=list(filters.refs))
    if filters.group:
        found = found.filter(event__startswith=f"{filters.group}.")
    if filters.outcome:
        found = found.filter(event__in=_events_that_end(filters.outcome))
    if filters.team:
        found = found.filter(Q(team=filters.team) | Q(related__contains=[f"team:{filters.team}"]))
    if filters.since:
        found = found.filter(at__gte=filters.since)
    if filters.until:
        found = found.filter(at__lt=filters.until)
    for word in filters.words.split():
        found = found.filter(_word(word))
    return found


def _events_that_end(outcome: str) -> list[str]:
    return [name for name, kind in known_events().items() if kind.state == outcome]


def _word(word: str) -> Q:
    written = Q(sentence__icontains=word)
    if ids.parse_ref(word.upper()):
        return written | Q(related__contains=[word.upper()])
    return written


def _beyond(place: tuple[datetime, int], side: str) -> Q:
    at, number = place
    # The first condition bounds the scan of the index; the second alone would read it from its end.
    return Q(**{f"at__{side}e": at}) & (Q(**{f"at__{side}": at}) | Q(**{f"id__{side}": number}))


def _cursor(direction: str, event: AuditEvent) -> str:
    return f"{direction}{_microseconds(event.at)}-{event.pk}"


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    match = CURSOR.fullmatch(text)
    if match is None:
        return None
    seconds, micros = divmod(int(match[1]), 1_000_000)
    try:
        at = datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=micros)
    except (OverflowError, ValueError, OSError):
        return None
    return at, int(match[2])
