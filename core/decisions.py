"""Answers to "may this happen?" that carry their reason.

The same object disables the button, fills the text beside it and becomes the body of the refusal,
so the page and the service can never disagree about why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes."""

    code: Literal[""] = ""
    reason: Literal[""] = ""

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True, slots=True)
class Denied:
    """No, with a stable code and a sentence that a person can act on."""

    code: str
    reason: str

    def __bool__(self) -> Literal[False]:
        return False


Answer = Allowed | Denied
