"""Long technical names that fit a phone."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

LONGEST = 24
_PLACES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[._/:\-])(?=[^._/:\-])")


@register.filter
def breakable(name: str) -> SafeString:
    """Let a browser break a long name between its words: ``RenewalQuote|Test.|works``.

    Copying gives the name without the breaks. A piece that is still too long breaks anywhere.
    """
    if len(name) <= LONGEST:
        return escape(name)
    pieces = [
        piece[start : start + LONGEST]
        for piece in _PLACES.split(name)
        for start in range(0, max(len(piece), 1), LONGEST)
    ]
    return mark_safe("<wbr>".join(escape(piece) for piece in pieces))  # noqa: S308  (escaped)
