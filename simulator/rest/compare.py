"""Values against values: equality, order, patterns, spans of date literals, aggregates."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator import ids
from simulator.clock import parse_time


def reduce(function: str, values: list[Any]) -> Any:
    """Return one aggregate of values; missing ones do not count."""
    present = [value for value in values if value is not None]
    match function:
        case "count":
            return len(present)
        case "count_distinct":
            return len(set(present))
        case "sum":
            return sum(present)
        case "avg":
            return sum(present) / len(present) if present else None
        case "min":
            return min(present, default=None)
    return max(present, default=None)


def sort_key(value: Any, kind: str) -> Any:
    """Return what a value of a column type is compared by."""
    if kind in ("datetime", "date"):
        return value if isinstance(value, float) else parse_time(str(value))
    if kind in ("int", "double"):
        return float(value)
    if kind == "boolean":
        return bool(value)
    return str(value).lower()


def is_equal(value: Any, other: Any, kind: str) -> bool:
    """Say whether two values are equal: text in any case, ids of both lengths."""
    if value is None or other is None:
        return value is other
    if kind == "id":
        return ids.same_id(str(value), str(other))
    return bool(sort_key(value, kind) == sort_key(other, kind))


def is_within(value: Any, span: tuple[Any, Any], kind: str) -> bool:
    """Say whether a value lies in a span."""
    low, high = span
    if low is high or low == high:
        return is_equal(value, low, kind)
    return value is not None and low <= sort_key(value, kind) <= high


def is_ordered(value: Any, operator: str, span: tuple[Any, Any], kind: str) -> bool:
    """Compare a value with a span by <, <=, > or >=."""
    low, high = span
    if value is None or low is None:
        return False
    here = sort_key(value, kind)
    low, high = (low.lower(), high.lower()) if isinstance(low, str) else (low, high)
    match operator:
        case "<":
            return bool(here < low)
        case "<=":
            return bool(here <= high)
        case ">":
            return bool(here > high)
    return bool(here >= low)


def is_like(value: str, pattern: str) -> bool:
    """Match a pattern with % and _."""
    parts = re.split(r"(\\.|%|_)", pattern)
    wild = {"%": ".*", "_": "."}
    regex = "".join(
        wild.get(part) or re.escape(part[1:] if part.startswith("\\") and part[1:] else part)
        for part in parts
    )
    return re.fullmatch(regex, value, re.IGNORECASE | re.DOTALL) is not None


def date_literal(word: str, now: float) -> tuple[float, float] | None:
    """Return the span of a date literal such as TODAY or LAST_N_DAYS:7, in UTC."""
    today = datetime.fromtimestamp(now, tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    name, _, count = word.upper().partition(":")
    number = int(count) if count else 0
    spans = {
        "TODAY": (today, today + day),
        "YESTERDAY": (today - day, today),
        "TOMORROW": (today + day, today + 2 * day),
        "LAST_N_DAYS": (today - number * day, today + day),
        "NEXT_N_DAYS": (today + day, today + (number + 1) * day),
        "THIS_WEEK": _week(today, 0),
        "LAST_WEEK": _week(today, -1),
        "THIS_MONTH": _month(today, 0),
        "LAST_MONTH": _month(today, -1),
        "NEXT_WEEK": _week(today, 1),
        "NEXT_MONTH": _month(_month(today, 0)[1], 0),
        "THIS_QUARTER": _quarter(today, 0),
        "LAST_QUARTER": _quarter(today, -1),
        "THIS_YEAR": _year(today, 0),
        "LAST_YEAR": _year(today, -1),
        "NEXT_YEAR": _year(today, 1),
        "LAST_N_WEEKS": (_week(today, -number)[0], _week(today, 0)[0]),
        "LAST_N_YEARS": (_year(today, -number)[0], _year(today, 0)[0]),
        "LAST_N_MONTHS": (_months_back(today, number), _month(today, 0)[0]),
        "NEXT_90_DAYS": (today + day, today + 91 * day),
        "LAST_90_DAYS": (today - 90 * day, today + day),
    }
    if name not in spans:
        return None
    low, high = spans[name]
    return low.timestamp(), high.timestamp() - 0.001


def _week(today: datetime, weeks: int) -> tuple[datetime, datetime]:
    sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=weeks)
    return sunday, sunday + timedelta(weeks=1)


def _month(today: datetime, months: int) -> tuple[datetime, datetime]:
    first = today.replace(day=1)
    if months < 0:
        first = (first - timedelta(days=1)).replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _year(today: datetime, years: int) -> tuple[datetime, datetime]:
    first = today.replace(month=1, day=1, year=today.year + years)
    return first, first.replace(year=first.year + 1)


def _quarter(today: datetime, quarters: int) -> tuple[datetime, datetime]:
    first = _months_back(today, (today.month - 1) % 3 - 3 * quarters)
    return first, (first + timedelta(days=95)).replace(day=1)


def _months_back(today: datetime, months: int) -> datetime:
    count = today.year * 12 + today.month - 1 - months
    return today.replace(year=count // 12, month=count % 12 + 1, day=1)
