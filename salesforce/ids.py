"""Record ids: 15 characters with meaningful case, or 18 with a checksum of that case."""

from __future__ import annotations

import re

from core.errors import InvalidInput

ORGANIZATION_PREFIX = "00D"

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


def checksum(short: str) -> str:
    """Return the three characters that follow a 15-character id: each holds the case of five."""
    return "".join(
        _ALPHABET[sum(1 << i for i, char in enumerate(short[at : at + 5]) if "A" <= char <= "Z")]
        for at in (0, 5, 10)
    )


def is_id(text: str) -> bool:
    """Say whether the text has the shape of an id and, at 18 characters, the right checksum."""
    if not _SHAPE.fullmatch(text):
        return False
    return len(text) == 15 or checksum(text[:15]) == text[15:].upper()


def long_id(text: str) -> str:
    """Return the 18-character form. Raises InvalidInput ``id.malformed``."""
    if not is_id(text):
        raise InvalidInput(
            "id.malformed",
            f"“{text[:40]}” is not a Salesforce id: it has 15 or 18 letters and digits, "
            "copied with upper and lower case as they are.",
        )
    return text[:15] + checksum(text[:15])


def organization_id(text: str) -> str:
    """Return the 18-character organisation id. Raises InvalidInput ``id.not_an_organization``."""
    value = long_id(text.strip())
    if not value.startswith(ORGANIZATION_PREFIX):
        raise InvalidInput(
            "id.not_an_organization",
            f"“{text[:40]}” is not an organisation id, which starts with 00D. "
            "Setup › Company Information shows it.",
        )
    return value
