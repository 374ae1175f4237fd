"""How the pages of this app call services: ``core.pages``, and 404 where a row is missing.

A service is given the number from the URL and looks its row up under a lock, so that it may find
none; and a name that a person typed may name nothing, which belongs beside the field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse

from core import pages
from core.errors import InvalidInput, NotFound

T = TypeVar("T")
Row = TypeVar("Row")


def found(row: Row | None, what: str) -> Row:
    """The row, or a 404 page that names what is missing."""
    if row is None:
        raise Http404(f"There is no such {what}.")
    return row


def act(
    request: HttpRequest, service: Callable[[], T], *, to: str, said: str | Callable[[T], str]
) -> HttpResponse:
    """Call a service that needs nothing typed, say what came of it, and go to ``to``."""
    try:
        return pages.act(request, service, to=to, said=said)
    except ObjectDoesNotExist as missing:
        raise Http404(str(missing)) from missing


def form_page(
    request: HttpRequest,
    template: str,
    form: forms.Form,
    service: Callable[..., T],
    **said: Any,
) -> HttpResponse:
    """Show a form; when it was sent, call the service with what it holds (``core.pages``)."""
    try:
        return pages.form_page(request, template, form, service, **said)
    except ObjectDoesNotExist as missing:
        raise Http404(str(missing)) from missing


def typed(field: str, service: Callable[[str], T]) -> Callable[..., T]:
    """A service whose "there is none" is about what was typed into ``field``."""

    def call(**values: str) -> T:
        try:
            return service(values[field])
        except NotFound as nothing:
            raise InvalidInput(nothing.code, nothing.message, field=field) from nothing

    return call
