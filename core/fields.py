"""Model fields and constraints shared by the apps."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    Text = models.TextField[str, str]
else:
    Text = models.TextField


class DigestField(Text):
    """A digest ``sha256:<64 hex digits>``, held to that form by the database."""

    def db_check(self, connection: Any) -> str:
        """Return the SQL condition that Django puts on the column."""
        return f"\"{self.column}\" ~ '^sha256:[0-9a-f]{{64}}$'"


def one_of(field: str, states: type[StrEnum], name: str) -> models.CheckConstraint:
    """Hold a text column to the values of an enumeration."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": sorted(str(state) for state in states)}), name=name
    )
