"""Everything the page of one deployment shows, in a fixed number of queries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from releases.models import Deployment, Step
from releases.rules.reasons import restored
from releases.selectors import deployments, durations, messages, words
from releases.states import (
    LIVE_DEPLOYMENTS,
    DeploymentState,
    Effect,
    Purpose,
    StepKind,
    StepState,
)

_OPEN_STEPS = frozenset({StepState.INTENDED, StepState.STARTED, StepState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Counter:
    """How far the org is with components or tests."""

    label: str
    done: int
    total: int
    errors: int
    state: str

    @property
    def numbers(self) -> str:
        """``796 of 1,284``, or how many failed when any did."""
        if self.errors:
            return f"{self.errors:,} failed of {self.total:,}"
        return f"{self.done:,} of {self.total:,}"


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the timeline."""

    step: Step
    title: str
    word: words.Word
    note: str
    seconds: float | None
    usual: float | None
    is_open: bool
    counters: tuple[Counter, ...]
    said: tuple[messages.MessageGroup, ...]

    @property
    def is_ahead(self) -> bool:
        """Whether it has not begun."""
        return self.step.state == StepState.PENDING


@dataclass(frozen=True, slots=True)
class Attempt:
    """Another deployment of the same thing to the same place for the same purpose."""

    deployment: Deployment
    word: words.Word


@dataclass(frozen=True, slots=True)
class NextStep:
    """Where to go on after the end."""

    label: str
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class DeploymentPage:
    """The deployment with its timeline and the facts beside it."""

    deployment: Deployment
    word: words.Word
    title: str
    purpose: str
    steps: tuple[StepView, ...]
    seconds: float | None
    usual: float | None
    attempt: int
    attempts: tuple[Attempt, ...]
    current: StepView | None
    writes: bool

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more; the page stops asking then."""
        return self.deployment.state not in LIVE_DEPLOYMENTS

    @property
    def poll_seconds(self) -> int:
        """How often the page asks again: seldom while it waits for people or for its time."""
        if self.is_final:
            return 0
        return 10 if self.is_unknown or self.is_held else 2

    @property
    def asks_gate(self) -> bool:
        """Whether the gate still decides anything; after the call to the org it does not."""
        return not (self.is_final or self.is_unknown or self._has_written)

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows how it ended."""
        return self.deployment.state == DeploymentState.UNKNOWN

    @property
    def is_held(self) -> bool:
        """Whether a rule keeps it from starting."""
        return self.deployment.state == DeploymentState.HELD

    @property
    def settled_steps(self) -> int:
        """How many steps have ended."""
        return sum(1 for view in self.steps if view.step.finished_at is not None)

    @property
    def latest(self) -> StepView | None:
        """The step that the org last heard of; at the end the one that deployed or validated."""
        begun = [view for view in self.steps if view.step.intended_at is not None]
        if self.is_final:
            begun = [view for view in begun if view.step.effect != Effect.READ] or begun
        return begun[-1] if begun else None

    @property
    def waits_for_board(self) -> bool:
        """Whether people have not approved it yet."""
        return self.deployment.purpose == Purpose.RELEASE and self.deployment.approved_at is None

    @property
    def held_text(self) -> str:
        """Why it is held, in one line, as the worker or the gate last said."""
        zone = timezone.get_current_timezone()
        said = [restored(item).told(zone) for item in self.deployment.reasons]
        if said:
            return " ".join(text for text in said if text)
        if self.waits_for_board:
            return "it waits for the decision of the release board."
        return "a worker asks the gate when its time has come."

    @property
    def uncovered_text(self) -> str:
        """What happens now that its approval was lost after it was sent."""
        return words.uncovered(self.deployment)

    @property
    def cancel_label(self) -> str:
        """What the cancel button stops."""
        current = self.current
        if current is None:
            return "Cancel"
        return f"Cancel: {words.STEP_KIND[StepKind(current.step.kind)].lower()}"

    @property
    def cancel_text(self) -> str:
        """What cancelling means at this point."""
        name = self.deployment.environment.name
        if self.deployment.state in (DeploymentState.HELD, DeploymentState.QUEUED):
            return f"It has not begun; {name} has not been touched."
        if not self._has_written:
            return f"Nothing in {name} has changed so far. Another try goes through the gate again."
        return (
            f"The org is asked to stop. It undoes what it has not finished; when it is too late "
            f"for that, the deployment ends as the org ends it, and {name} holds it."
        )

    @property
    def next_step(self) -> NextStep | None:
        """Where its release, candidate or build goes on."""
        row = self.deployment
        failed = row.state != DeploymentState.SUCCEEDED
        if row.release is not None:
            text = "Its page says what comes next."
            return NextStep(f"Open {row.release.public_id}", row.release.get_absolute_url(), text)
        if row.candidate is not None:
            text = "Try it again there, or mend it and tag anew." if failed else "Test it there."
            return NextStep(f"Open {row.candidate}", row.candidate.get_absolute_url(), text)
        if row.build is not None:
            text = "Push a repair: the next commit is built by itself." if failed else ""
            return NextStep(f"Open {row.build.public_id}", row.build.get_absolute_url(), text)
        return None

    @property
    def too_late(self) -> str:
        """Why it cannot be cancelled any more; empty while it can."""
        written = any(
            view.step.effect == Effect.WRITE and view.step.state == StepState.SUCCEEDED
            for view in self.steps
        )
        return words.too_late(self.deployment) if written else ""

    @property
    def _has_written(self) -> bool:
        """Whether a writing step was handed to the org, so that cancelling may come late."""
        return any(
            view.step.effect == Effect.WRITE and view.step.intended_at is not None
            for view in self.steps
        )


