"""Builds of commits: one commit, one artefact, one deployment to the team's CI org."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core.errors import Conflict, NotFound
from governance import audit
from governance.permissions import demand
from jobs.wake import wake
from releases.models import Build, Commit, Repository
from releases.states import BUILD, BuildState

KIND = "releases.build"


def record(event: str, build: Build, **facts: Any) -> None:
    """Write an event about a build."""
    audit.record(event, build, team=build.repository.team, facts={"commit": build.sha, **facts})


def queue(repository: Repository, sha: str, branch: str) -> Build | None:
    """Queue a build of a commit unless it was built before; older queued builds step aside."""
    if Build.objects.filter(repository=repository, sha=sha).exists():
        return None
    for older in Build.objects.select_for_update(no_key=True).filter(
        repository=repository, state=BuildState.QUEUED
    ):
        move(older, BuildState.SUPERSEDED)
        record("build.superseded", older)
    build = Build.objects.create(repository=repository, sha=sha, branch=branch)
    record("build.queued", build)
    wake(KIND, build.pk)
    return build


def move(build: Build, state: BuildState, **columns: Any) -> None:
    """Move a locked build and write the named columns with it."""
    BUILD.check(BuildState(build.state), state)
    build.state = state
    for name, value in columns.items():
        setattr(build, name, value)
    build.save(update_fields=["state", *columns])


@transaction.atomic
def start(*, repository_id: int, sha: str) -> Build:
    """Build a commit by hand, for instance one on a feature branch."""
    repository = Repository.objects.select_related("team").get(pk=repository_id)
    demand("build.start", team=repository.team)
    commit = Commit.objects.filter(repository=repository, sha__startswith=sha.strip()).first()
    if len(sha.strip()) < 7 or commit is None:
        raise NotFound(
            "commit.unknown",
            f"{repository.team.name}'s repository has no commit {sha.strip()[:12]}. "
            "Fetch it first.",
        )
    build = queue(repository, commit.sha, repository.main_branch if commit.on_main else "")
    if build is None:
        raise Conflict("build.exists", f"Commit {commit.sha[:7]} was built before.")
    return build
