"""Pages of imported calendars and of public holidays."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import clock
from core.errors import InvalidInput
from core.pages import act, form_page, sent
from environments import selectors_calendar
from environments.forms_imports import CalendarForm, HolidaysForm, PlaceForm
from environments.services import imports
from governance.access import requires
from governance.permissions import acting_person


@require_GET
@requires("calendar.import")
def listing(request: HttpRequest) -> HttpResponse:
    """List the imported calendars and lead to the public holidays."""
    context = {"sources": selectors_calendar.sources(), "hosts": imports.allowed_hosts()}
    return render(request, "calendar/imports.html", context)


@require_http_methods(["GET", "POST"])
@requires("calendar.import")
def add(request: HttpRequest) -> HttpResponse:
    """Add a calendar by address or file."""
    form = CalendarForm(sent(request), request.FILES or None)
    return form_page(
        request,
        "calendar/form.html",
        form,
        lambda name, url, upload: imports.add(name=name, url=url, content=upload),
        to=reverse("environments:imports"),
        said=_("A worker reads the calendar now."),
        context={
            "title": _("Add a calendar"),
            "button": _("Add"),
            "lead": _(
                "Maintenance and release weekends in iCalendar form. They show in the "
                "calendar and hold nothing until somebody makes a freeze of one."
            ),
            **_way_back(),
        },
    )


@require_POST
@requires("calendar.import")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a calendar read again."""
    return act(
        request,
        lambda: imports.replace(source_id=pk),
        to=reverse("environments:imports"),
        said=_("A worker reads the calendar again."),
    )


@require_POST
@requires("calendar.import")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a calendar out."""
    return act(
        request,
        lambda: imports.remove(source_id=pk),
        to=reverse("environments:imports"),
        said=_("The calendar is removed. Freezes that were made of it stay."),
    )


@require_http_methods(["GET", "POST"])
@requires("calendar.import")
def holidays(request: HttpRequest) -> HttpResponse:
    """Choose public holidays of a place and freeze them."""
    person = acting_person()
    choices = selectors_calendar.choices(person)
    entries = {"year": str(clock.now().year), "target": "protected", **request.GET.dict()}
    place = PlaceForm(choices, entries if "country" in request.GET else None, initial=entries)
    if not place.is_bound or not place.is_valid():
        return render(request, "calendar/holidays.html", {"place": place})
    wanted = place.cleaned_data
    try:
        found = imports.holidays_of(
            wanted["country"], wanted["subdivision"], wanted["year"], wanted["target"]
        )
    except InvalidInput as refusal:
        place.add_error("subdivision", refusal.message)
        return render(request, "calendar/holidays.html", {"place": place})
    form = HolidaysForm(found, sent(request), initial={"zone": person.zone})

    def freeze(days: list[str], zone: str) -> Any:
        chosen = {date.fromisoformat(day) for day in days}
        target = place.target_of(wanted["target"])
        return imports.freeze_holidays(chosen=found, days=chosen, target=target, zone=zone)

    return form_page(
        request,
        "calendar/holidays.html",
        form,
        freeze,
        to="/calendar/",
        said=lambda made: _("%(number)d days are frozen.") % {"number": len(made)},
        context={"place": place, "found": found},
    )


def _way_back() -> dict[str, str]:
    back = reverse("environments:imports")
    return {"back": back, "back_label": _("Holidays and calendars")}
