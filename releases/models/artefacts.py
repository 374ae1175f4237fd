"""The immutable deployable and the components it carries."""

from __future__ import annotations

from django.db import models

from core.models import Entity
from metadata import manifest
from metadata.components import ComponentKey


class Artefact(Entity):
    """Files in metadata format; identity is the SHA-256 of the canonical listing (design 1).

    The zip is only its transport and has its own stored hash (``blob``); workers verify both
    before a call. Rows are never changed.
    """

    digest = models.CharField(max_length=71, unique=True)
    blob = models.CharField(max_length=64)
    zip_size = models.BigIntegerField()
    unzipped_size = models.BigIntegerField()
    file_count = models.PositiveIntegerField()
    component_count = models.PositiveIntegerField()
    api_version = models.CharField(max_length=5)
    manifest = models.JSONField()
    removes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digest__regex=r"^sha256:[0-9a-f]{64}$"),
                name="artefact_digest_form",
            )
        ]

    def __str__(self) -> str:
        return f"A·{self.digest.removeprefix('sha256:')[:7]}"

    @property
    def removed_keys(self) -> list[ComponentKey]:
        """The components that it deletes."""
        return [ComponentKey(type_name, name) for type_name, name in self.removes]

    @property
    def touched(self) -> dict[str, list[str]]:
        """The manifest of everything that it changes or deletes, as an org is asked for it."""
        gone = manifest.of_keys(self.removed_keys)
        return {
            name: sorted({*self.manifest.get(name, ()), *gone.get(name, ())})
            for name in sorted({*self.manifest, *gone})
        }


class ArtefactComponent(models.Model):
    """One component of an artefact with the SHA-256 of its normal form."""

    artefact = models.ForeignKey(Artefact, models.PROTECT, related_name="components")
    type = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["artefact", "type", "name"], name="component_once")
        ]
        indexes = [models.Index(fields=["type", "name"], name="component_by_name")]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}"
