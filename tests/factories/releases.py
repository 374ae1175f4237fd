"""More of what a company at work leaves behind: long histories, long releases, long failures.

``tests.support.company`` makes the company; these grow it, so that tests can compare a page of a
young installation with the same page of an old one.
"""

from __future__ import annotations

from datetime import timedelta

from releases.models import (
    Artefact,
    Build,
    Candidate,
    Change,
    ChangeCommit,
    Commit,
    ComponentConflict,
    Deployment,
    Release,
    ReleaseChange,
    StepMessage,
)
from releases.services import releases
from releases.states import (
    CandidateState,
    DeploymentState,
    Purpose,
    StepKind,
)
from tests.support.company import Company, acting, hex_of
from tests.support.company.work import package, packaged, run
from tests.support.databases import as_role
from tests.support.moves import reach

TYPES = ("ApexClass", "CustomField", "Flow", "Layout", "PermissionSet", "SharingRules")


def changes(release: Release, number: int, *, team: str = "Sales", first: int = 0) -> None:
    """Let a release change this many more components of every kind in production."""
    with as_role("owner"):
        ReleaseChange.objects.bulk_create(
            ReleaseChange(
                release=release,
                artefact=release.artefact,
                type=TYPES[place % len(TYPES)],
                name=f"Component_{place:04d}",
                kind=ReleaseChange.Kind.ADDED if place % 3 else ReleaseChange.Kind.CHANGED,
                teams=[team],
                summary="",
            )
            for place in range(first, first + number)
        )


def same(release: Release, number: int) -> None:
    """Let a release hold components that production has already."""
    with as_role("owner"):
        ReleaseChange.objects.bulk_create(
            ReleaseChange(
                release=release,
                artefact=release.artefact,
                type="Layout",
                name=f"Same_{place:04d}",
                kind=ReleaseChange.Kind.SAME,
                teams=["Sales"],
            )
            for place in range(number)
        )


def past_deployments(company: Company, number: int) -> list[Deployment]:
    """Deployments of one build to Sales CI, one after the other, all done."""
    return [
        run(
            company,
            Purpose.BUILD,
            "Sales CI",
            package(f"past {place} of {number}"),
            build=company.builds["sales 2"],
            began=20_000 - 20 * place,
        )
        for place in range(number)
    ]


def past_releases(company: Company, number: int) -> list[Release]:
    """Empty releases, one after the other, closed."""
    found = []
    with acting(company.people["marek"]):
        for place in range(number):
            release = releases.create(title=f"Train {place}", bump="patch")
            found.append(releases.close(release_id=release.pk))
    return found


def past_candidates(company: Company, slug: str, number: int) -> list[Candidate]:
    """Candidates of a team that nobody offers any more."""
    lead = company.people["priya" if slug == "sales" else "tomas"]
    rows = [
        Candidate.objects.create(
            repository=company.repositories[slug],
            team=company.teams[slug],
            tag=f"v0.{place}",
            sha=hex_of(f"{slug} old {place}")[:40],
            created_by=lead,
        )
        for place in range(number)
    ]
    for row in rows:
        reach(row, CandidateState.REJECTED)
    return rows


def build(company: Company, slug: str, state: str) -> Build:
    """A build of a team's oldest commit, in a state."""
    row = Build.objects.create(
        repository=company.repositories[slug], sha=company.commits[f"{slug} 0"].sha, branch="main"
    )
    reach(row, state)
    return row


def candidate(company: Company, slug: str, tag: str, state: str, message: str = "") -> Candidate:
    """A tag of a team's newest commit, in a state."""
    row = Candidate.objects.create(
        repository=company.repositories[slug],
        team=company.teams[slug],
        tag=tag,
        sha=company.commits[f"{slug} 3"].sha,
        created_by=company.people["priya" if slug == "sales" else "tomas"],
        message=message,
    )
    packaged(row, artefact=package(f"{slug} {tag}"))
    reach(row, state)
    return row


def offered(
    company: Company,
    slug: str,
    tag: str,
    *,
    sha: str = "",
    commits: int = 1,
    artefact: Artefact | None = None,
) -> Candidate:
    """A candidate that a release manager may add to a release."""
    lead = company.people["priya" if slug == "sales" else "tomas"]
    row = Candidate.objects.create(
        repository=company.repositories[slug],
        team=company.teams[slug],
        tag=tag,
        sha=sha or company.commits[f"{slug} 3"].sha,
        created_by=lead,
        tested_by=lead,
        tested_at=company.ago(hours=3),
        offered_by=lead,
        offered_at=company.ago(hours=2),
    )
    packaged(
        row,
        artefact=artefact or package(f"{slug} {tag}"),
        commit_count=commits,
    )
    reach(row, CandidateState.OFFERED)
    return row


def merged(company: Company, slug: str, message: str) -> Candidate:
    """A candidate whose newest commit only merges the work item of the one before."""
    before = company.commits[f"{slug} 3"]
    with as_role("build"):
        commit = Commit.objects.create(
            repository=before.repository,
            sha=hex_of(f"{slug} merge")[:40],
            author_name=before.author_name,
            author_email=before.author_email,
            committer_name=before.committer_name,
            committer_email=before.committer_email,
            authored_at=company.ago(hours=4),
            committed_at=company.ago(hours=4),
            message=message,
            on_main=True,
            position=before.position + 1,
        )
        change = Change.objects.get(commit_links__commit=before)
        ChangeCommit.objects.create(change=change, commit=commit)
    return offered(company, slug, "v5.0.0", sha=commit.sha, commits=2)


def conflict(company: Company, release: Release, name: str) -> None:
    """Let two teams collide in a release."""
    with as_role("build"):
        ComponentConflict.objects.create(
            release=release,
            type="CustomObject",
            name=name,
            teams=["Sales", "Service"],
            found_at=company.ago(hours=1),
        )


def messages(deployment: Deployment, number: int, kind: str = "component") -> None:
    """Let the org say this many things about the deployment's writing step."""
    with as_role("deploy"):
        step = deployment.steps.get(kind=StepKind.DEPLOY)
        StepMessage.objects.bulk_create(
            StepMessage(
                step=step,
                kind=kind,
                type="ApexClass",
                name=f"Class_{place:03d}",
                problem=f"Variable does not exist: total_{place}",
            )
            for place in range(number)
        )


def move(deployment: Deployment, state: DeploymentState, minutes: int = 3) -> Deployment:
    """Write the state of a deployment as a worker would."""
    with as_role("deploy"):
        reach(deployment, state)
        if state not in (DeploymentState.RUNNING, DeploymentState.UNKNOWN, DeploymentState.HELD):
            started = deployment.started_at or deployment.created_at
            deployment.finished_at = started + timedelta(minutes=minutes)
        deployment.save(update_fields=["finished_at"])
    return deployment
