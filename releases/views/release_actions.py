"""What people do with a release: each a POST, some with a form of their own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from governance.access import requires
from releases.forms.releases import (
    AddCandidateForm,
    EditReleaseForm,
    NewReleaseForm,
    ReasonForm,
    ReopenForm,
)
from releases.models import Release, ReleaseItem
from releases.selectors import release_page
from releases.services import releases as services
from releases.services import stages
from releases.states import ReleaseState
from releases.views.acting import act, form_page, found

FORM = "releases/form.html"


def _page(pk: int, anchor: str = "") -> str:
    return reverse("releases:release", kwargs={"pk": pk}) + (f"#{anchor}" if anchor else "")


@requires("release.compose")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Open a release in draft."""
    return form_page(
        request,
        FORM,
        NewReleaseForm(request.POST or None),
        services.create,
        to=lambda release: release.get_absolute_url(),
        said=lambda release: f"{release.public_id} is open. Add candidates to it.",
        context={
            "title": "New release",
            "button": "Open release",
            "back": reverse("releases:list"),
            "lead": "A release gathers candidates of several teams into one artefact. "
            "Its version follows the newest one.",
        },
    )


@requires("release.compose")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the words or the window of a release."""
    release = found(release_page.find(pk), "release")
    names = ("title", "scope", "notes", "impact", "not_before", "not_after")
    composed = release.state != ReleaseState.DRAFT
    initial = {name: getattr(release, name) for name in names}
    return form_page(
        request,
        FORM,
        EditReleaseForm(request.POST or None, initial=initial, composed=composed),
        lambda **typed: services.edit(release_id=pk, **typed),
        to=_page(pk),
        said=f"{release.public_id} is changed.",
        context=_about(release, "Edit", "Save", warns_window=True),
    )


@requires("release.compose")
@require_http_methods(["GET", "POST"])
def add_candidate(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an offered candidate into the release."""
    release = found(release_page.find(pk), "release")
    return form_page(
        request,
        FORM,
        AddCandidateForm(request.POST or None, addable=release_page.addable()),
        lambda candidate: services.add_candidate(release_id=pk, candidate_id=candidate),
        to=_page(pk, "contents"),
        said=_added,
        context=_about(release, "Add a candidate to", "Add", warns_contents=True),
    )


def _added(item: ReleaseItem) -> str:
    return f"{item.candidate} is in {item.release.public_id}."


@requires("release.compose")
@require_POST
def compose(request: HttpRequest, pk: int) -> HttpResponse:
    """Merge the candidates into one artefact."""
    return act(
        request,
        lambda: services.compose(release_id=pk),
        to=_page(pk),
        said="A worker composes the release now.",
    )


@requires("release.deploy")
@require_POST
def integrate(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the artefact to the integration org."""
    return act(
        request,
        lambda: stages.integrate(release_id=pk),
        to=_page(pk),
        said=lambda row: f"{row.public_id} takes it to {row.environment.name}.",
    )


@requires("release.deploy")
@require_POST
def rehearse(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the artefact to PRE-PRD."""
    return act(
        request,
        lambda: stages.rehearse(release_id=pk),
        to=_page(pk),
        said=lambda row: f"{row.public_id} rehearses it in {row.environment.name}.",
    )


@requires("release.deploy")
@require_POST
def prepare(request: HttpRequest, pk: int) -> HttpResponse:
    """Snapshot production and validate there, check only."""
    return act(
        request,
        lambda: stages.prepare(release_id=pk),
        to=_page(pk),
        said=lambda row: f"{row.public_id} prepares {row.environment.name}; nothing changes there.",
    )


@requires("release.deploy")
@require_POST
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the release board."""
    return act(
        request,
        lambda: stages.submit(release_id=pk),
        to=_page(pk, "approval"),
        said="The release board is asked.",
    )


@requires("release.deploy")
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the question back from the board."""
    release = found(release_page.find(pk), "release")
    return form_page(
        request,
        FORM,
        ReasonForm(request.POST or None),
        lambda reason: stages.withdraw_submission(release_id=pk, reason=reason),
        to=_page(pk, "approval"),
        said="The board is no longer asked. The release stays rehearsed.",
        context=_about(release, "Take back the submission of", "Take it back", warns_contents=True),
    )


@requires("release.compose")
@require_http_methods(["GET", "POST"])
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the release to draft."""
    release = found(release_page.find(pk), "release")
    return form_page(
        request,
        FORM,
        ReopenForm(request.POST if request.method == "POST" else None),
        lambda reason: services.reopen(release_id=pk, reason=reason),
        to=_page(pk),
        said=f"{release.public_id} is a draft again.",
        context=_about(release, "Return to draft:", "Return to draft", warns_contents=True),
    )


@requires("release.compose")
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close the release."""
    return act(
        request,
        lambda: services.close(release_id=pk),
        to=_page(pk),
        said=lambda release: f"{release.public_id} is closed.",
    )


def _about(
    release: Release,
    verb: str,
    button: str,
    *,
    warns_contents: bool = False,
    warns_window: bool = False,
) -> dict[str, object]:
    """What the page around a release's form says."""
    return {
        "title": f"{verb} {release.public_id} {release.title}",
        "button": button,
        "back": release.get_absolute_url(),
        "release": release,
        "voids": release.state in release_page.DECIDED_ON and (warns_contents or warns_window),
        "warns_window": warns_window,
    }
