"""The one next action of a release: what its header's button does, or why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core import db
from core.decisions import Denied
from governance.models import User
from governance.permissions import can
from releases import gate
from releases.models import Deployment, Release
from releases.rules.reasons import Mark, Reason, Verdict, restored
from releases.services import approval, releases, stages
from releases.states import Purpose, ReleaseState


@dataclass(frozen=True, slots=True)
class NextAction:
    """A button: ready when ``verdict`` allows it, else disabled with the verdict's reasons.

    ``url_name`` is ``None`` when nobody presses anything: the worker goes on by itself.
    """

    label: str
    url_name: str | None
    verdict: Verdict
    needs_confirmation: bool = False


def _ready(code: str, text: str) -> Verdict:
    return Verdict((Reason(code, text, Mark.DONE),))


def _wait(code: str, text: str, mark: Mark = Mark.WAITING) -> Verdict:
    return Verdict((Reason(code, text, mark),))


def for_release(release: Release, user: User) -> NextAction:
    """What comes next for a release, as this person meets it."""
    action = _TABLE[ReleaseState(release.state)](release)
    capability = _CAPABILITY.get(action.url_name or "")
    if capability is None or not action.verdict.allowed:
        return action
    decision = can(user, capability)
    if isinstance(decision, Denied):
        reason = Reason(decision.code, decision.reason, Mark.HELD)
        return NextAction(action.label, action.url_name, Verdict((reason,)))
    return action


_CAPABILITY = {
    "releases:release_compose": "release.compose",
    "releases:release_integrate": "release.deploy",
    "releases:release_rehearse": "release.deploy",
    "releases:release_prepare": "release.deploy",
    "releases:release_submit": "release.deploy",
    "releases:release_reopen": "release.compose",
    "releases:release_close": "release.compose",
}


def _draft(release: Release) -> NextAction:
    count = release.items.filter(removed_at__isnull=True).count()
    verdict = (
        _ready("release.compose", f"{count} candidates are in; compose them into one artefact")
        if count
        else _wait("release.empty", "Needs at least one candidate")
    )
    return NextAction("Compose", "releases:release_compose", verdict)


def _composing(release: Release) -> NextAction:
    text = "A build worker merges the candidates against production's snapshot"
    return NextAction("Composing", None, _wait("release.composing", text, Mark.RUNNING))


def _composed(release: Release) -> NextAction:
    if release.change_class in releases.SHORT_CLASSES:
        return _rehearsed(release)
    return NextAction(
        "Deploy to CI",
        "releases:release_integrate",
        _ready("release.integrate", "Composed; the integration org is next"),
    )


def _integrated(release: Release) -> NextAction:
    if release.change_class in releases.SHORT_CLASSES:
        return _rehearsed(release)
    return NextAction(
        "Rehearse in PRE-PRD",
        "releases:release_rehearse",
        _ready("release.rehearse", "Integrated; the rehearsal is next"),
    )


def _following(purpose: Purpose, label: str) -> Callable[[Release], NextAction]:
    def action(release: Release) -> NextAction:
        deployment = releases.live(release, purpose)
        return NextAction(label, None, _progress(deployment))

    return action


def _progress(deployment: Deployment | None) -> Verdict:
    """How a live deployment stands: its reasons while it waits, else that it is under way."""
    if deployment is None:
        return _wait("deployment.none", "No deployment is under way", Mark.UNKNOWN)
    if deployment.reasons:
        return Verdict(tuple(restored(item) for item in deployment.reasons))
    name = deployment.environment.name
    if deployment.state == "unknown":
        return _wait("deployment.unknown", deployment.message, Mark.UNKNOWN)
    text = f"{deployment.public_id} to {name} is under way"
    return _wait("deployment.running", text, Mark.RUNNING)


def _rehearsed(release: Release) -> NextAction:
    running = releases.live(release, Purpose.PREPARE)
    if running is not None:
        return NextAction("Preparing production", None, _progress(running))
    short = release.change_class in releases.SHORT_CLASSES
    if stages.preparation_of(release) is None:
        begin = release.change_class.title() if short else "Rehearsed"
        text = f"{begin}; snapshot and check-only validation of production are next"
        return NextAction(
            "Prepare production", "releases:release_prepare", _ready("release.prepare", text)
        )
    if release.change_class == Release.ChangeClass.EMERGENCY:
        text = "Production is prepared; the emergency approvers can be asked"
        ready = _ready("release.submit", text)
        return NextAction("Ask to break the glass", "releases:release_submit", ready)
    text = "Production is prepared; the release board can be asked"
    return NextAction(
        "Ask the release board", "releases:release_submit", _ready("release.submit", text)
    )


def _before_board(release: Release) -> NextAction:
    request = approval.request_of(release)
    deployment = approval.deployment_of(request) if request else None
    if deployment is None:
        verdict = _wait("approval.none", "Nobody has been asked", Mark.UNKNOWN)
    else:
        verdict = gate.evaluate(deployment, db.database_now())
    return NextAction("Deploy to Production", None, verdict)


def _deployed(release: Release) -> NextAction:
    text = "Production holds it; close it when nothing is left to do"
    return NextAction("Close", "releases:release_close", _ready("release.close", text))


def _failed(release: Release) -> NextAction:
    text = "Return it to draft, mend it and compose it again"
    return NextAction("Return to draft", "releases:release_reopen", _ready("release.reopen", text))


def _closed(release: Release) -> NextAction:
    return NextAction("Closed", None, _wait("release.closed", "This release is closed", Mark.HELD))


_TABLE: dict[ReleaseState, Callable[[Release], NextAction]] = {
    ReleaseState.DRAFT: _draft,
    ReleaseState.COMPOSING: _composing,
    ReleaseState.COMPOSED: _composed,
    ReleaseState.INTEGRATING: _following(Purpose.INTEGRATE, "Integrating"),
    ReleaseState.INTEGRATED: _integrated,
    ReleaseState.REHEARSING: _following(Purpose.REHEARSE, "Rehearsing"),
    ReleaseState.REHEARSED: _rehearsed,
    ReleaseState.SUBMITTED: _before_board,
    ReleaseState.APPROVED: _before_board,
    ReleaseState.SCHEDULED: _before_board,
    ReleaseState.DEPLOYING: _following(Purpose.RELEASE, "Deploying to Production"),
    ReleaseState.DEPLOYED: _deployed,
    ReleaseState.FAILED: _failed,
    ReleaseState.ROLLED_BACK: _failed,
    ReleaseState.CLOSED: _closed,
}
