"""What teams and workers did: commits, builds, candidates and deployments."""

from __future__ import annotations

from typing import Any

from releases.models import (
    Artefact,
    Build,
    Candidate,
    Change,
    ChangeCommit,
    Commit,
    Deployment,
    GitRef,
    Repository,
    Step,
    StepMessage,
)
from releases.services import deployments
from releases.states import (
    BuildState,
    CandidateState,
    DeploymentState,
    Purpose,
    StepKind,
    StepState,
)
from tests.support.company.house import hold
from tests.support.company.rows import LONG_CLASS, Company, acting, hex_of
from tests.support.databases import as_role
from tests.support.moves import reach


def repository(company: Company, slug: str) -> None:
    repository = Repository.objects.create(
        team=company.teams[slug],
        url=f"https://git.northwind.example/{slug}.git",
        health="ok",
        fetched_at=company.ago(minutes=2),
        format="source",
        main_sha=hex_of(f"{slug} 3")[:40],
    )
    company.repositories[slug] = repository
    author = company.people["lena" if slug == "sales" else "chloe"]
    with as_role("build"):
        change = Change.objects.create(
            team=company.teams[slug],
            key=f"{slug[:3].upper()}-12",
            title="Households on accounts",
            first_seen_at=company.ago(days=9),
        )
        for number in range(4):
            commit = Commit.objects.create(
                repository=repository,
                sha=hex_of(f"{slug} {number}")[:40],
                author_name=author.full_name,
                author_email=author.email,
                committer_name=author.full_name,
                committer_email=author.email,
                authored_at=company.ago(days=9 - 2 * number),
                committed_at=company.ago(days=9 - 2 * number),
                message=f"{change.key} Give renewal quotes the household discount, part {number}",
                on_main=True,
                position=number,
            )
            ChangeCommit.objects.create(change=change, commit=commit)
            company.commits[f"{slug} {number}"] = commit
        for kind, name, number in (
            ("branch", "main", 3),
            ("tag", "v1.0.0", 1),
            ("tag", "v1.1.0", 2),
        ):
            GitRef.objects.create(
                repository=repository,
                kind=kind,
                name=name,
                sha=company.commits[f"{slug} {number}"].sha,
                seen_at=company.ago(days=3),
            )


def package(name: str, components: int = 21) -> Artefact:
    with as_role("build"):
        return Artefact.objects.create(
            digest=f"sha256:{hex_of(name)}",
            blob=hex_of(f"zip {name}"),
            zip_size=48_000,
            unzipped_size=312_000,
            file_count=components * 2,
            component_count=components,
            api_version="64.0",
            manifest={"ApexClass": ["RenewalQuote", LONG_CLASS], "CustomObject": ["Account"]},
        )


def builds(company: Company, slug: str) -> None:
    is_red = slug == "service"
    for number in (2, 3):
        failed = is_red and number == 3
        artefact = package(f"{slug} build {number}")
        build = Build.objects.create(
            repository=company.repositories[slug],
            sha=company.commits[f"{slug} {number}"].sha,
            branch="main",
            artefact=artefact,
            message="1 test failed in Service CI." if failed else "",
            finished_at=company.ago(minutes=9),
        )
        reach(build, BuildState.FAILED if failed else BuildState.PASSED)
        company.builds[f"{slug} {number}"] = build
        deployment = run(
            company,
            Purpose.BUILD,
            f"{slug.title()} CI",
            artefact,
            build=build,
            state=DeploymentState.FAILED if failed else DeploymentState.SUCCEEDED,
        )
        company.deployments[f"{slug} build {number}"] = deployment
        hold(
            company,
            f"{slug.title()} CI",
            build.sha[:7],
            artefact.digest,
            "failed" if failed else "deployed",
        )


