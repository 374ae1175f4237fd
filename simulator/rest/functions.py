"""Functions of one value in queries: parts of a date (in UTC), and those that only change looks."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulator.clock import parse_time
from simulator.rest.soql import AGGREGATES

_PARTS: dict[str, Callable[[datetime], int]] = {
    "calendar_year": lambda at: at.year,
    "calendar_quarter": lambda at: (at.month + 2) // 3,
    "calendar_month": lambda at: at.month,
    # The orgs' fiscal year begins in January (Organization.FiscalYearStartMonth).
    "fiscal_year": lambda at: at.year,
    "fiscal_quarter": lambda at: (at.month + 2) // 3,
    "fiscal_month": lambda at: at.month,
    "week_in_year": lambda at: (at.timetuple().tm_yday + 6) // 7,
    "week_in_month": lambda at: (at.day + 6) // 7,
    "day_in_year": lambda at: at.timetuple().tm_yday,
    "day_in_month": lambda at: at.day,
    "day_in_week": lambda at: at.isoweekday() % 7 + 1,
    "hour_in_day": lambda at: at.hour,
}
_DAY = "day_only"
_LOOKS = ("tolabel", "format", "convertcurrency")


def is_known(name: str) -> bool:
    """Say whether queries may use a function."""
    return name in ("", "fields", _DAY, *_LOOKS, *_PARTS, *AGGREGATES)


def groups(name: str) -> bool:
    """Say whether a function is for grouping and conditions only, not for a list of records."""
    return name == _DAY or name in _PARTS


def apply(name: str, value: Any, kind: str) -> tuple[Any, str]:
    """Return what a function makes of a column's value, and the type of that."""
    if not groups(name):
        return value, kind
    result = "date" if name == _DAY else "int"
    if value is None:
        return None, result
    at = datetime.fromtimestamp(parse_time(str(value)), tz=UTC)
    return (at.date().isoformat() if name == _DAY else _PARTS[name](at)), result
