"""How evidence writes moments: UTC in RFC 3339, and the same moment on a local clock beside it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from core.digests import rfc3339


def utc(moment: datetime | None) -> str:
    """Write a moment in UTC; empty when there is none."""
    return rfc3339(moment) if moment else ""


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """Write the same moment as a clock on the wall of ``zone`` shows it, to the second."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z") if moment else ""


def recorded(moment: datetime | None) -> str | None:
    """Write a moment for JSON; null when it did not happen."""
    return rfc3339(moment) if moment else None
