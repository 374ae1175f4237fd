"""Conflicts between candidates, and what depends on a candidate that is to be taken out."""

from __future__ import annotations

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from core.pages import sent
from governance.access import requires, signed_in
from governance.permissions import Standing, standing_of
from releases.forms.resolutions import ResolveForm
from releases.models import ComponentConflict
from releases.selectors import release_page, resolutions
from releases.services import releases as services
from releases.services import resolutions as decisions
from releases.views.acting import form_page, found


@signed_in
@require_GET
def conflicts(request: HttpRequest, pk: int) -> HttpResponse:
    """List what stops the composition, and what was decided before."""
    release = found(release_page.find(pk), "release")
    standing = standing_of(request.user)
    rows = [(row, resolutions.may_decide(standing, row)) for row in resolutions.open_in(release)]
    context = {"release": release, "rows": rows, "made": resolutions.made(release)}
    return render(request, "releases/conflicts.html", context)


@signed_in
@require_http_methods(["GET", "POST"])
def resolve(request: HttpRequest, pk: int, conflict_pk: int) -> HttpResponse:
    """Compare what every side says and pick; the service knows whose say it is."""
    release = found(release_page.find(pk), "release")
    conflict = found(resolutions.conflict(release, conflict_pk), "conflict")
    form = ResolveForm(sent(request), conflict=conflict)
    before = resolutions.remembered(conflict)
    standing = standing_of(request.user)
    return form_page(
        request,
        "releases/conflict.html",
        form,
        lambda picks, reason: decisions.resolve(
            release_id=pk, conflict_id=conflict_pk, picks=picks, reason=reason
        ),
        to=lambda decided: _after(decided, standing),
        said=_decided,
        context={
            "release": release,
            "conflict": conflict,
            "rows": [(*row, before.get(row[0]["digest"])) for row in form.rows()],
            "may_decide": resolutions.may_decide(standing, conflict),
            "left": len(resolutions.open_in(release)),
        },
    )


def _after(conflict: ComponentConflict, standing: Standing) -> str:
    """The next open conflict that the same person may decide, or the list."""
    for row in resolutions.open_in(conflict.release):
        if resolutions.may_decide(standing, row):
            keys = {"pk": conflict.release_id, "conflict_pk": row.pk}
            return reverse("releases:conflict", kwargs=keys)
    return reverse("releases:release_conflicts", kwargs={"pk": conflict.release_id})


def _decided(conflict: ComponentConflict) -> str:
    left = len(resolutions.open_in(conflict.release))
    if left:
        return f"{conflict.name} is decided. {left} still open."
    return f"{conflict.name} is decided, the last one. A worker composes the release now."


@requires("release.compose")
@require_http_methods(["GET", "POST"])
def take_out(request: HttpRequest, pk: int, candidate_pk: int) -> HttpResponse:
    """Show what of the rest depends on a candidate, then take it out and compose the rest."""
    release = found(release_page.find(pk), "release")
    item = release.items.filter(candidate_id=candidate_pk, removed_at__isnull=True)
    held = found(item.select_related("candidate__team").first(), "candidate in this release")
    return form_page(
        request,
        "releases/take_out.html",
        Form(sent(request)),
        lambda: services.remove_candidate(release_id=pk, candidate_id=candidate_pk, recompose=True),
        to=reverse("releases:release", kwargs={"pk": pk}) + "#contents",
        said=lambda row: (
            f"The candidate is out of {row.public_id}."
            + (" A worker composes the rest now." if row.state == "composing" else "")
        ),
        context={
            "release": release,
            "candidate": held.candidate,
            "needed": resolutions.needing(release, held.candidate),
            "voids": release.state in release_page.DECIDED_ON,
        },
    )
