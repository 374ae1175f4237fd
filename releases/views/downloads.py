"""Tables as files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the text, so that the csv writer's line can be sent on."""
        return text


def csv_response(name: str, lines: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """Send lines as a CSV file, one at a time."""
    response = StreamingHttpResponse(_written(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _written(lines: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for line in lines:
        yield writer.writerow([_harmless(value) for value in line])


def _harmless(value: object) -> str:
    """Text that no spreadsheet takes for a formula: names and messages come from outside."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
