"""Registers governance with Django."""

from __future__ import annotations

import sys

from django.apps import AppConfig, apps
from django.utils.module_loading import autodiscover_modules

from core import refs
from governance.events import register_events


class GovernanceConfig(AppConfig):
    """Collects what every app declares: its capabilities and its events."""

    name = "governance"

    def ready(self) -> None:
        """Read ``capabilities`` and ``events`` of every installed app, and say where pages are."""
        autodiscover_modules("capabilities", "events")
        for app in apps.get_app_configs():
            declared = sys.modules.get(f"{app.name}.events")
            if declared is not None:
                register_events(getattr(declared, "EVENTS", {}))
        refs.register_route("A", "governance:approval")
        refs.register_route("H", "governance:event")
        refs.register_route("P", "governance:policy")
