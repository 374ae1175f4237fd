"""Public short ids such as ``R-42``: a prefix per kind and the row's number.

They stand in URLs and sentences. The table below is the only list of prefixes.
"""

from __future__ import annotations

import re

PREFIXES: dict[str, str] = {
    "A": "approval request",
    "B": "build",
    "C": "candidate",
    "D": "deployment",
    "E": "environment",
    "F": "freeze",
    "G": "break-glass",
    "H": "history event",
    "M": "maintenance",
    "K": "evidence pack",
    "P": "policy",
    "Q": "sandbox request",
    "R": "release",
    "S": "snapshot",
}
"""Prefix and the word for its kind."""

NUMBER = r"[1-9][0-9]{0,17}"
REFERENCE = re.compile(rf"\b([{''.join(PREFIXES)}])-({NUMBER})\b")
"""Finds public ids inside a sentence."""


def format_ref(prefix: str, number: int) -> str:
    """Write the public id of a row."""
    if prefix not in PREFIXES:
        raise ValueError(f"{prefix!r} is not a registered prefix")
    return f"{prefix}-{number}"


def parse_ref(text: str) -> tuple[str, int] | None:
    """Read a public id; None when the text is not exactly one."""
    match = REFERENCE.fullmatch(text)
    return (match[1], int(match[2])) if match else None
