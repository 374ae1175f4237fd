"""Break-glass and its reviews, and going back to what production held before."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import db
from governance.access import requires, signed_in
from governance.permissions import can
from releases.forms.releases import BreakGlassForm, ReviewForm
from releases.models import BreakGlass
from releases.selectors import emergencies, environments, release_page, targets
from releases.services import break_glass, emergency, rollbacks
from releases.views.acting import act, form_page, found

FORM = "releases/form.html"


@requires("release.break_glass")
@require_http_methods(["GET", "POST"])
def declare(request: HttpRequest, pk: int) -> HttpResponse:
    """Declare an emergency for a composed release."""
    release = found(release_page.find(pk), "release")
    return form_page(
        request,
        FORM,
        BreakGlassForm(request.POST or None),
        lambda **typed: emergency.declare(release_id=pk, **typed),
        to=release.get_absolute_url(),
        said=lambda row: f"{row.public_id} is declared; production is being prepared.",
        context={
            "title": f"Break the glass for {release.public_id} {release.title}",
            "button": "Declare the emergency",
            "is_dangerous": True,
            "back": release.get_absolute_url(),
            "release": release,
            "voids": release.state in release_page.DECIDED_ON,
            "lead": "An emergency skips windows, freezes and the rehearsal. It still needs the "
            "emergency approvers, none of whom wrote it, and goes out once. Every admin and the "
            "board are told now, and somebody else reviews it afterwards.",
        },
    )


@signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every emergency, those to review first."""
    return render(
        request, "releases/break_glass_list.html", {"rows": emergencies.listing(db.database_now())}
    )


@signed_in
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One emergency from its reason to its review."""
    row = found(emergencies.find(pk), "break-glass")
    return render(
        request,
        "releases/break_glass.html",
        {
            "row": emergencies.view(row, db.database_now()),
            "may_review": can(request.user, "break_glass.review"),
        },
    )


@requires("break_glass.review")
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the review."""
    row: BreakGlass = found(emergencies.find(pk), "break-glass")
    return form_page(
        request,
        FORM,
        ReviewForm(request.POST or None),
        lambda review: break_glass.review(break_glass_id=pk, review=review),
        to=row.get_absolute_url(),
        said=f"{row.public_id} is reviewed.",
        context={
            "title": f"Review {row}",
            "button": "Save the review",
            "back": row.get_absolute_url(),
            "lead": row.reason,
        },
    )


@signed_in
@require_GET
def rollback(request: HttpRequest) -> HttpResponse:
    """What production can go back to."""
    production = environments.production()
    return render(
        request,
        "releases/rollback.html",
        {
            "production": production,
            "rows": targets.earlier(production) if production else [],
            "may": can(request.user, "release.deploy"),
        },
    )


@requires("release.deploy")
@require_POST
def go_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the rollback to what a deployment brought."""
    return act(
        request,
        lambda: rollbacks.start(deployment_id=pk),
        to=reverse("releases:list"),
        said=lambda release: f"{release.public_id} is open; production is being prepared for it.",
    )
