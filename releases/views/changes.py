"""Pages of a change: which components differ, what changed inside, and the text."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.access import signed_in
from metadata.components import ComponentKey
from releases.models import Build, Candidate
from releases.selectors import builds, candidates, compared, reading, release_page
from releases.views import lists
from releases.views.acting import found

KINDS = (("added", "New"), ("changed", "Changed"), ("removed", "Deleted"))
VIEWS = (("side", "Side by side"),)


@signed_in
@require_GET
def of_candidate(request: HttpRequest, pk: int) -> HttpResponse:
    """What a candidate changes since its team last reached production."""
    row = found(candidates.find(pk), "candidate")
    return _listed(request, row, found(compared.candidate(row), "package"))


@signed_in
@require_GET
def of_build(request: HttpRequest, pk: int) -> HttpResponse:
    """What a build changes since production, or since the build before it."""
    row = found(builds.find(pk), "build")
    against = request.GET.get("against", "")
    return _listed(request, row, found(compared.build(row, against), "package"))


@signed_in
@require_GET
def candidate_component(request: HttpRequest, pk: int, type_name: str, name: str) -> HttpResponse:
    """One component of a candidate, as text."""
    row = found(candidates.find(pk), "candidate")
    return _component(request, row, found(compared.candidate(row), "package"), type_name, name)


@signed_in
@require_GET
def build_component(request: HttpRequest, pk: int, type_name: str, name: str) -> HttpResponse:
    """One component of a build, as text."""
    row = found(builds.find(pk), "build")
    against = request.GET.get("against", "")
    return _component(request, row, found(compared.build(row, against), "package"), type_name, name)


@signed_in
@require_GET
def release_component(request: HttpRequest, pk: int, type_name: str, name: str) -> HttpResponse:
    """One component of a release against production, as text."""
    row = found(release_page.find(pk), "release")
    return _component(request, row, found(compared.release(row), "package"), type_name, name)


def _listed(
    request: HttpRequest, row: Candidate | Build, comparison: reading.Comparison
) -> HttpResponse:
    asked = request.GET.get
    page = reading.page(
        comparison, query=asked("q", ""), kind=asked("kind", ""), after=asked("after", "")
    )
    first = lists.address(request)
    context = {
        "page": page,
        "row": row,
        "comparison": comparison,
        "query": asked("q", ""),
        "chips": lists.chips(request, "kind", KINDS),
        "against": lists.chips(
            request, "against", (("previous", "Since the build before"),), "Since production"
        )
        if isinstance(row, Build)
        else [],
        "keep": lists.kept(request, "kind", "against"),
        "first_url": first if asked("after") else "",
        "next_url": lists.address(request, after=page.after) if page.after else "",
    }
    return render(request, "changes/list.html", context)


def _component(
    request: HttpRequest, row: object, comparison: reading.Comparison, type_name: str, name: str
) -> HttpResponse:
    key = ComponentKey(type_name, name)
    side = request.GET.get("raw", "")
    if side:
        return _raw(comparison, key, side, request.GET.get("file", ""))
    asked_users = request.GET.get("users", "") == "yes"
    page = found(reading.component(comparison, key, users=asked_users), "component")
    context = {
        "page": page,
        "row": row,
        "comparison": comparison,
        "is_side": request.GET.get("view", "") == "side",
        "views": lists.chips(request, "view", VIEWS, "Unified"),
        "asked_users": asked_users,
        "users_url": lists.address(request, users="yes"),
        "raw_query": f"{comparison.asked}&" if comparison.asked else "",
        "list_url": _list_url(row, comparison),
    }
    return render(request, "changes/component.html", context)


def _list_url(row: object, comparison: reading.Comparison) -> str:
    """Where the list is that this component is in."""
    if isinstance(row, Candidate | Build):
        return comparison.path + (f"?{comparison.asked}" if comparison.asked else "")
    return f"{comparison.path.removesuffix('changes/')}#changes"


def _raw(comparison: reading.Comparison, key: ComponentKey, side: str, path: str) -> HttpResponse:
    """One file as it is, never shown by the browser as anything but a download."""
    content = found(reading.raw(comparison, key, side, path), "file")
    response = HttpResponse(content, content_type="application/octet-stream")
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{side}-{key.name}-{path}")[:150]
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
