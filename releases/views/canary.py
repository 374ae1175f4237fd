"""The canary's answers: proof, day by day, that the gate refuses."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core import db
from governance.access import requires, signed_in
from governance.permissions import can
from releases.selectors import canary as answers
from releases.services import canary as services
from releases.views.acting import act


@signed_in
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Show the newest answers, and whether it is silent."""
    return render(
        request,
        "releases/canary.html",
        {
            "rows": answers.newest(),
            "silent": services.silent(db.database_now()),
            "hours": settings.GATEHOUSE.canary_hours,
            "may_ask": can(request.user, "canary.ask"),
        },
    )


@requires("canary.ask")
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Have it asked now."""
    return act(
        request, services.ask, to=reverse("releases:canary"), said="The canary is being asked."
    )
