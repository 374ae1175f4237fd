"""The demo as an app: its command and its one event."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Make `manage.py demo` known."""

    name = "demo"

    def ready(self) -> None:
        """Register the event."""
        from demo import events  # noqa: F401 - registers by being imported
