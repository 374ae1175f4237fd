"""What every page says while an emergency stop stands."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from environments import selectors_calendar


def emergency(request: HttpRequest) -> dict[str, Any]:
    """Give templates the emergency stop that stands: one small query, only where it is asked."""
    return {"emergency_stop": SimpleLazyObject(selectors_calendar.standing_stop)}
