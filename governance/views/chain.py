"""How the history is sealed: checkpoints, verifications, keys; and asking for either now."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import signing
from governance.access import requires, signed_in
from governance.permissions import standing_of
from governance.selectors import chain
from governance.services import checkpoints, verifying


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """Show how the history stands and how to check it without Gatehouse."""
    context = {
        "standing": chain.standing(),
        "checkpoints": chain.checkpoints(),
        "verifications": chain.verifications(),
        "public_keys": sorted(signing.public_keys().items()),
        "may_verify": bool(standing_of(request.user).can("history.verify")),
    }
    return render(request, "governance/chain.html", context)


@require_POST
@requires("history.verify")
def verify(request: HttpRequest) -> HttpResponse:
    """Ask a worker to verify the whole history."""
    verifying.request()
    messages.success(request, _("A worker is reading the history; the result appears here."))
    return redirect("governance:chain")


@require_POST
@requires("history.verify")
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Ask a worker for a checkpoint."""
    checkpoints.request()
    messages.success(request, _("A worker is taking a checkpoint; it appears here."))
    return redirect("governance:chain")
