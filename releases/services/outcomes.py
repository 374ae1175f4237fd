"""What the end of a deployment means for the build, candidate or release that asked for it.

Called in the transaction that settles the deployment, so both change together.
"""

from __future__ import annotations

from collections.abc import Callable

from core import db
from governance import approvals, audit, notices
from governance.selectors import people
from releases.models import Candidate, Deployment, Release
from releases.services import break_glass, releases, steps
from releases.states import (
    BUILD,
    CANDIDATE,
    BuildState,
    CandidateState,
    DeploymentState,
    Purpose,
    ReleaseState,
)


def started(deployment: Deployment, waived: list[str]) -> None:
    """Tell the owner that the gate let its deployment begin, and what break-glass waived."""
    if deployment.purpose == Purpose.RELEASE and deployment.release is not None:
        release = releases.lock(deployment.release.pk)
        releases.move(release, ReleaseState.DEPLOYING)
        releases.record("release.deploying", release, environment=deployment.environment.name)
        break_glass.used(deployment, waived)


def finished(deployment: Deployment) -> None:
    """Pass the end of a deployment on to its owner."""
    _HANDLERS[Purpose(deployment.purpose)](deployment)


def _problem(deployment: Deployment) -> str:
    return deployment.message or f"{deployment.public_id} {deployment.state}"


def _succeeded(deployment: Deployment) -> bool:
    return deployment.state == DeploymentState.SUCCEEDED


def _build(deployment: Deployment) -> None:
    build = deployment.build
    if build is None or build.state in BUILD.terminal:
        return
    team = build.repository.team
    passed = _succeeded(deployment)
    superseded = deployment.state == DeploymentState.SUPERSEDED
    state = BuildState.PASSED if passed else BuildState.FAILED
    state = BuildState.SUPERSEDED if superseded else state
    BUILD.check(BuildState(build.state), state)
    build.state = state
    build.message = "" if passed else _problem(deployment)
    build.finished_at = db.database_now()
    build.save(update_fields=["state", "message", "finished_at"])
    audit.record(
        f"build.{state.value}",
        build,
        related=steps.related(deployment),
        team=team,
        facts={"environment": deployment.environment.name, "problem": build.message},
    )
    if state is BuildState.FAILED:
        tell_team(deployment, f"{team.name}: build of {build.sha[:7]} failed")


def _candidate(deployment: Deployment) -> None:
    candidate = deployment.candidate
    if candidate is None or candidate.state != CandidateState.TESTING:
        return
    passed = _succeeded(deployment)
    state = CandidateState.DEPLOYED if passed else CandidateState.FAILED
    move_candidate(candidate, state, message="" if passed else _problem(deployment))
    audit.record(
        "candidate.deployed" if passed else "candidate.failed",
        candidate,
        related=steps.related(deployment),
        team=candidate.team,
        facts={"environment": deployment.environment.name, "problem": candidate.message},
    )
    if not passed:
        tell_team(deployment, f"{candidate.team.name}: {candidate.tag} failed in TEST")


def move_candidate(candidate: Candidate, state: CandidateState, **columns: object) -> None:
    """Move a locked candidate and write the named columns with it."""
    CANDIDATE.check(CandidateState(candidate.state), state)
    candidate.state = state
    for name, value in columns.items():
        setattr(candidate, name, value)
    candidate.save(update_fields=["state", *columns])


def _stage(done: ReleaseState, event: str) -> Callable[[Deployment], None]:
    def settle(deployment: Deployment) -> None:
        release = _locked(deployment)
        if release is None or deployment.state == DeploymentState.SUPERSEDED:
            return
        name = deployment.environment.name
        if _succeeded(deployment):
            releases.move(release, done, state_note="")
            releases.record(event, release, environment=name)
        else:
            problem = _problem(deployment)
            releases.move(release, ReleaseState.COMPOSED, state_note=problem)
            releases.record("release.stage_failed", release, environment=name, problem=problem)
            tell_composer(deployment, f"{release} failed in {name}")

    return settle


def _prepare(deployment: Deployment) -> None:
    release = _locked(deployment)
    if release is None:
        return
    name = deployment.environment.name
    if _succeeded(deployment):
        releases.note(release, "")
        releases.record("release.prepared", release, environment=name)
        return
    problem = _problem(deployment)
    releases.note(release, problem)
    releases.record("release.stage_failed", release, environment=name, problem=problem)
    tell_composer(deployment, f"Preparing {name} for {release} failed")


def _release(deployment: Deployment) -> None:
    release = _locked(deployment)
    if release is None or deployment.state == DeploymentState.SUPERSEDED:
        return
    name = deployment.environment.name
    if _succeeded(deployment):
        releases.move(release, ReleaseState.DEPLOYED, deployed_at=db.database_now(), state_note="")
        releases.record("release.deployed", release, environment=name)
        if deployment.approval_id is not None:
            approvals.use(deployment.approval_id, f"{release.public_id} runs in {name}")
        return
    problem = _problem(deployment)
    if release.state == ReleaseState.DEPLOYING:
        releases.move(release, ReleaseState.FAILED, state_note=problem)
        releases.record("release.failed", release, environment=name, problem=problem)
    elif release.state in (ReleaseState.APPROVED, ReleaseState.SCHEDULED, ReleaseState.SUBMITTED):
        releases.void(release, problem, to=ReleaseState.REHEARSED)
    tell_composer(deployment, f"{release} was not deployed to {name}")


_HANDLERS: dict[Purpose, Callable[[Deployment], None]] = {
    Purpose.BUILD: _build,
    Purpose.TEST: _candidate,
    Purpose.INTEGRATE: _stage(ReleaseState.INTEGRATED, "release.integrated"),
    Purpose.REHEARSE: _stage(ReleaseState.REHEARSED, "release.rehearsed"),
    Purpose.PREPARE: _prepare,
    Purpose.RELEASE: _release,
}


def _locked(deployment: Deployment) -> Release | None:
    return releases.lock(deployment.release.pk) if deployment.release else None


def tell_team(deployment: Deployment, subject: str) -> None:
    """E-mail everybody of the team, naming component, line and problem."""
    team = steps.team_of(deployment)
    notices.send(
        people.members(team), subject, letter(deployment), related=steps.related(deployment)
    )


def tell_composer(deployment: Deployment, subject: str) -> None:
    """E-mail the person who composed the release and the one who asked for the deployment."""
    release = deployment.release
    composer = release.composed_by if release else None
    readers = {person for person in (composer, deployment.requester) if person is not None}
    notices.send(readers, subject, letter(deployment), related=steps.related(deployment))


def letter(deployment: Deployment) -> str:
    """The text of a failure notice: what failed, then each thing that the org said."""
    lines = [f"{deployment.public_id} to {deployment.environment.name}: {deployment.message}", ""]
    for step in deployment.steps.prefetch_related("messages"):
        for message in step.messages.all():
            place = f" line {message.line}" if message.line else ""
            lines.append(f"{message.type} {message.name}{place}: {message.problem}")
    lines += ["", f"Open it: {notices.absolute(deployment.get_absolute_url())}"]
    return "\n".join(lines)
