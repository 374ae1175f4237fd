"""App of builds, releases and deployments."""

from __future__ import annotations

from django.apps import AppConfig

from core import refs


class ReleasesConfig(AppConfig):
    """Tells the apps below what they show of this one, without them knowing it."""

    name = "releases"

    def ready(self) -> None:
        """Register public ids, the subject of approvals, what waits for people and counts."""
        for prefix, route in (
            ("B", "releases:build"),
            ("C", "releases:candidate"),
            ("D", "releases:deployment"),
            ("K", "releases:evidence_pack"),
            ("G", "releases:break_glass"),
            ("R", "releases:release"),
        ):
            refs.register_route(prefix, route)
        from environments.selectors import register_edge_counts
        from environments.services import calendar, orgs
        from environments.services.sandboxes import outlook as sandbox_outlook
        from governance import inbox
        from governance.approvals import subjects
        from governance.policies import register_uses
        from releases.selectors import edges, outlook, policies, waiting
        from releases.services import approval, deployments, releases

        for kind in releases.KINDS:
            subjects.register(kind, outcome=approval.outcome, describe=approval.describe)
        inbox.register(waiting.waiting_for)
        register_edge_counts(edges.edges)
        sandbox_outlook.register("releases", outlook.of)
        calendar.register_waker(deployments.wake_held)
        register_uses("releases", policies.uses)
        orgs.register_questions("releases", policies.questions)
