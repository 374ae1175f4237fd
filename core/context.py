"""Who acts, from where, and in answer to which request.

Every change of state is recorded with its actor. The actor comes from here and never from a
default: code that runs for nobody fails loudly. The origin says how the actor got in: what nobody
declared otherwise is a command on the host.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a worker process, a service account, or the system itself (set-up commands)."""

    kind: Literal["person", "worker", "system", "service"]
    id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """How the actor got in. ``session`` is a hash; address and user agent are personal details."""

    via: Literal["web", "api", "command", "worker"]
    auth: str
    session: str = ""
    executor: str = ""
    ip: str = ""
    user_agent: str = ""


COMMAND = Origin(via="command", auth="command")


class NoActor(RuntimeError):
    """Code that needs an actor ran outside ``acting_as`` and outside a signed-in request."""


_actor: ContextVar[Actor | None] = ContextVar("gatehouse_actor", default=None)
_origin: ContextVar[Callable[[], Origin] | None] = ContextVar("gatehouse_origin", default=None)
_request_id: ContextVar[str | None] = ContextVar("gatehouse_request_id", default=None)


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Run a block in the name of an actor; nesting restores the outer one."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """Return who acts now; raises NoActor when nobody does."""
    actor = _actor.get()
    if actor is None:
        raise NoActor("nobody acts here: wrap the call in core.context.acting_as(...)")
    return actor


@contextmanager
def coming_from(origin: Callable[[], Origin]) -> Iterator[None]:
    """Say where everything inside comes from; asked anew for each event, since people step up."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def current_origin() -> Origin:
    """Return how the actor got in."""
    origin = _origin.get()
    return COMMAND if origin is None else origin()


@contextmanager
def request_scope(request_id: str | None = None) -> Iterator[str]:
    """Give everything inside one request id, so that its events can be grouped."""
    chosen = request_id or uuid.uuid4().hex
    token = _request_id.set(chosen)
    try:
        yield chosen
    finally:
        _request_id.reset(token)


def request_id() -> str | None:
    """Return the id that groups what one request or one job did; None outside of both."""
    return _request_id.get()
