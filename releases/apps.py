"""App of builds, releases and deployments."""

from __future__ import annotations

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Registers the app; events, capabilities and jobs are registered by their modules."""

    name = "releases"
    default_auto_field = "django.db.models.BigAutoField"
