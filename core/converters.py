"""URL converters for public ids: ``path("<ref_R:pk>/", …)`` gives the number of a release."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import get_converters

from core import ids


class RefConverter:
    """Reads ``R-42`` into 42 and writes 42 (or a row) as ``R-42``."""

    prefix = ""
    regex = ""

    def to_python(self, value: str) -> int:
        """Drop the prefix."""
        return int(value.partition("-")[2])

    def to_url(self, value: object) -> str:
        """Write a number, or an entity with a ``pk``, as its public id."""
        return ids.format_ref(self.prefix, int(getattr(value, "pk", value)))  # type: ignore[call-overload]


def register_all() -> None:
    """Register one converter per prefix; calling it again changes nothing."""
    known = get_converters()
    for prefix in ids.PREFIXES:
        name = f"ref_{prefix}"
        if name not in known:
            members = {"prefix": prefix, "regex": f"{prefix}-{ids.NUMBER}"}
            register_converter(type(f"Ref{prefix}Converter", (RefConverter,), members), name)
