"""Pages of candidates: tags on their way through TEST into a release."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import clock
from governance.access import requires, signed_in
from governance.models import Team
from governance.permissions import can
from releases.forms.repositories import TagForm, TestResultForm
from releases.models import Candidate
from releases.selectors import candidates, check_results, environments, sources
from releases.services import candidates as services
from releases.views import lists
from releases.views.acting import act, form_page, found, typed
from releases.views.sources import team_of

STOP_POLLING = 286
FORM = "releases/form.html"


def owner_of(request: HttpRequest, pk: int, **rest: Any) -> Team:
    """The team whose candidate a URL names; the access rule asks about it."""
    return _candidate(pk).team


def _candidate(pk: int) -> Candidate:
    return found(candidates.find(pk), "candidate")


def _page(pk: int) -> str:
    return reverse("releases:candidate", kwargs={"pk": pk})


@signed_in
@require_GET
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """List the candidates of a team, newest first."""
    team = team_of(request, slug)
    repository = sources.repository_of(slug)
    query, state = request.GET.get("q", ""), request.GET.get("state", "")
    context: dict[str, Any] = {"team": team, "repository": repository, "query": query}
    if repository is not None:
        place = lists.place_of(request)
        page, rows = candidates.listing(repository, place, query=query, state=state)
        context |= {"rows": rows, "pager": lists.pager(request, page)}
        context["chips"] = lists.chips(request, "state", candidates.STATES)
        context["keep"] = lists.kept(request, "state")
    context["may_pick"] = can(request.user, "candidate.create", team)
    return render(request, "releases/candidates.html", context)


@requires("candidate.create", team=team_of)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Pick a tag and send it to TEST."""
    repository = found(sources.repository_of(slug), "repository")
    tag = request.GET.get("tag", "")
    return form_page(
        request,
        "releases/candidate_new.html",
        TagForm(request.POST or None, initial={"tag": tag}),
        typed("tag", lambda tag: services.create(repository_id=repository.pk, tag=tag)),
        to=lambda candidate: candidate.get_absolute_url(),
        said=lambda candidate: f"{candidate.tag} is on its way to TEST.",
        context={
            "team": repository.team,
            "tags": sources.free_tags(repository),
            "test": environments.of_team(slug, "TEST"),
            "back": reverse("releases:candidates", kwargs={"slug": slug}),
        },
    )


@signed_in
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one candidate; asked by htmx, only what changes while it moves."""
    candidate = _candidate(pk)
    shown = candidates.load(candidate, clock.now())
    place = (candidate.team_id, candidate.sha)
    context = {
        "page": shown,
        "candidate": candidate,
        "team": candidate.team,
        "reported": check_results.newest([place]).get(place, []),
        "may_test": can(request.user, "candidate.test", candidate.team),
        "may_offer": can(request.user, "candidate.offer", candidate.team),
        "may_retry": can(request.user, "candidate.create", candidate.team),
    }
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "releases/candidate.html", context)
    status = 200 if shown.is_moving else STOP_POLLING
    return render(request, "releases/_candidate_live.html", context, status=status)


@requires("candidate.test", team=owner_of)
@require_http_methods(["GET", "POST"])
def pass_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that user testing passed."""
    candidate = _candidate(pk)
    return form_page(
        request,
        FORM,
        TestResultForm(request.POST if request.method == "POST" else None),
        lambda note: services.pass_test(candidate_id=pk, note=note),
        to=_page(pk),
        said=f"User testing of {candidate.tag} is signed.",
        context=_about(candidate, "User tests passed", "Sign: tests passed"),
    )


@requires("candidate.test", team=owner_of)
@require_http_methods(["GET", "POST"])
def fail_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that user testing failed; the candidate ends there."""
    candidate = _candidate(pk)
    return form_page(
        request,
        FORM,
        TestResultForm(request.POST if request.method == "POST" else None),
        lambda note: services.fail_test(candidate_id=pk, note=note),
        to=_page(pk),
        said=f"User testing of {candidate.tag} failed. Mend it, tag again, pick the new tag.",
        context=_about(candidate, "User tests failed", "Record: tests failed")
        | {"lead": "This candidate ends here. A repaired tag becomes a new one."},
    )


def _about(candidate: Candidate, title: str, button: str) -> dict[str, object]:
    return {
        "title": f"{title}: {candidate}",
        "button": button,
        "back": candidate.get_absolute_url(),
    }


@requires("candidate.offer", team=owner_of)
@require_POST
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer it to the release manager."""
    return act(
        request,
        lambda: services.offer(candidate_id=pk),
        to=_page(pk),
        said="It is offered. The release manager can add it to a release.",
    )


@requires("candidate.offer", team=owner_of)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the offer back."""
    return act(
        request,
        lambda: services.withdraw(candidate_id=pk),
        to=_page(pk),
        said="The offer is taken back.",
    )


@requires("candidate.create", team=owner_of)
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Build and deploy it to TEST once more."""
    return act(
        request,
        lambda: services.retry(candidate_id=pk),
        to=_page(pk),
        said="A worker tries it again.",
    )
