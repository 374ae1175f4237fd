"""Registers environments with Django."""

from __future__ import annotations

from django.apps import AppConfig

from core import refs


class EnvironmentsConfig(AppConfig):
    """Says where the pages are, and what is asked about a freeze."""

    name = "environments"

    def ready(self) -> None:
        """Register the public ids and the subject of approvals."""
        from environments import protection
        from governance import governed

        governed.register("environments", protection.policies_in_force)
        refs.register_route("E", "environments:detail")
        refs.register_route("F", "environments:freeze")
        refs.register_route("M", "environments:maintenance")
        refs.register_route("S", "environments:snapshot")
        from environments.services import calendar, lifting
        from governance.approvals import subjects

        subjects.register(calendar.LIFT_KIND, outcome=lifting.outcome, describe=lifting.describe)
