"""What the frame of every page needs: where the person is, which pages exist, which zone counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from core import clock
from core.templatetags.gatehouse import zone_word


@dataclass(frozen=True)
class NavEntry:
    """One entry of the main navigation."""

    label: str
    url: str
    is_here: bool  # this very page
    is_section: bool  # a page below it


# (label, address, paths below which the entry is the current section). An entry whose page is not
# installed is left out, so the bar never offers a link that cannot work.
_ENTRIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (gettext_noop("Home"), "/", ()),
    (
        gettext_noop("Releases"),
        "/releases/",
        (
            "/releases/",
            "/deployments/",
            "/builds/",
            "/candidates/",
            "/break-glass/",
            "/rollback/",
        ),
    ),
    (
        gettext_noop("Environments"),
        "/environments/",
        ("/environments/", "/snapshots/", "/canary/", "/sandbox-requests/"),
    ),
    (gettext_noop("Calendar"), "/calendar/", ("/calendar/",)),
    (gettext_noop("Teams"), "/teams/", ("/teams/", "/people/", "/policies/", "/service-accounts/")),
    (gettext_noop("History"), "/history/", ("/history/", "/evidence/")),
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
    return [
        NavEntry(gettext(label), address, path == address, path.startswith(below))
        for label, address, below in _ENTRIES
        if _is_installed(address)
    ]


def _is_installed(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True


def _offset(digits: str) -> str:
    """Turn ``+0200`` into ``UTC+2`` and ``+0530`` into ``UTC+5:30``; UTC itself says nothing."""
    if int(digits) == 0:
        return ""
    hours, minutes = int(digits[1:3]), digits[3:5]
    return f"UTC{digits[0]}{hours}" + (f":{minutes}" if minutes != "00" else "")
