"""Pages of a team's repository and its builds."""

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
from releases.forms.repositories import (
    CredentialForm,
    EditRepositoryForm,
    RepositoryForm,
    StartBuildForm,
)
from releases.models import Repository
from releases.selectors import builds, check_results, environments, sources
from releases.services import builds as build_services
from releases.services import repositories as services
from releases.views import lists
from releases.views.acting import act, form_page, found, typed

STOP_POLLING = 286
FORM = "releases/form.html"


def team_of(request: HttpRequest, slug: str, **rest: Any) -> Team:
    """The team that a URL names; the access rule asks about it."""
    return found(sources.team(slug), "team")


def _repository(slug: str) -> Repository:
    return found(sources.repository_of(slug), "repository")


def _page(slug: str) -> str:
    return reverse("releases:repository", kwargs={"slug": slug})


@signed_in
@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a team's repository, or how to connect one."""
    team = team_of(request, slug)
    repository = sources.repository_of(slug)
    context = {
        "team": team,
        "page": sources.load(repository) if repository else None,
        "ci": environments.of_team(slug, "CI"),
        "may_connect": can(request.user, "repository.connect", team),
        "may_fetch": can(request.user, "repository.fetch", team),
        "may_build": can(request.user, "build.start", team),
        "may_pick": can(request.user, "candidate.create", team),
    }
    return render(request, "releases/repository.html", context)


@requires("repository.connect", team=team_of)
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """Connect a team's repository."""
    team = team_of(request, slug)
    return form_page(
        request,
        FORM,
        RepositoryForm(request.POST or None),
        lambda **typed: services.connect(team=team, **typed),
        to=_page(slug),
        said="The repository is connected; a worker fetches it now.",
        context={
            "title": f"Connect the repository of {team.name}",
            "button": "Connect",
            "back": _page(slug),
            "lead": "Gatehouse mirrors it and reads it only: branches, tags and the Salesforce "
            "metadata in its commits, in source or metadata format.",
        },
    )


@requires("repository.connect", team=team_of)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change address, main branch or what builds carry."""
    repository = _repository(slug)
    names = ("url", "main_branch", "build_scope")
    initial = {name: getattr(repository, name) for name in names}
    return form_page(
        request,
        FORM,
        EditRepositoryForm(request.POST or None, initial=initial),
        lambda **typed: services.edit(repository_id=repository.pk, **typed),
        to=_page(slug),
        said="The repository is changed; a worker fetches it now.",
        context={
            "title": f"Edit the repository of {repository.team.name}",
            "button": "Save",
            "back": _page(slug),
            "lead": "Another address discards the stored credential, so that it can never be "
            "sent to another host.",
        },
    )


@requires("repository.connect", team=team_of)
@require_http_methods(["GET", "POST"])
def credential(request: HttpRequest, slug: str) -> HttpResponse:
    """Store the credential that the build workers fetch with."""
    repository = _repository(slug)
    return form_page(
        request,
        FORM,
        CredentialForm(request.POST or None),
        lambda **typed: services.set_credential(repository_id=repository.pk, **typed),
        to=_page(slug),
        said="The credential is sealed and stored; a worker fetches with it now.",
        context={
            "title": f"Credential of the repository of {repository.team.name}",
            "button": "Seal and store",
            "back": _page(slug),
            "lead": f"For {repository.url}",
        },
    )


@requires("repository.connect", team=team_of)
@require_POST
def forget_credential(request: HttpRequest, slug: str) -> HttpResponse:
    """Forget the credential."""
    repository = _repository(slug)
    return act(
        request,
        lambda: services.remove_credential(repository_id=repository.pk),
        to=_page(slug),
        said="The credential is forgotten.",
    )


@requires("repository.fetch", team=team_of)
@require_POST
def fetch(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a worker fetch now."""
    repository = _repository(slug)
    return act(
        request,
        lambda: services.fetch_now(repository_id=repository.pk),
        to=_page(slug),
        said="A worker fetches it now.",
    )


@requires("repository.connect", team=team_of)
@require_POST
def rotate_webhook(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a new webhook secret and show it once."""
    repository = _repository(slug)
    secret = services.rotate_webhook(repository_id=repository.pk)
    context = {
        "team": repository.team,
        "repository": repository,
        "secret": secret,
        "address": request.build_absolute_uri(
            reverse("api:git_webhook", kwargs={"repository": repository.uuid})
        ),
    }
    return render(request, "releases/webhook.html", context)


@signed_in
@require_GET
def build_list(request: HttpRequest, slug: str) -> HttpResponse:
    """List the builds of a team, newest first."""
    team = team_of(request, slug)
    repository = sources.repository_of(slug)
    query, state = request.GET.get("q", ""), request.GET.get("state", "")
    context: dict[str, Any] = {"team": team, "repository": repository, "query": query}
    if repository is not None:
        place = lists.place_of(request)
        page, rows = sources.builds(repository, place, query=query, state=state)
        context |= {"rows": rows, "pager": lists.pager(request, page)}
        context["chips"] = lists.chips(request, "state", sources.BUILD_STATES)
        context["keep"] = lists.kept(request, "state")
    context["may_build"] = can(request.user, "build.start", team)
    return render(request, "builds/list.html", context)


@requires("build.start", team=team_of)
@require_http_methods(["GET", "POST"])
def start_build(request: HttpRequest, slug: str) -> HttpResponse:
    """Build a commit by hand."""
    repository = _repository(slug)
    return form_page(
        request,
        FORM,
        StartBuildForm(request.POST or None),
        typed("sha", lambda sha: build_services.start(repository_id=repository.pk, sha=sha)),
        to=lambda build: build.get_absolute_url(),
        said=lambda build: f"{build.public_id} waits for a worker.",
        context={
            "title": f"Build a commit of {repository.team.name}",
            "button": "Build",
            "back": reverse("releases:builds", kwargs={"slug": slug}),
            "lead": "Commits of the main branch are built by themselves. This builds any other, "
            "and deploys it to the team's CI org.",
        },
    )


@signed_in
@require_GET
def build(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one build; asked by htmx, only what changes while it runs."""
    shown = builds.load(found(builds.find(pk), "build"), clock.now())
    place = (shown.build.repository.team_id, shown.build.sha)
    context = {
        "page": shown,
        "build": shown.build,
        "team": shown.build.repository.team,
        "reported": check_results.newest([place]).get(place, []),
    }
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "builds/build.html", context)
    status = STOP_POLLING if shown.is_final else 200
    return render(request, "builds/_live.html", context, status=status)
