"""Registers jobs with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from core import grants


class JobsConfig(AppConfig):
    """Queue of rows that want attention; also applies the grants after a migration."""

    name = "jobs"

    def ready(self) -> None:
        """Connect the grants to the end of ``migrate`` (once: this app is always migrated)."""
        post_migrate.connect(grants.apply_after_migrate, sender=self)
