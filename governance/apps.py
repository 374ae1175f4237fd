"""Registers governance with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from core import refs


class GovernanceConfig(AppConfig):
    """Collects what every app declares: its capabilities and its events."""

    name = "governance"

    def ready(self) -> None:
        """Import ``capabilities`` and ``events`` of every installed app, and say where pages are."""
        autodiscover_modules("capabilities", "events")
        refs.register_route("A", "governance:approval")
        refs.register_route("H", "governance:event")
        refs.register_route("P", "governance:policy")
