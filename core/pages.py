"""How a page calls a service and tells people what came of it.

A refusal never loses what was typed and never shows a half-done thing: an action goes back to the
page it came from with the sentence, a form is shown again with it. Lacking the right is different:
that is a page of its own (403), made by the middleware.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from core.errors import DomainError, InvalidInput, NotAllowed, NotFound

T = TypeVar("T")

UNPROCESSABLE = 422


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form sent, even when that is nothing; None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def act(
    request: HttpRequest, service: Callable[[], T], *, to: str, said: str | Callable[[T], str]
) -> HttpResponse:
    """Call a service that needs nothing typed, say what came of it, and go to ``to``."""
    try:
        result = service()
    except (NotAllowed, NotFound):
        raise
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said if isinstance(said, str) else said(result))
    return redirect(to)


def form_page(
    request: HttpRequest,
    template: str,
    form: forms.Form,
    service: Callable[..., T],
    *,
    to: str | Callable[[T], str],
    said: str | Callable[[T], str],
    context: Mapping[str, Any],
) -> HttpResponse:
    """Show a form; when it was sent, call the service with what it holds.

    A refused form comes back with everything typed, the sentence beside the field that the
    refusal names or on top, and the status of the refusal.
    """
    if request.method != "POST":
        return render(request, template, {**context, "form": form})
    status = UNPROCESSABLE
    if form.is_valid():
        try:
            result = service(**form.cleaned_data)
        except (NotAllowed, NotFound):
            raise
        except DomainError as refusal:
            show(form, refusal)
            status = refusal.status
        else:
            messages.success(request, said if isinstance(said, str) else said(result))
            return redirect(to if isinstance(to, str) else to(result))
    return render(request, template, {**context, "form": form}, status=status)


def show(form: forms.Form, refusal: DomainError) -> None:
    """Put a refusal's sentence beside the field that it names, or on top of the form."""
    named = refusal.field if isinstance(refusal, InvalidInput) else None
    field = named if named in form.fields else None
    form.add_error(field, forms.ValidationError(refusal.message, code=refusal.code))
