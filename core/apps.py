"""Registers core with Django: it owns no tables, only shared SQL functions."""

from __future__ import annotations

from django.apps import AppConfig

from core import converters


class CoreConfig(AppConfig):
    """The ground floor as a Django application."""

    name = "core"

    def ready(self) -> None:
        """Register the URL converters before any URL is read."""
        converters.register_all()
