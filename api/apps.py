"""Django application api."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Name the application; its label is the package's name."""

    name = "api"
