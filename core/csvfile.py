"""CSV files that no spreadsheet program takes for formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

from core.names import unseen_before

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
"""A cell that begins like this would be run as a formula (OWASP, CSV injection)."""

_SEPARATOR = re.compile('[",;\t\r\n]')


def cell(value: object) -> str:
    """Write a value as text; what a spreadsheet would run gets an apostrophe in front."""
    text = "" if value is None else str(value)
    if text[:1].isascii() and text[:1].isalnum():
        return text
    start = 0 if text.startswith(DANGEROUS) else unseen_before(text)
    return f"'{text}" if text.startswith(DANGEROUS, start) else text


def lines(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180), one row at a time."""
    yield _line(head)
    for row in rows:
        yield _line(cell(value) for value in row)


def _line(cells: Iterable[str]) -> str:
    return (",".join(map(_quoted, cells)) or '""') + "\r\n"


def _quoted(text: str) -> str:
    """Quote what holds a separator of any country, so that no cell is cut into two."""
    if not _SEPARATOR.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def response(
    name: str, head: Iterable[str], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """Stream a CSV file to the browser with flat memory; ``name`` is plain ASCII."""
    answer = StreamingHttpResponse(lines(head, rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
