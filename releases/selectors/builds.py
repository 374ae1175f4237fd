"""The page of one build."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from releases.models import Build, Commit, Deployment, StepMessage
from releases.selectors import deployments, messages, sources, words
from releases.states import BUILD


@dataclass(frozen=True, slots=True)
class BuildPage:
    """One commit on its way into the team's CI org."""

    build: Build
    word: words.Word
    commit: sources.CommitRow | None
    deployments: tuple[deployments.DeploymentRow, ...]
    said: tuple[messages.MessageRow, ...]
    newer: Build | None

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.build.state in BUILD.terminal


def find(pk: int) -> Build | None:
    """The build with everything its page names."""
    rows = Build.objects.select_related("repository__team", "artefact")
    return rows.filter(pk=pk).first()


def load(build: Build, now: datetime) -> BuildPage:
    """Everything on a build's page, in a fixed number of queries."""
    mine = deployments.with_names(Deployment.objects.filter(build=build))
    commits = Commit.objects.filter(repository=build.repository, sha=build.sha)
    rows = sources.commit_rows(build.repository, commits)
    said = StepMessage.objects.filter(step__deployment__build=build)
    newer = Build.objects.filter(repository=build.repository, pk__gt=build.pk).order_by("-pk")
    return BuildPage(
        build=build,
        word=words.build(build),
        commit=rows[0] if rows else None,
        deployments=tuple(deployments.rows_of(mine.order_by("-pk")[:20], now)),
        said=tuple(
            messages.message_row(message) for message in said.order_by(*messages.GRAVEST_FIRST)[:20]
        ),
        newer=newer.first(),
    )
