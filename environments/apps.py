"""Registers environments with Django."""

from __future__ import annotations

from django.apps import AppConfig

from core import refs


class EnvironmentsConfig(AppConfig):
    """Says where the pages are, and what is asked about a freeze."""

    name = "environments"

    def ready(self) -> None:
        """Register the public ids and the subject of approvals."""
        from environments import protection, selectors_policies
        from environments.services import calendar, lifting, orgs, policies
        from environments.services.sandboxes import facts, requests
        from environments.services.sandboxes import policies as sandbox_policies
        from governance import governed
        from governance.approvals import subjects
        from governance.policies import register_uses

        governed.register("environments", protection.policies_in_force)
        refs.register_route("E", "environments:detail")
        refs.register_route("F", "environments:freeze")
        refs.register_route("M", "environments:maintenance")
        refs.register_route("Q", "environments:sandbox_request")
        refs.register_route("S", "environments:snapshot")
        subjects.register(calendar.LIFT_KIND, outcome=lifting.outcome, describe=lifting.describe)
        subjects.register(policies.KIND, outcome=policies.outcome, describe=policies.describe)
        subjects.register(facts.KIND, outcome=requests.outcome, describe=requests.describe)
        register_uses("sandboxes", sandbox_policies.uses)
        orgs.register_questions("sandboxes", requests.questions)
        register_uses("environments", selectors_policies.uses)
        orgs.register_questions("policies", policies.questions)
