"""The way from an approval request's id to the page that asks its question."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from governance.access import signed_in
from governance.models import ApprovalRequest


@require_safe
@signed_in
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to the page of the app that owns the subject."""
    asked = ApprovalRequest.objects.filter(pk=pk).first()
    if asked is None:
        raise Http404("There is no such request for approval.")
    return redirect(asked.url)
