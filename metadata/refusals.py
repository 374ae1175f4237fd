"""Refusals that several steps of reading metadata share."""

from __future__ import annotations

from core.errors import InvalidInput


class UnsupportedType(InvalidInput):
    """A file whose metadata type is not known; it is named, never dropped in silence."""

    def __init__(self, path: str, type_name: str) -> None:
        super().__init__(
            "metadata.unsupported_type",
            f"{path} is {type_name}, which Gatehouse cannot package. "
            "Correct its name, take it out of the package directory, or list it in .forceignore.",
            type=type_name,
            path=path,
        )


def duplicate(what: str, first: str, second: str) -> InvalidInput:
    """One component, defined by two files with different content."""
    return InvalidInput(
        "metadata.duplicate",
        f"{what} is defined twice with different content: by {first} and by {second}. Keep one.",
        path=second,
    )
