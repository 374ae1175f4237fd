"""Work item keys in what developers write.

A key is looked for in the ``Change:`` trailer, then in the first line of the message and in the
names of merged branches; ``ABC-123`` is the form that Jira, Azure Boards and most trackers use.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"\b([A-Z][A-Z0-9]{1,9}-\d{1,7})\b")
_TRAILER = re.compile(r"^(?:Change|Refs|Ticket|Issue|Work-Item):\s*(.+)$", re.I | re.M)


def keys(message: str) -> list[str]:
    """Work item keys that a commit message names, each once, trailers first."""
    found: list[str] = []
    places = [*_TRAILER.findall(message), message.split("\n", 1)[0]]
    for place in places:
        for key in _KEY.findall(place):
            if key not in found:
                found.append(key)
    return found
