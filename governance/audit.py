"""Writing and reading the history.

``record`` is the only way in. It runs in the transaction of the change it tells about, so neither
exists without the other, and it needs an actor: somebody did it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from core import clock
from core.context import Actor, current_actor, request_id
from core.digests import canonical_json
from core.models import Entity
from governance.events import event_type, known_events, register_events, sentence
from governance.models import Team
from governance.selectors.history import Filters, Page, events_for, search

__all__ = [
    "Filters",
    "Page",
    "Subject",
    "events_for",
    "known_events",
    "record",
    "register_events",
    "search",
]

PRODUCT = "Gatehouse"
"""Who acts in a sentence when no person does; the worker's name is kept beside it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, when it is not an Entity: ``ref`` never changes, ``label`` reads."""

    kind: str
    id: int
    ref: str
    label: str = ""


def record(
    event: str,
    subject: Subject | Entity,
    *,
    related: Iterable[str | Entity] = (),
    team: Team | str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> int:
    """Write one event and return its id.

    ``related`` names other objects (public ids) whose story it belongs to. Facts fill the event's
    sentence and are kept with it; text, numbers, times and lists of them.

    Raises EventError for an event that is not registered or lacks a fact, NoActor when nobody
    acts, and RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an event is written in the transaction of the change it tells about")
    actor = current_actor()
    event_type(event)
    about = _subject(subject)
    kept = {name: _storable(value) for name, value in (facts or {}).items()}
    refs = [about.ref, *(item if isinstance(item, str) else item.audit_ref for item in related)]
    body = {
        "v": 1,
        "event": event,
        "at": clock.now(),
        "actor": {"kind": actor.kind, "id": actor.id, "name": _clean(actor.name)},
        "subject": {"kind": about.kind, "id": about.id, "ref": about.ref, "label": about.label},
        "related": list(dict.fromkeys(refs)),
        "team": team.slug if isinstance(team, Team) else team,
        "request": request_id(),
        "facts": kept,
        "sentence": _clean(
            sentence(event, actor=_name(actor), subject=about.label, facts=facts or {})
        ),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO governance_auditevent (body) VALUES (%s) RETURNING id",
            [canonical_json(body).decode("utf-8")],
        )
        number: int = cursor.fetchone()[0]
        return number


def _subject(subject: Subject | Entity) -> Subject:
    if isinstance(subject, Subject):
        return Subject(subject.kind, subject.id, subject.ref, _clean(subject.label or subject.ref))
    return Subject(
        str(subject._meta.model_name), subject.pk, subject.audit_ref, _clean(subject.audit_label)
    )


def _name(actor: Actor) -> str:
    return actor.name if actor.kind == "person" else PRODUCT


def _storable(value: Any) -> Any:
    """Bring a fact into canonical JSON: floats lose their noise, unknown things become words."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, Mapping):
        return {_clean(str(key)): _storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_storable(item) for item in value]
    if isinstance(value, Entity):
        return value.audit_ref
    return value


def _clean(text: str) -> str:
    """Replace what PostgreSQL's JSON cannot hold: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
