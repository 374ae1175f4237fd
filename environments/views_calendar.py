"""Pages of freezes, the emergency stop and imported calendars."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import clock
from core.errors import DomainError, InvalidInput, NotAllowed, NotFound
from core.pages import UNPROCESSABLE, act, form_page, sent, show
from environments import pages_calendar, selectors_calendar
from environments.forms_calendar import (
    ExtendForm,
    FreezeForm,
    LiftDecisionForm,
    LiftForm,
    LiftNowForm,
    StopForm,
)
from environments.models import Freeze, Maintenance
from environments.services import calendar, lifting
from environments.services.calendar import Origin
from environments.states import FreezeSource
from governance import stepup
from governance.access import requires, signed_in
from governance.permissions import acting_person, demand
from governance.rules.windows import zone_of
from governance.states import Verdict

FORM = "calendar/form.html"


@require_http_methods(["GET", "POST"])
@signed_in
def freeze_new(request: HttpRequest) -> HttpResponse:
    """Freeze something; an entry of an imported calendar may be named in the address."""
    person = acting_person()
    choices = selectors_calendar.choices(person)
    if not choices:
        demand("calendar.freeze")
    entry = _entry_wanted(request)
    form = FreezeForm(choices, sent(request), initial=_suggested(person.zone, entry, request))
    source = FreezeSource.ICAL if entry else FreezeSource.PERSON

    def create(**typed: Any) -> Freeze:
        return calendar.freeze(
            words=form.words(typed), origin=Origin(source=source, maintenance=entry)
        )

    return form_page(
        request,
        FORM,
        form,
        create,
        to=lambda made: made.get_absolute_url(),
        said=lambda made: _("%(name)s stands in the calendar.") % {"name": made.name},
        context={
            "title": _("Add a freeze"),
            "button": _("Freeze"),
            "lead": _(
                "Once it begins, what waits keeps waiting, what runs stops before it "
                "writes. Lifting what covers a protected environment takes the sign-offs of "
                "the release board."
            ),
        },
    )


def _entry_wanted(request: HttpRequest) -> Maintenance | None:
    number = request.GET.get("maintenance", "")
    return selectors_calendar.find_maintenance(int(number)) if number.isdecimal() else None


def _suggested(zone: str, entry: Maintenance | None, request: HttpRequest) -> dict[str, Any]:
    """Return likely entries: those of a calendar entry, or from the next hour for a day."""
    if entry is not None:
        tz = zone_of(entry.zone)
        return {
            "name": entry.name[: calendar.NAME_MAX],
            "reason": entry.description[: calendar.REASON_MAX] or entry.name,
            "zone": entry.zone,
            "starts": _typed(entry.starts_at.astimezone(tz)),
            "ends": _typed(entry.ends_at.astimezone(tz)),
        }
    hour = clock.now().astimezone(zone_of(zone)).replace(minute=0) + timedelta(hours=1)
    return {
        "zone": zone,
        "starts": _typed(hour),
        "ends": _typed(hour + timedelta(days=1)),
        "target": request.GET.get("target", ""),
    }


def _typed(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


@require_GET
@signed_in
def freeze(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one freeze, and the question about it while there is one."""
    return _freeze_page(request, _found(pk))