def load(pk: int, now: datetime, *, all_messages: bool = False) -> DeploymentPage | None:
    """Read the page of a deployment; None when there is no such deployment."""
    rows = deployments.with_names(Deployment.objects.all()).select_related(
        "approval",
        "policy_version",
        "preparation",
        "cancel_requested_by",
        "settled_by",
        "environment__track",
    )
    deployment = rows.filter(pk=pk).first()
    if deployment is None:
        return None
    steps = list(deployment.steps.order_by("position"))
    attempts = _attempts(deployment)
    views = _views(
        deployment, steps, now, messages.SHOWN_AT_MOST if all_messages else messages.SHOWN
    )
    usual = durations.usual([deployment])
    return DeploymentPage(
        deployment=deployment,
        word=words.deployment(deployment),
        title=deployments.title(deployment),
        purpose=words.PURPOSE[Purpose(deployment.purpose)],
        steps=views,
        seconds=durations.elapsed(deployment, now),
        usual=usual.get((deployment.environment_id, deployment.purpose)),
        attempt=sum(1 for row in attempts if row.pk <= deployment.pk),
        attempts=tuple(
            Attempt(row, words.deployment(row)) for row in attempts if row.pk != deployment.pk
        ),
        current=next((view for view in views if view.is_open), None),
        writes=any(step.effect == Effect.WRITE for step in steps),
    )


def _attempts(deployment: Deployment) -> list[Deployment]:
    """Deployments of the same thing to the same place for the same purpose, newest first."""
    owner: dict[str, Any] = {"artefact_id": deployment.artefact_id}
    for name in ("release_id", "candidate_id", "build_id"):
        if getattr(deployment, name) is not None:
            owner = {name: getattr(deployment, name)}
            break
    rows = Deployment.objects.filter(
        **owner, purpose=deployment.purpose, environment_id=deployment.environment_id
    )
    return list(rows.order_by("-pk")[:50])


def _views(
    deployment: Deployment, steps: list[Step], now: datetime, limit: int
) -> tuple[StepView, ...]:
    usual = durations.usual_steps(deployment)
    said = messages.of(deployment, limit)
    is_over = deployment.state not in LIVE_DEPLOYMENTS
    views = []
    for step in steps:
        groups = said.get(step.pk, ())
        counters = _counters(step)
        views.append(
            StepView(
                step=step,
                title=f"{step.position} {words.STEP_KIND[StepKind(step.kind)]}",
                word=_word(deployment, step, is_over),
                note=step.note or _note(step),
                seconds=durations.elapsed(step, now),
                usual=usual.get(step.kind),
                is_open=step.state in _OPEN_STEPS or bool(groups) or _ended_badly(step),
                counters=counters,
                said=groups,
            )
        )
    return tuple(views)


def _ended_badly(step: Step) -> bool:
    return step.state == StepState.FAILED and bool(step.components_total)


def _word(deployment: Deployment, step: Step, is_over: bool) -> words.Word:
    """A held deployment waits at its gate, so the gate step says so."""
    at_gate = step.kind == StepKind.GATE and step.state == StepState.PENDING
    if at_gate and deployment.state == DeploymentState.HELD:
        return words.Word("held", "Held")
    return words.step(step, is_over=is_over)


def _note(step: Step) -> str:
    if step.state == StepState.PENDING:
        return words.STEP_PURPOSE[StepKind(step.kind)]
    if step.state == StepState.SUCCEEDED and step.components_total:
        return _result(step)
    return ""


def _result(step: Step) -> str:
    parts = [words.plural(step.components_total, "component")]
    if step.tests_total:
        parts.append(words.plural(step.tests_total, "test"))
    if step.coverage is not None:
        parts.append(f"coverage {step.coverage.normalize():f} %")
    return ", ".join(parts)


def _counters(step: Step) -> tuple[Counter, ...]:
    numbers = (
        ("Components", step.components_done, step.components_total, step.component_errors),
        ("Tests", step.tests_done, step.tests_total, step.test_errors),
    )
    return tuple(
        Counter(label, done, total, errors, _counter_state(done, total, errors))
        for label, done, total, errors in numbers
        if total
    )


def _counter_state(done: int, total: int, errors: int) -> str:
    if errors:
        return "failed"
    return "done" if done >= total else "running"


def record(page: DeploymentPage) -> str:
    """What was written down about a deployment and its steps, as JSON for engineers."""
    deployment = page.deployment
    facts = {
        "deployment": deployment.public_id,
        "uuid": str(deployment.uuid),
        "artefact": deployment.artefact.digest,
        "subject": deployment.subject_digest,
        "baseline": deployment.baseline_digest,
        "plan": deployment.plan,
        "steps": [_step_record(view.step) for view in page.steps],
    }
    return json.dumps(facts, indent=2, ensure_ascii=False, default=str)


def _step_record(step: Step) -> dict[str, Any]:
    return {
        "position": step.position,
        "kind": step.kind,
        "effect": step.effect,
        "state": step.state,
        "remote_id": step.remote_id,
        "intended_at": step.intended_at,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
        "worker": step.worker,
        "fence": step.fence,
        "facts": step.facts,
    }
