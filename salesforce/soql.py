"""SOQL with bound values: the only place where a query string is put together.

``bind("SELECT Id FROM User WHERE Username = {name}", name=value)``. Field and object names are
written in the source; values are quoted and escaped, so they cannot leave their literal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from string import Formatter

Value = str | bool | int | float | datetime | date | None

_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)


def literal(value: Value | list[str] | tuple[str, ...]) -> str:
    """Return the value as a SOQL literal; a list becomes the right side of ``IN``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        return "'" + value.translate(_ESCAPES) + "'"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time in SOQL must be aware")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return repr(value)
    if not value:
        raise ValueError("IN needs at least one value")
    return "(" + ", ".join(literal(item) for item in value) + ")"


class _Binder(Formatter):
    """Formats every field as a literal; paths, conversions and format specs are refused."""

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, object]) -> object:
        """Return the value of a name."""
        if not isinstance(key, str):
            raise ValueError("a SOQL template names its values")
        return kwargs[key]

    def get_field(
        self, field_name: str, args: object, kwargs: Mapping[str, object]
    ) -> tuple[object, str]:
        """Return the value of a plain name."""
        if not field_name.isidentifier():
            raise ValueError("a SOQL template takes plain {name} fields only")
        return self.get_value(field_name, args, kwargs), field_name

    def convert_field(self, value: object, conversion: str | None) -> object:
        """Refuse ``!r`` and its like."""
        if conversion:
            raise ValueError("a SOQL template takes plain {name} fields only")
        return value

    def format_field(self, value: object, format_spec: str) -> str:
        if format_spec:
            raise ValueError("a SOQL template takes plain {name} fields only")
        return literal(value)  # type: ignore[arg-type]  # literal() refuses what it does not know


def bind(template: str, **values: Value | list[str] | tuple[str, ...]) -> str:
    """Return the query with each ``{name}`` replaced by its quoted value."""
    return _Binder().vformat(template, (), values)
