"""Pages of releases: the list and one release."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core import clock, csvfile
from core.decisions import Answer, Denied
from governance import audit
from governance.access import signed_in
from governance.permissions import Standing, can, standing_of
from releases import next_action
from releases.forms.releases import AddCandidateForm
from releases.models import Release
from releases.selectors import (
    changes,
    deciders,
    reasons,
    release_page,
    releases,
    reviews,
    runbooks,
    testing,
    words,
)
from releases.services import approval, stages
from releases.services.releases import EDITABLE
from releases.views import lists
from releases.views.acting import found

STORY_SHOWN = 12
STATE_CHIPS = (
    ("open", "Open"),
    ("submitted", "Waiting for approval"),
    ("deployed", "In production"),
    ("closed", "Closed"),
)
GROUPINGS = (("type", "By type"), ("team", "By team"))


def _wanted(request: HttpRequest) -> releases.ReleaseFilter:
    asked = request.GET.get
    return releases.ReleaseFilter(asked("q", ""), asked("state", ""), asked("team", ""))


@signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List releases, newest first."""
    wanted = _wanted(request)
    page, rows = releases.listing(wanted, lists.place_of(request))
    context = {
        "rows": rows,
        "wanted": wanted,
        "pager": lists.pager(request, page, reverse("releases:list_csv")),
        "chips": lists.chips(request, "state", STATE_CHIPS),
        "team_chips": lists.chips(request, "team", releases.contributing_teams(), "Every team"),
        "keep": lists.kept(request, "state", "team"),
        "may_compose": can(request.user, "release.compose"),
        "addable": release_page.addable(),
    }
    return render(request, "releases/list.html", context)


@signed_in
@require_GET
def index_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Send the list as a file."""
    head = ("Release", "Title", "Version", "State", "Teams", "Artefact", "Composed by")
    rows = releases.export(_wanted(request))
    lines = (_line(row) for row in rows)
    return csvfile.response("releases.csv", (*head, "Opened", "In production"), lines)


def _line(row: releases.ReleaseRow) -> tuple[object, ...]:
    release = row.release
    return (
        release.public_id,
        release.title,
        release.version,
        row.word.text,
        row.teams,
        release.artefact.digest if release.artefact else "",
        release.composed_by,
        release.created_at.isoformat(),
        release.deployed_at.isoformat() if release.deployed_at else "",
    )


@signed_in
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a release; asked by htmx, only its live parts.

    When its state is another one than the page was made with, the whole page is asked for anew,
    since contents and changes stand outside the live parts.
    """
    release = found(release_page.find(pk), "release")
    context = _context(request, release)
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "releases/release.html", context)
    response = render(request, "releases/_live.html", context)
    if request.GET.get("shown") != release.state:
        response.headers["HX-Refresh"] = "true"
    return response


def _context(request: HttpRequest, release: Release) -> dict[str, Any]:
    asked = request.GET.get
    wanted = release_page.ChangesWanted(asked("by", ""), asked("q", ""), asked("show") == "all")
    shown = release_page.load(release, clock.now(), wanted)
    card = approval.card(release)
    upcoming = next_action.for_release(release, request.user)  # type: ignore[arg-type]
    standing = standing_of(request.user)
    listed = testing.page(release, size=0)
    return {
        "page": shown,
        "release": release,
        "next": upcoming,
        "reasons": reasons.linked(upcoming.verdict, release, card.deployment),
        "card": card,
        "people": deciders.of(card.progress, request.user),  # type: ignore[arg-type]
        "story": audit.events_for(release.public_id, limit=STORY_SHOWN, without="step"),
        "add_form": AddCandidateForm(addable=release_page.addable_to(release)),
        "may_change": may_change(standing, release),
        "reviews": reviews.of(release),
        "may_review": standing.can("release.review") and reviews.is_due(release),
        "runbook": runbooks.steps(release),
        "may_runbook": standing.can("release.runbook"),
        "tests": listed,
        "tests_run": shown.asked_tests or listed.runs,
        "may_deploy": standing.can("release.deploy"),
        "may_break_glass": release.state in stages.SHORT_WAY
        and release.change_class == Release.ChangeClass.NORMAL
        and standing.can("release.break_glass"),
        "may_audit": standing.can("evidence.make"),
        "groupings": lists.chips(request, "by", GROUPINGS, "Risk first"),
        "keep": lists.kept(request, "by", "show"),
        "all_url": lists.address(request, show="all"),
    }


def may_change(standing: Standing, release: Release) -> Answer:
    """Whether the contents may be changed now: the right first, then the state."""
    right = standing.can("release.compose")
    if right and release.state not in EDITABLE:
        word = words.release(release).text.lower()
        return Denied("release.busy", f"Nothing can be changed: the release is {word}.")
    return right


@signed_in
@require_GET
def changes_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send everything that differs from production as a file."""
    release = found(release_page.find(pk), "release")
    name = f"{release.public_id}-changes.csv"
    return csvfile.response(name, changes.CSV_HEAD, changes.csv_rows(release))
