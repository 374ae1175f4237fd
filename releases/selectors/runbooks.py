"""The runbook as the release's page shows it."""

from __future__ import annotations

from governance.models import User
from governance.selectors import people
from releases.models import Release, RunbookItem


def steps(release: Release) -> list[RunbookItem]:
    """The steps, those before the deployment first; one query."""
    rows = RunbookItem.objects.filter(release=release, removed_at=None)
    return list(rows.select_related("owner", "rehearsed_by", "done_by").order_by("-phase", "pk"))


def owners() -> list[User]:
    """Everybody who may own a step: active members of any team."""
    live = people.live_memberships().values("user_id")
    return list(User.objects.filter(pk__in=live, kind="person").order_by("full_name", "pk"))
