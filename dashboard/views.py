"""The first page and search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from dashboard import calendar as calendar_page
from dashboard import search as finder
from dashboard import selectors
from governance.access import signed_in


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Answer what waits, what runs, when the next window is and what every org holds.

    The page asks again for its live part alone, at the same address.
    """
    page = selectors.load_home(request.user)  # type: ignore[arg-type]
    context = {"home": page, "waiting": page.waiting}
    is_live_part = bool(request.htmx)  # type: ignore[attr-defined]
    return render(
        request, "dashboard/_live.html" if is_live_part else "dashboard/home.html", context
    )


@require_safe
@signed_in
def search(request: HttpRequest) -> HttpResponse:
    """Find anything with a page; a public id leads straight to it."""
    query = request.GET.get("q", "").strip()
    address = finder.address_of(query)
    if address:
        return redirect(address)
    context = {"query": query[: finder.LONGEST], "groups": finder.find(query)}
    return render(request, "dashboard/search.html", context)


@require_safe
@signed_in
def calendar(request: HttpRequest) -> HttpResponse:
    """Show a month, a week or the next days of freezes, windows, maintenance and releases."""
    page = calendar_page.load(request.user, request.GET)  # type: ignore[arg-type]
    return render(request, "dashboard/calendar.html", {"page": page})
