"""The tests of a release: what is proposed and why, and what people change about it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.pages import sent
from governance.access import requires, signed_in
from governance.permissions import standing_of
from releases.forms.testing import AddTestForm, TestLevelForm
from releases.models import Release
from releases.selectors import release_page
from releases.selectors import testing as selectors
from releases.services import testing as services
from releases.views.acting import act, form_page, found
from releases.views.releases import may_change

FORM = "releases/form.html"


@signed_in
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """List the tests, each with why it is there."""
    release = found(release_page.find(pk), "release")
    context = {
        "release": release,
        "tests": selectors.page(release, after=request.GET.get("after", "")),
        "is_first": not request.GET.get("after"),
        "may_change": may_change(standing_of(request.user), release),
        "voids": release.state in release_page.DECIDED_ON,
        "add_form": AddTestForm(),
    }
    return render(request, "releases/tests.html", context)


@requires("release.compose")
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Run one more test."""
    release = found(release_page.find(pk), "release")
    return form_page(
        request,
        FORM,
        AddTestForm(sent(request)),
        lambda name: services.add(release_id=pk, name=name),
        to=_page(pk),
        said="The test runs with this release.",
        context=_about(release, "A test for", "Add the test"),
    )


@requires("release.compose")
@require_http_methods(["GET", "POST"])
def level(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose which tests run."""
    release = found(release_page.find(pk), "release")
    asked = selectors.asked(release)
    form = TestLevelForm(sent(request), asked=asked, chosen=release.test_level)
    return form_page(
        request,
        FORM,
        form,
        lambda level: services.set_level(release_id=pk, level=level),
        to=_page(pk),
        said="The tests are chosen.",
        context=_about(release, "Which tests run with", "Choose"),
    )


@requires("release.compose")
@require_POST
def leave_out(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Leave a test out."""
    return act(
        request,
        lambda: services.leave_out(release_id=pk, name=name),
        to=_page(pk),
        said=f"{name} is left out.",
    )


def _page(pk: int) -> str:
    return reverse("releases:release_tests", kwargs={"pk": pk})


def _about(release: Release, verb: str, button: str) -> dict[str, object]:
    return {
        "title": f"{verb} {release.public_id} {release.title}",
        "button": button,
        "back": _page(release.pk),
        "release": release,
        "voids": release.state in release_page.DECIDED_ON,
    }
