"""The list of sandboxes: reading it, the licences, and taking over what Gatehouse did not know."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import csvfile
from core.db import database_now
from core.pages import act, form_page, sent
from environments import pages, pages_sandboxes, selectors
from environments import selectors_sandboxes as reads
from environments.forms_sandboxes import AdoptForm, LicencesForm
from environments.models import Environment, Sandbox
from environments.rules_sandboxes import REFRESH_DAYS_SOURCE
from environments.services.sandboxes import adopting, inventory
from governance.access import requires, signed_in
from governance.permissions import acting_person, can

CSV_HEAD = (
    "name", "type", "environment", "source", "organization_id", "last_copied", "next_refresh",
    "state",
)  # fmt: skip


@require_GET
@signed_in
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show licences and every sandbox of the production org."""
    owner = reads.production()
    query = request.GET.get("q", "").strip()
    rows = reads.rows_of(owner, database_now(), query) if owner else ()
    if request.GET.get("format") == "csv":
        return _csv(rows)
    context = {
        "owner": owner,
        "reading": reads.reading_of(owner),
        "licences": reads.licences(owner) if owner else (),
        "rows": rows,
        "query": query,
        "may_read": can(request.user, "sandbox.read"),
        "may_enter": can(request.user, "sandbox.licences"),
        "may_adopt": bool(_open_lanes()),
        "may_ask": bool(pages_sandboxes.teams_of(acting_person())),
        "source": REFRESH_DAYS_SOURCE,
        "overrides": reads.overrides(),
    }
    return render(request, "environments/sandboxes.html", context)


def _csv(rows: tuple[reads.SandboxRow, ...]) -> HttpResponseBase:
    lines = (
        (
            row.sandbox.name,
            row.sandbox.licence,
            row.sandbox.environment.name if row.sandbox.environment else "",
            row.source,
            row.sandbox.organization_id,
            row.sandbox.copied_at.isoformat() if row.sandbox.copied_at else "",
            row.next_refresh.isoformat() if row.next_refresh else "",
            row.sandbox.phase,
        )
        for row in rows
    )
    return csvfile.response("sandboxes.csv", CSV_HEAD, lines)


@require_POST
@requires("sandbox.read")
def read(request: HttpRequest) -> HttpResponse:
    """Ask a worker to read the sandboxes now."""
    said = _("A worker reads the sandboxes now. Reload the page in a moment.")
    return act(request, inventory.ask, to=reverse("environments:sandboxes"), said=said)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("sandbox.licences")
def licences(request: HttpRequest) -> HttpResponse:
    """Enter how many sandboxes of a type the contract allows."""
    wanted = request.GET.get("type", "")
    owner = reads.production()
    known = reads.total_of(owner, wanted) if owner else None
    form = LicencesForm(sent(request), initial={"licence_type": wanted, "total": known})
    return form_page(
        request,
        "environments/sandbox_form.html",
        form,
        inventory.enter_total,
        to=reverse("environments:sandboxes"),
        said=_("The licences are entered."),
        context={"title": _("Licences for sandboxes"), "button": _("Enter")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """Register a listed sandbox as the org of a stage."""
    found = reads.find_sandbox(pk)
    if found is None or found.environment is not None:
        raise Http404
    lanes = _open_lanes()
    form = AdoptForm(lanes, sent(request), initial={"name": found.name})

    def take(place: str, name: str) -> Environment:
        slug, _colon, stage = place.partition(":")
        lane = next(lane for lane in lanes if lane.slug == slug)
        return adopting.adopt(sandbox_id=pk, team=lane.team, stage=stage, name=name)

    return form_page(
        request,
        "environments/sandbox_form.html",
        form,
        take,
        to=lambda made: reverse("environments:credential", kwargs={"pk": made.pk}),
        said=lambda made: _("%(name)s is registered. Now connect it.") % {"name": made},
        context=_about_adoption(found),
    )


def _about_adoption(found: Sandbox) -> dict[str, object]:
    return {
        "title": _("Adopt the sandbox %(name)s") % {"name": found.name},
        "button": _("Adopt"),
        "lead": _("Its address, type and organisation are those that production lists."),
        "facts": (
            (_("Type"), found.licence),
            (_("Organisation id"), found.organization_id or _("not known yet")),
        ),
    }


def _open_lanes() -> list[selectors.Lane]:
    person = acting_person()
    lanes = pages.open_lanes(person, selectors.pipeline(person))
    return [lane for lane in lanes if any(stage != "PRD" for stage in lane.missing)]
