"""Short lists for fragments on the pages of other apps."""

from __future__ import annotations

from dataclasses import dataclass

from environments.models import Environment
from releases.models import Deployment, Repository
from releases.selectors import candidates, collisions, deployments, sources, words

ROWS = 6


@dataclass(frozen=True, slots=True)
class TeamPanel:
    """A team's newest builds and candidates, and where it meets other teams."""

    repository: Repository
    health: words.Word
    builds: tuple[sources.BuildRow, ...]
    candidates: tuple[candidates.CandidateRow, ...]
    collisions: tuple[collisions.CollisionRow, ...]


def of_team(repository: Repository) -> TeamPanel:
    """The panel of a team's page."""
    builds = repository.builds.select_related("artefact").order_by("-pk")[:ROWS]
    rows = repository.candidates.select_related("team").order_by("-pk")[:ROWS]
    return TeamPanel(
        repository=repository,
        health=sources.HEALTH[Repository.Health(repository.health)],
        builds=tuple(sources.build_rows(repository, builds)),
        candidates=tuple(candidates.rows_of(list(rows))),
        collisions=collisions.of_team(repository.team),
    )


def of_environment(environment: Environment) -> list[deployments.DeploymentRow]:
    """The newest deployments to an environment."""
    rows = deployments.with_names(Deployment.objects.filter(environment=environment))
    return deployments.rows_of(rows.order_by("-pk")[:ROWS])