def candidate(company: Company, slug: str) -> None:
    lead = company.people["priya" if slug == "sales" else "tomas"]
    commit = company.commits[f"{slug} 2"]
    for tag, state in (("v1.1.0", CandidateState.OFFERED), ("v1.0.0", CandidateState.DEPLOYED)):
        artefact = package(f"{slug} {tag}")
        candidate = Candidate.objects.create(
            repository=company.repositories[slug],
            team=company.teams[slug],
            tag=tag,
            sha=commit.sha if tag == "v1.1.0" else company.commits[f"{slug} 1"].sha,
            created_by=lead,
        )
        packaged(
            candidate,
            artefact=artefact,
            commit_count=3,
            oldest_commit_at=company.ago(days=9),
            contributors=[{"email": commit.author_email, "name": commit.author_name}],
        )
        reach(candidate, state)
        if state == CandidateState.OFFERED:
            candidate.tested_by = candidate.offered_by = lead
            candidate.tested_at = candidate.offered_at = company.ago(days=2)
            candidate.test_note = "All cases of the protocol passed."
            candidate.save(
                update_fields=["tested_by", "offered_by", "tested_at", "offered_at", "test_note"]
            )
        company.candidates[f"{slug} {tag}"] = candidate
        run(company, Purpose.TEST, f"{slug.title()} TEST", artefact, candidate=candidate)
        hold(company, f"{slug.title()} TEST", tag, artefact.digest)


def packaged(candidate: Candidate, **facts: Any) -> None:
    """Write what a build worker finds when it packages a tag."""
    with as_role("build"):
        for name, value in facts.items():
            setattr(candidate, name, value)
        candidate.save(update_fields=list(facts))


def run(
    company: Company,
    purpose: Purpose,
    org: str,
    artefact: Artefact,
    *,
    state: DeploymentState = DeploymentState.SUCCEEDED,
    began: float = 60,
    **subject: Any,
) -> Deployment:
    """Plan a deployment as the services do, and bring it to an end ``began`` minutes ago."""
    with acting(company.people["marek"]):
        deployment = deployments.plan(
            purpose=purpose,
            environment=company.orgs[org],
            artefact=artefact,
            requester=company.people["marek"],
            **subject,
        )
    with as_role("deploy"):
        settled = state not in (DeploymentState.RUNNING, DeploymentState.UNKNOWN)
        reach(deployment, DeploymentState.RUNNING)
        deployment.started_at = company.ago(minutes=began)
        deployment.finished_at = company.ago(minutes=began - 12) if settled else None
        deployment.save(update_fields=["started_at", "finished_at"])
        for step in deployment.steps.all():
            _step(company, step, state, began)
        reach(deployment, state)
    return deployment


def _step(company: Company, step: Step, state: DeploymentState, began: float) -> None:
    calls_org = step.kind in (StepKind.VALIDATE, StepKind.DEPLOY)
    if calls_org and state != DeploymentState.SUCCEEDED:
        end = {
            DeploymentState.RUNNING: StepState.STARTED,
            DeploymentState.UNKNOWN: StepState.UNKNOWN,
        }.get(state, StepState.FAILED)
    elif step.kind == StepKind.VERIFY and state != DeploymentState.SUCCEEDED:
        return
    else:
        end = StepState.SUCCEEDED
    step.intended_at = step.started_at = company.ago(minutes=began)
    if end in (StepState.SUCCEEDED, StepState.FAILED):
        step.finished_at = company.ago(minutes=began - 4)
    step.worker, step.fence = "deploy worker north/4711", 3
    if calls_org:
        step.remote_id = f"0Af{step.pk:012d}AAA"
        step.components_total, step.components_done = 21, 21
        step.tests_total, step.tests_done = 1284, 796
        step.state_detail = "Running tests"
    if end == StepState.FAILED:
        step.component_errors = step.test_errors = 1
        _said(step)
    step.save()
    if calls_org:
        reach(step, StepState.INTENDED)
    reach(step, end)


def _said(step: Step) -> None:
    StepMessage.objects.create(
        step=step,
        kind="component",
        type="ApexClass",
        name="LoyaltyAccrualService",
        file_name="classes/LoyaltyAccrualService.cls",
        line=48,
        column=13,
        problem="Invalid type: lkit.TierCalculator",
    )
    StepMessage.objects.create(
        step=step,
        kind="test",
        type="ApexClass",
        name=f"{LONG_CLASS}.reopensOnReplyWithinFourteenDays",
        problem="System.AssertException: Assertion Failed: Expected: Escalated, Actual: New",
        stack=f"Class.{LONG_CLASS}.reopensOnReplyWithinFourteenDays: line 72, column 1",
    )
