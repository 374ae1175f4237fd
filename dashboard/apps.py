"""Django application dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.urls import reverse

if TYPE_CHECKING:
    from environments.models import Environment


class DashboardConfig(AppConfig):
    """Puts fragments of releases on pages of environments, which cannot know that app."""

    name = "dashboard"

    def ready(self) -> None:
        """Register the panels once all models are loaded."""
        from environments import pages

        pages.register_panel("Deployments of this org", deployments_panel)


def deployments_panel(environment: Environment) -> str:
    """Return the address of the fragment with an org's newest deployments."""
    return reverse("releases:environment_panel", kwargs={"pk": environment.pk})
