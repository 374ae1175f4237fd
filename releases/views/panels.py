"""Fragments of this app on pages of the apps below, which cannot know it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core import ids
from governance.access import signed_in
from governance.permissions import can
from releases.selectors import environments, panels, sources
from releases.views.acting import found
from releases.views.sources import team_of


@signed_in
@require_GET
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """Builds and candidates on a team's page."""
    owner = team_of(request, slug)
    repository = sources.repository_of(slug)
    context = {
        "team": owner,
        "panel": panels.of_team(repository) if repository else None,
        "may_connect": can(request.user, "repository.connect", owner),
    }
    return render(request, "releases/_team_panel.html", context)


@signed_in
@require_GET
def environment(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest deployments on an environment's page."""
    org = found(environments.named(ids.format_ref("E", pk)), "environment")
    context = {"environment": org, "rows": panels.of_environment(org)}
    return render(request, "deployments/_environment_panel.html", context)
