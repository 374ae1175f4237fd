"""Django application dashboard."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Name the application; its label is the package's name."""

    name = "dashboard"
