"""The page of collisions: where teams meet before any release exists."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core import csvfile
from governance.access import signed_in
from releases.selectors import collisions
from releases.views import lists


def _wanted(request: HttpRequest) -> collisions.Wanted:
    asked = request.GET.get
    return collisions.Wanted(
        asked("rank", ""), asked("team", ""), asked("q", ""), asked("after", "")
    )


@signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List collisions, the closest first."""
    wanted = _wanted(request)
    page = collisions.listing(wanted)
    first = lists.address(request)
    filters = first if first.startswith("?") else ""
    context = {
        "page": page,
        "wanted": wanted,
        "first_url": first if wanted.after else "",
        "next_url": lists.address(request, after=page.after) if page.after else "",
        "csv_url": reverse("releases:collisions_csv") + filters,
        "chips": lists.chips(request, "rank", collisions.RANK_NAMES),
        "team_chips": lists.chips(request, "team", collisions.teams(), "Every team"),
        "keep": lists.kept(request, "rank", "team"),
        "unread": collisions.unread(),
    }
    return render(request, "collisions/list.html", context)


@signed_in
@require_GET
def index_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Send the list as a file."""
    head = ("Rank", "Type", "Component", "What meets", "Teams", "Work", "First seen")
    rows = (
        (
            row.rank.text,
            row.type_label,
            row.name,
            row.inside,
            row.teams,
            "; ".join(side.told for side in row.sides),
            row.first_seen_at.isoformat(),
        )
        for row in collisions.export(_wanted(request))
    )
    return csvfile.response("collisions.csv", head, rows)
