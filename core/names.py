"""Names that people type, as they are stored: two that look the same are the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
"""Categories of characters that turn the direction of writing or cannot be seen."""

_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that are drawn as nothing."""


def plain(text: str) -> str:
    """Return a name on one line, composed (NFC), with single blanks and nothing unseen in it."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    seen = "".join(sign for sign in composed if unicodedata.category(sign) not in UNSEEN)
    return " ".join(_BLANK.sub("", seen).split())


def unseen_before(text: str) -> int:
    """Return how many blanks and unseen characters a text begins with."""
    for index, sign in enumerate(text):
        if not (sign.isspace() or unicodedata.category(sign) in UNSEEN or _BLANK.match(sign)):
            return index
    return len(text)
