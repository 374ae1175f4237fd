"""Who could decide on a given day, and what changed in who may do what."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.db import database_now
from governance.access import signed_in
from governance.forms.access import AccessForm
from governance.models import Policy, PolicyVersion
from governance.selectors import access

CHANGES_SHOWN = 100
BEFORE = timedelta(days=30)


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """Answer for a policy at the end of a day, today by default."""
    form = AccessForm(request.GET or None)
    given: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else {}
    now = database_now()
    at = now
    if day := given.get("day"):
        at = min(now, datetime.combine(day, time.max, timezone.get_current_timezone()))
    policy = given.get("policy") or Policy.objects.order_by("-governs_board", "pk").first()
    version = _in_force(policy, at)
    changes = list(access.access_changes(at - BEFORE, at))
    context = {
        "form": form if form.is_bound else AccessForm(initial={"policy": policy, "day": at.date()}),
        "at": at,
        "is_now": at == now,
        "policy": policy,
        "version": version,
        "people": access.who_could_decide(version, at) if version else [],
        "changes": changes[::-1][:CHANGES_SHOWN],
        "more": max(0, len(changes) - CHANGES_SHOWN),
    }
    return render(request, "governance/access.html", context)


def _in_force(policy: Policy | None, at: datetime) -> PolicyVersion | None:
    if policy is None:
        return None
    return policy.versions.filter(published_at__lte=at).order_by("-number").first()
