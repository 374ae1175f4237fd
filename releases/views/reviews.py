"""The review of a release that ran."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from governance.access import requires
from releases.forms.releases import AfterwardsForm
from releases.selectors import release_page
from releases.services import reviews
from releases.views.acting import form_page, found


@requires("release.review")
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down how the release went."""
    release = found(release_page.find(pk), "release")
    back = f"{release.get_absolute_url()}#afterwards"
    return form_page(
        request,
        "releases/form.html",
        AfterwardsForm(request.POST or None),
        lambda **typed: reviews.write(release_id=pk, **typed),
        to=back,
        said=f"The review of {release.public_id} is kept.",
        context={
            "title": f"How did {release.public_id} {release.title} go?",
            "button": "Keep the review",
            "back": back,
            "release": release,
            "lead": "The review stands in the release's story and in every evidence pack. It "
            "cannot be changed; a second one adds to it.",
        },
    )
