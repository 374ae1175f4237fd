"""What orgs report about themselves, and the explanations of what Gatehouse did not send."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.pages import sent
from governance.access import requires
from governance.permissions import can
from releases.forms.evidence import ExplanationForm
from releases.models import OrgDeployment
from releases.selectors import evidence as selectors
from releases.selectors import paging
from releases.services import evidence, observation
from releases.views import lists
from releases.views.acting import act, form_page, found

CHIPS = (("open", "Unexplained"),)


@requires("evidence.make")
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List what protected orgs report, newest first."""
    is_open = request.GET.get("show") == "open"
    page = paging.page(selectors.reported(open_only=is_open), lists.place_of(request))
    context = {
        "rows": [selectors.reported_row(row) for row in page.rows],
        "looks": [(row, selectors.look_word(row)) for row in selectors.last_looks()],
        "pager": lists.pager(request, page),
        "chips": lists.chips(request, "show", CHIPS),
        "is_open": is_open,
        "may_explain": can(request.user, "observation.explain"),
    }
    return render(request, "evidence/reported.html", context)


@requires("evidence.make")
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Have one org asked now."""
    return act(
        request,
        lambda: observation.ask_now(environment_id=pk),
        to=reverse("releases:reported"),
        said=lambda environment: f"{environment.name} is being asked.",
    )


@requires("observation.explain")
@require_http_methods(["GET", "POST"])
def explain(request: HttpRequest, pk: int) -> HttpResponse:
    """Say where a change past Gatehouse came from."""
    rows = OrgDeployment.objects.select_related("environment")
    row = found(rows.filter(pk=pk).first(), "reported deployment")
    by = row.created_by_name or row.created_by_id
    return form_page(
        request,
        "releases/form.html",
        ExplanationForm(sent(request)),
        lambda **typed: evidence.explain(reported_id=pk, **typed),
        to=reverse("releases:reported"),
        said=f"{row.remote_id} is explained.",
        context={
            "title": f"Explain {row.remote_id}",
            "button": "Explain",
            "back": reverse("releases:reported"),
            "lead": f"{by} deployed {row.components_total} components to {row.environment} on "
            f"{row.created_at:%-d %b %Y %H:%M} UTC, past Gatehouse.",
        },
    )
