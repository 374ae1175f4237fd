"""After a refresh: an environment is brought to what its track should hold."""

from __future__ import annotations

from django.db import transaction

from core.errors import NotNow
from environments.models import Environment
from governance.permissions import acting_person, demand
from releases.models import Build, Candidate, Deployment
from releases.selectors import outlook, policies
from releases.services import deployments
from releases.states import Purpose


@transaction.atomic
def bring(*, environment_id: int) -> Deployment:
    """Deploy the last candidate or green build once more; neither's own state changes.

    Codes: ``environment.nothing_to_bring`` and ``deployment.not_connected``.
    """
    environment = Environment.objects.select_related("track__team", "policy").get(pk=environment_id)
    found = outlook.to_bring(environment)
    if found is None or found.artefact is None:
        raise NotNow(
            "environment.nothing_to_bring",
            f"There is nothing that {environment.name} would have to be brought to.",
        )
    if isinstance(found, Candidate):
        demand("candidate.create", team=found.team)
    else:
        demand("build.start", team=found.repository.team)
    return deployments.plan(
        purpose=Purpose.TEST if isinstance(found, Candidate) else Purpose.BUILD,
        environment=environment,
        artefact=found.artefact,
        requester=acting_person(),
        candidate=found if isinstance(found, Candidate) else None,
        build=found if isinstance(found, Build) else None,
        policy_version=policies.in_force(environment),
    )
