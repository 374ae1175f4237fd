"""The runbook of a release: its steps, and their ticks."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from governance.access import requires, signed_in
from releases.forms.releases import RunbookForm
from releases.selectors import release_page, runbooks
from releases.services import runbooks as services
from releases.views.acting import act, form_page, found


@requires("release.runbook")
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Write one more step."""
    release = found(release_page.find(pk), "release")
    form: forms.Form = RunbookForm(request.POST or None, people=runbooks.owners())
    return form_page(
        request,
        "releases/form.html",
        form,
        lambda owner, **typed: services.add(release_id=pk, owner_id=owner, **typed),
        to=_place(pk),
        said="The step is in the runbook.",
        context={
            "title": f"A step in the runbook of {release.public_id} {release.title}",
            "button": "Add the step",
            "back": _place(pk),
            "release": release,
            "voids": release.state in release_page.DECIDED_ON,
        },
    )


@requires("release.runbook")
@require_POST
def remove(request: HttpRequest, pk: int, item: int) -> HttpResponse:
    """Take a step out."""
    return act(
        request,
        lambda: services.remove(release_id=pk, item_id=item),
        to=_place(pk),
        said="The step is out of the runbook.",
    )


@signed_in
@require_POST
def tick(request: HttpRequest, pk: int, item: int, where: str) -> HttpResponse:
    """Say that a step was done; the service knows whose it is."""
    return act(
        request,
        lambda: services.tick(release_id=pk, item_id=item, rehearsal=where == "rehearsal"),
        to=_place(pk),
        said="The step is ticked.",
    )


def _place(pk: int) -> str:
    return reverse("releases:release", kwargs={"pk": pk}) + "#runbook"
