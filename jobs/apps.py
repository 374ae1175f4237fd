"""Registers jobs with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from core import grants
from jobs import registry


class JobsConfig(AppConfig):
    """Queue of rows that want attention; also applies the grants after a migration."""

    name = "jobs"

    def ready(self) -> None:
        """Find the handlers; connect the grants to the end of ``migrate``.

        To this app's own signal only: it is sent once per app, and this one is always migrated.
        """
        registry.autodiscover()
        post_migrate.connect(grants.apply_after_migrate, sender=self)
