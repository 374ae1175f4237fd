"""App of builds, releases and deployments."""

from __future__ import annotations

from django.apps import AppConfig

from core import refs


class ReleasesConfig(AppConfig):
    """Says where the pages of this app's objects are, and what the board is asked about."""

    name = "releases"

    def ready(self) -> None:
        """Register public ids and the subject of approvals before the first request."""
        for prefix, route in (
            ("B", "releases:build"),
            ("C", "releases:candidate"),
            ("D", "releases:deployment"),
            ("R", "releases:release"),
        ):
            refs.register_route(prefix, route)
        from governance.approvals import subjects
        from releases.services import approval, releases

        subjects.register(
            releases.SUBJECT_KIND, outcome=approval.outcome, describe=approval.describe
        )
