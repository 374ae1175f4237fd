"""Package commits: a build for the team's CI org, a candidate for its TEST org."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from core import db
from core.errors import DomainError, ExternalFault, NotNow
from governance import notices
from governance.selectors import people
from jobs.registry import Claim, Next
from metadata.source import read_commit, read_with_warnings
from releases import gateways
from releases.models import Artefact, Build, Candidate, Commit, Deployment, Repository
from releases.selectors import policies
from releases.selectors.released import last_released
from releases.services import builds, candidates, deployments, packaging
from releases.services.outcomes import move_candidate
from releases.states import BuildState, CandidateState, Purpose

WARNINGS_KEPT = 50
COMMITS_MAX = 20_000
"""The most commits whose authors are read for one candidate; nobody is left out silently."""


def build(claim: Claim) -> Next:
    """Turn a queued build's commit into an artefact and send it to the team's CI org."""
    row = Build.objects.select_related("repository__team").get(pk=claim.subject_id)
    if row.state not in (BuildState.QUEUED, BuildState.BUILDING):
        return Next.done()
    if row.state == BuildState.QUEUED:
        with transaction.atomic():
            claim.guard()
            builds.move(row, BuildState.BUILDING)
    claim.renew(600)
    try:
        form, warnings = read_with_warnings(gateways.mirror_of(row.repository), row.sha)
        artefact = packaging.keep(form)
        with transaction.atomic():
            claim.guard()
            _send_build(row, artefact, warnings)
    except DomainError as fault:
        if isinstance(fault, ExternalFault) and fault.retryable:
            raise
        _build_failed(claim, row, fault)
    return Next.done()


def _send_build(row: Build, artefact: Artefact, warnings: Sequence[str]) -> None:
    ci = candidates.stage_of(row.repository.team, "CI")
    shown = [warning[:500] for warning in warnings[:WARNINGS_KEPT]]
    builds.move(row, BuildState.DEPLOYING, artefact=artefact, warnings=shown)
    builds.record("build.packaged", row, artefact=str(artefact))
    older = Deployment.objects.filter(environment=ci, purpose=Purpose.BUILD)
    deployments.supersede(older, f"{row.public_id} of {row.sha[:7]} is newer")
    for stale in Build.objects.filter(
        repository=row.repository,
        state=BuildState.DEPLOYING,
        deployments__state="superseded",
    ):
        builds.move(stale, BuildState.SUPERSEDED)
        builds.record("build.superseded", stale)
    deployments.plan(
        purpose=Purpose.BUILD,
        environment=ci,
        artefact=artefact,
        build=row,
        only_differing=row.repository.build_scope == Repository.BuildScope.DELTA,
        policy_version=policies.in_force(ci),
    )


@transaction.atomic
def _build_failed(claim: Claim, row: Build, fault: DomainError) -> None:
    claim.guard()
    builds.move(row, BuildState.FAILED, message=fault.message, finished_at=db.database_now())
    builds.record("build.failed", row, problem=fault.message)
    team = row.repository.team
    url = notices.absolute(row.get_absolute_url())
    notices.send(
        people.members(team),
        f"{team.name}: build of {row.sha[:7]} failed",
        f"{fault.message}\n\nOpen it: {url}",
        related=[row.public_id],
    )


def candidate(claim: Claim) -> Next:
    """Turn a candidate's commit into an artefact and send it to the team's TEST org."""
    row = Candidate.objects.select_related("repository__team", "team", "created_by").get(
        pk=claim.subject_id
    )
    if row.state != CandidateState.BUILDING:
        return Next.done()
    claim.renew(600)
    try:
        artefact = packaging.keep(read_commit(gateways.mirror_of(row.repository), row.sha))
        with transaction.atomic():
            claim.guard()
            _send_candidate(row, artefact)
    except DomainError as fault:
        if isinstance(fault, ExternalFault) and fault.retryable:
            raise
        with transaction.atomic():
            claim.guard()
            move_candidate(row, CandidateState.FAILED, message=fault.message)
            candidates.record("candidate.failed", row, problem=fault.message)
    return Next.done()


def _send_candidate(row: Candidate, artefact: Artefact) -> None:
    test = candidates.stage_of(row.team, "TEST")
    commits = _commits_since_production(row)
    people_named = {
        (person[1].strip().lower(), person[0])
        for commit in commits
        for person in (
            (commit.author_name, commit.author_email),
            (commit.committer_name, commit.committer_email),
            *commit.co_authors,
        )
    }
    named = dict(sorted(people_named))
    move_candidate(
        row,
        CandidateState.TESTING,
        artefact=artefact,
        commit_count=len(commits),
        oldest_commit_at=_work_began(row, commits),
        contributors=[{"email": email, "name": name} for email, name in named.items()],
    )
    candidates.record("candidate.packaged", row, artefact=str(artefact))
    deployments.plan(
        purpose=Purpose.TEST,
        environment=test,
        artefact=artefact,
        candidate=row,
        requester=row.created_by,
        policy_version=policies.in_force(test),
    )


def _work_began(row: Candidate, commits: Sequence[Commit]) -> datetime | None:
    """Since when whoever was a member may have had a hand in it; None: since ever.

    Dates in commits are what their authors write, so they only make it earlier: it is never later
    than when Gatehouse first saw the oldest of them, nor than the candidate itself.
    """
    moments = [moment for each in commits for moment in (each.authored_at, each.first_seen_at)]
    return min(*moments, row.created_at) if moments else None


def _commits_since_production(row: Candidate) -> list[Commit]:
    """Commits that this candidate brings: those since the one that production holds.

    Code ``candidate.too_many_commits``: beyond ``COMMITS_MAX`` some authors would go unread.
    """
    base = last_released(row)
    mirror = gateways.mirror_of(row.repository)
    not_in = [base.sha] if base else []
    found = mirror.commits(row.sha, not_in=not_in, limit=COMMITS_MAX + 1)
    if len(found) > COMMITS_MAX:
        raise NotNow(
            "candidate.too_many_commits",
            f"{row.tag} brings more than {COMMITS_MAX:,} commits since the last release, so "
            "Gatehouse cannot tell who wrote all of them. Choose a tag with a shorter history, "
            "such as a branch whose old commits were squashed.",
        )
    known = Commit.objects.filter(repository=row.repository, sha__in=[each.sha for each in found])
    rows = {commit.sha: commit for commit in known}
    extra = [
        Commit(
            sha=commit.sha,
            author_name=commit.author_name,
            author_email=commit.author_email,
            committer_name=commit.committer_name,
            committer_email=commit.committer_email,
            co_authors=[list(pair) for pair in commit.co_authors],
            authored_at=commit.authored_at,
        )
        for commit in found
        if commit.sha not in rows
    ]
    return [*rows.values(), *extra]
