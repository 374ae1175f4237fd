"""Names of metadata components."""

from __future__ import annotations

from typing import NamedTuple


class ComponentKey(NamedTuple):
    """A component by metadata type and full name, ordered by both."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type}:{self.name}"
