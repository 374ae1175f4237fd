"""Registers governance with Django."""

from __future__ import annotations

import sys
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from core import refs
from core.grants import OWNER_ALIAS
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
        # Sent after that of jobs, which applies the grants: apps come in the order of the settings.
        post_migrate.connect(_keep_guards, sender=self)
        from governance.approvals import subjects
        from governance.services import matters
        from governance.states import MatterKind

        for kind in MatterKind:
            subjects.register(kind, outcome=matters.outcome, describe=matters.describe)
        refs.register_route("A", "governance:approval")
        refs.register_route("H", "governance:event")
        refs.register_route("P", "governance:policy")
        # Imported here: models may not be touched before every app is ready.
        from governance import policy_changes
        from governance.approvals import subjects

        subjects.register(
            policy_changes.KIND,
            outcome=policy_changes.outcome,
            describe=policy_changes.describe,
        )


def _keep_guards(sender: AppConfig, using: str, **_: Any) -> None:
    """Keep how the guards stand after a migration; every verification compares them with it."""
    if using == OWNER_ALIAS:
        # Imported here: models may not be touched before every app is ready.
        from governance.services import guards

        guards.write_manifest(using)
