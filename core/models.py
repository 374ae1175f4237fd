"""What every table of the product has in common."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from core import clock, ids


class Entity(models.Model):
    """A row that people and outside systems can name.

    Subclasses with a public page set ``PREFIX`` to one of ``core.ids.PREFIXES``.
    """

    PREFIX: ClassVar[str] = ""

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    @property
    def public_id(self) -> str:
        """The short id of this row, such as ``R-42``."""
        return ids.format_ref(self.PREFIX, self.pk)

    @property
    def audit_ref(self) -> str:
        """The name of this row in history; it never changes."""
        return self.public_id if self.PREFIX else f"{self._meta.model_name}:{self.pk}"

    @property
    def audit_label(self) -> str:
        """How a sentence of history names this row."""
        return self.audit_ref
