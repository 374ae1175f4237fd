"""Writing and reading the history.

``record`` is the only way in. It runs in the transaction of the change it tells about, so neither
exists without the other, and it needs an actor: somebody did it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from core import clock, ids
from core.context import Actor, Origin, current_actor, current_origin, request_id
from core.digests import canonical_json
from core.models import Entity
from governance.events import event_type, known_events, register_events, sentence
from governance.models import Decision, Team, User
from governance.selectors.history import Filters, Page, events_for, search
from governance.states import Verdict

__all__ = [
    "Behalf",
    "Filters",
    "Page",
    "Subject",
    "behalf_of",
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


@dataclass(frozen=True, slots=True)
class Behalf:
    """For whom a worker acts: who asked, and whose approvals let it, under which request."""

    requester: Actor | None
    approvers: tuple[Actor, ...] = ()
    request: str = ""


_WRITE = "INSERT INTO governance_auditevent (body) VALUES (%s) RETURNING id"
_WRITE_WITH_DETAILS = """
    WITH event AS (INSERT INTO governance_auditevent (body) VALUES (%s) RETURNING id),
    detail AS (
        INSERT INTO governance_auditdetail (event_id, key, body) SELECT id, %s, %s FROM event
    )
    SELECT id FROM event
"""


def record(
    event: str,
    subject: Subject | Entity,
    *,
    related: Iterable[str | Entity] = (),
    team: Team | str | None = None,
    facts: Mapping[str, Any] | None = None,
    behalf: Behalf | None = None,
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
    origin = current_origin()
    details = _details(origin)
    body: dict[str, Any] = {
        "v": 1,
        "event": event,
        "at": clock.now(),
        "actor": _actor(actor),
        "origin": _origin(origin, details),
        "subject": _told(about, subject),
        "related": list(dict.fromkeys(refs)),
        "team": team.slug if isinstance(team, Team) else team,
        "request": request_id(),
        "facts": kept,
        "sentence": _clean(
            sentence(event, actor=_name(actor), subject=about.label, facts=facts or {})
        ),
    }
    if behalf is not None:
        body["behalf"] = _behalf(behalf)
    text = canonical_json(body).decode("utf-8")
    with connection.cursor() as cursor:
        if details is None:
            cursor.execute(_WRITE, [text])
        else:
            cursor.execute(_WRITE_WITH_DETAILS, [text, details.key, details.body])
        number: int = cursor.fetchone()[0]
        return number


@dataclass(frozen=True, slots=True)
class _Details:
    """What goes into the row that may be erased."""

    key: bytes
    body: str

    @property
    def mac(self) -> str:
        """Tie the row to the event; without the row's key nobody can try addresses."""
        return hmac.new(self.key, self.body.encode("utf-8"), hashlib.sha256).hexdigest()


def _details(origin: Origin) -> _Details | None:
    if not origin.ip and not origin.user_agent:
        return None
    body = canonical_json({"ip": _clean(origin.ip), "user_agent": _clean(origin.user_agent)})
    return _Details(secrets.token_bytes(32), body.decode("utf-8"))


def _origin(origin: Origin, details: _Details | None) -> dict[str, Any]:
    told = {
        "via": origin.via,
        "auth": origin.auth,
        "session": origin.session,
        "executor": _clean(origin.executor),
        "details": f"hmac-sha256:{details.mac}" if details else "",
    }
    return {name: text for name, text in told.items() if text}


def _actor(actor: Actor) -> dict[str, Any]:
    return {"kind": actor.kind, "id": actor.id, "name": _clean(actor.name)}


def _behalf(behalf: Behalf) -> dict[str, Any]:
    return {
        "requester": _actor(behalf.requester) if behalf.requester else None,
        "approvers": [_actor(each) for each in behalf.approvers],
        "request": behalf.request or None,
    }


def behalf_of(*, requester: User | None, approval_id: int | None) -> Behalf | None:
    """Return for whom a worker acts at this moment; None for people, who act for themselves."""
    if current_actor().kind != "worker":
        return None
    decided = Decision.objects.filter(
        request_id=approval_id, verdict=Verdict.APPROVE, withdrawal=None
    ).select_related("person")
    return Behalf(
        requester=_person(requester) if requester else None,
        approvers=tuple(_person(each.person) for each in decided),
        request=ids.format_ref("A", approval_id) if approval_id else "",
    )


def _person(user: User) -> Actor:
    return Actor("person", user.pk, user.full_name)


def _subject(subject: Subject | Entity) -> Subject:
    if isinstance(subject, Subject):
        return Subject(subject.kind, subject.id, subject.ref, _clean(subject.label or subject.ref))
    return Subject(
        str(subject._meta.model_name), subject.pk, subject.audit_ref, _clean(subject.audit_label)
    )


def _told(about: Subject, subject: Subject | Entity) -> dict[str, Any]:
    """Write the subject with the state that it is in now, so that events alone give the state."""
    told = {"kind": about.kind, "id": about.id, "ref": about.ref, "label": about.label}
    state = getattr(subject, "state", None)
    return told if state is None else told | {"state": str(state)}


def _name(actor: Actor) -> str:
    return actor.name if actor.kind in {"person", "service"} else PRODUCT


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
