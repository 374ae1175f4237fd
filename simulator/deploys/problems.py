"""A complaint about a part, as the checks give it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint: text and place; without a path it is the part's own file."""

    text: str
    line: int = 0
    column: int = 0
    path: str = ""
