"""Every page that a test asks for is answered while the database takes no write.

Looking changes nothing (I-38: no prefetchable GET), so a GET that writes fails whichever test it
is met in. Excused are views that declare that they keep who looked (``access.keeps_a_look``).
What middleware keeps around a view, such as the session's messages, is no part of this, nor is a
request with a token: that it is used, or refused on a page, is told.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.handlers.base import BaseHandler
from django.db import connection

LOOKING = ("GET", "HEAD", "OPTIONS")


@contextmanager
def only_reading() -> Iterator[None]:
    """Let the connection read only; past Django, whose count of queries tests look at."""
    connection.ensure_connection()
    raw: Any = connection.connection
    if connection.in_atomic_block:
        raw.execute("SAVEPOINT only_reading")
        raw.execute("SET TRANSACTION READ ONLY")
        undo = ["ROLLBACK TO SAVEPOINT only_reading", "RELEASE SAVEPOINT only_reading"]
    else:
        raw.execute("SET default_transaction_read_only = on")
        undo = ["SET default_transaction_read_only = off"]
    try:
        yield
    finally:
        if connection.connection is raw:
            for statement in undo:
                raw.execute(statement)


def install() -> None:
    """Have every GET answered within ``only_reading``, by test client and live server alike."""
    prepare = BaseHandler.make_view_atomic

    def make_view(handler: BaseHandler, view: Callable[..., Any]) -> Callable[..., Any]:
        prepared: Callable[..., Any] = prepare(handler, view)
        if getattr(view, "keeps_a_look", False):
            return prepared

        @functools.wraps(prepared)
        def looked_at(request: Any, *args: Any, **kwargs: Any) -> Any:
            if request.method not in LOOKING or "Authorization" in request.headers:
                return prepared(request, *args, **kwargs)
            with only_reading():
                return prepared(request, *args, **kwargs)

        return looked_at

    BaseHandler.make_view_atomic = make_view  # type: ignore[assignment, method-assign]
