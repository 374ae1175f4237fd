"""Registers environments with Django."""

from __future__ import annotations

from django.apps import AppConfig

from core import refs


class EnvironmentsConfig(AppConfig):
    """Says where the pages of environments and snapshots are."""

    name = "environments"

    def ready(self) -> None:
        """Register the public ids before any sentence links them."""
        refs.register_route("E", "environments:detail")
        refs.register_route("F", "environments:freeze")
        refs.register_route("M", "environments:maintenance")
        refs.register_route("S", "environments:snapshot")
