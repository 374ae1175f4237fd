"""What the frame of every page needs: where the person is, which pages exist, which zone counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import clock
from core.templatetags.gatehouse import zone_word


@dataclass(frozen=True)
class NavEntry:
    """One entry of the main navigation."""

    label: str
    url: str
    is_here: bool
    is_section: bool


# (url name, paths below which the entry is the current section). An entry whose page is not
# installed is left out, so the bar never offers a link that cannot work.
_ENTRIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Home", "dashboard:home", ()),
    (
        "Releases",
        "releases:list",
        ("/releases/", "/deployments/", "/builds/", "/candidates/", "/approvals/"),
    ),
    ("Environments", "environments:list", ("/environments/", "/snapshots/")),
    ("Calendar", "dashboard:calendar", ("/calendar/",)),
    ("Teams", "governance:teams", ("/teams/", "/repositories/")),
    ("History", "governance:history", ("/history/",)),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give templates the navigation, the demo flag and the zone that times are shown in."""
    local = timezone.localtime(clock.now())
    return {
        "nav_entries": _navigation(request.path),
        "is_demo": settings.GATEHOUSE.mode == "demo",
        "zone_name": zone_word(local),
        "zone_offset": _offset(local.strftime("%z")),
        "local_now": local,
    }


def _navigation(path: str) -> list[NavEntry]:
    entries = []
    for label, name, below in _ENTRIES:
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        inside = any(path.startswith(prefix) for prefix in below)
        entries.append(NavEntry(_(label), url, path == url, inside or path == url))
    return entries


def _offset(digits: str) -> str:
    """Turn ``+0200`` into ``UTC+2`` and ``+0530`` into ``UTC+5:30``."""
    hours, minutes = int(digits[1:3]), digits[3:5]
    return f"UTC{digits[0]}{hours}" + (f":{minutes}" if minutes != "00" else "")
