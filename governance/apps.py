"""Registers governance with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class GovernanceConfig(AppConfig):
    """Collects what every app declares: its capabilities and its events."""

    name = "governance"

    def ready(self) -> None:
        """Import ``capabilities`` and ``events`` of every installed app."""
        autodiscover_modules("capabilities", "events")
