"""A complaint about a part, as the checks give it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint: text and place; without a path it is the part's own file.

    A guess is not sure enough to refuse anything: it goes to the operator's warnings. Something
    that is missing is told only when nothing else is wrong with the part.
    """

    text: str
    line: int = 0
    column: int = 0
    path: str = ""
    guess: bool = False
    missing: bool = False