def _freeze_page(
    request: HttpRequest,
    found: Freeze,
    form: LiftDecisionForm | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    page = pages_calendar.freeze(acting_person(), found)
    if form is None and page.question is not None:
        form = LiftDecisionForm(
            initial={"shown_digest": page.question.request.digest},
            asked=stepup.proof_asked(request),
        )
    context = {"page": page, "freeze": found, "form": form, "refusal": refusal}
    status = refusal.status if refusal else UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "calendar/freeze.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("calendar.stop")
def stop(request: HttpRequest) -> HttpResponse:
    """Press the emergency stop."""
    return form_page(
        request,
        FORM,
        StopForm(sent(request)),
        calendar.stop,
        to=lambda made: made.get_absolute_url(),
        said=_("The emergency stop is pressed. Nothing goes to protected environments."),
        context={
            "title": _("Emergency stop"),
            "button": _("Stop everything"),
            "is_dangerous": True,
            "lead": _(
                "Holds everything bound for protected environments at once, until it is "
                "lifted. A write that the org has already taken goes on: cancel it on its "
                "page. Lifting takes the sign-offs of the release board."
            ),
        },
    )


@require_http_methods(["GET", "POST"])
@signed_in
def extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a freeze last longer."""
    found = _found(pk)
    ends = _typed(found.ends_at.astimezone(zone_of(found.zone))) if found.ends_at else ""
    return form_page(
        request,
        FORM,
        ExtendForm(sent(request), initial={"ends": ends}),
        lambda ends: calendar.extend(freeze_id=pk, ends=ends),
        to=found.get_absolute_url(),
        said=_("%(name)s lasts longer.") % {"name": found.name},
        context={
            **_about(found),
            "title": _("Let %(name)s last longer") % {"name": found.name},
            "button": _("Extend"),
            "lead": _("The end is that of a clock in %(zone)s.") % {"zone": found.zone},
        },
    )


@require_http_methods(["GET", "POST"])
@signed_in
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift a freeze or let it end earlier; by sign-offs where something protected is covered."""
    found = _found(pk)
    protects = lifting.covers_protected(found)
    whole = found.ends_at is None or bool(found.every)
    form = LiftNowForm(sent(request)) if whole else LiftForm(sent(request))
    return form_page(
        request,
        FORM,
        form,
        lambda reason, ends=None: lifting.ask(freeze_id=pk, ends=ends, reason=reason),
        to=found.get_absolute_url(),
        said=_("The release board is asked.") if protects else _("Done."),
        context={
            **_about(found),
            "title": _("Lift %(name)s") % {"name": found.name},
            "button": _("Ask the release board") if protects else _("Lift"),
            "is_dangerous": not protects,
            "lead": _(
                "It covers a protected environment, so the release board decides; until "
                "then it holds."
            )
            if protects
            else _("It covers nothing protected and is lifted at once."),
        },
    )


def _about(found: Freeze) -> dict[str, Any]:
    return {"back": found.get_absolute_url(), "back_label": f"{found.public_id} {found.name}"}


@require_POST
@requires("calendar.decide")
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the question about a freeze, exactly as the page showed it."""
    found = _found(pk)
    form = LiftDecisionForm(request.POST, asked=stepup.proof_asked(request))
    if not form.is_valid():
        return _freeze_page(request, found, form)
    try:
        stepup.demand(request, form.proof)
        decision = lifting.decide(
            freeze_id=pk,
            auth_strength=stepup.strength(request),
            **form.given,
        )
    except (NotAllowed, NotFound):
        raise
    except InvalidInput as refusal:
        show(form, refusal)
        return _freeze_page(request, found, form)
    except DomainError as refusal:
        return _freeze_page(request, _found(pk), None, refusal)
    word = _("approved") if decision.verdict == Verdict.APPROVE else _("rejected")
    messages.success(request, _("You %(word)s it.") % {"word": word})
    return redirect(found)


@require_POST
@signed_in
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw the question about a freeze; the freeze stays."""
    found = _found(pk)
    return act(
        request,
        lambda: lifting.take_back(freeze_id=pk),
        to=found.get_absolute_url(),
        said=_("The question is withdrawn; the freeze stays."),
    )


@require_GET
@signed_in
def maintenance(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one entry of an imported calendar."""
    entry = selectors_calendar.find_maintenance(pk)
    if entry is None:
        raise Http404
    page = pages_calendar.maintenance(acting_person(), entry)
    freeze_url = f"{reverse('environments:freeze_new')}?maintenance={entry.pk}"
    context = {"page": page, "entry": entry, "freeze_url": freeze_url}
    return render(request, "calendar/maintenance.html", context)


def _found(pk: int) -> Freeze:
    found = selectors_calendar.find(pk)
    if found is None:
        raise Http404
    return found
