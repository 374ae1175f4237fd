"""The checks that a release has to pass, each with its evidence, its age and until when it counts.

They are read from the rows that the work left behind; nothing is ticked by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from releases.models import Candidate, ComponentConflict, Deployment, Release, Step
from releases.selectors import check_results, deployments, words
from releases.selectors.check_results import Reported
from releases.selectors.words import Word
from releases.states import Purpose, StepKind, StepState

WITH_CONTENTS = "until the contents change"
WITH_PRODUCTION = "until production changes there"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checks column.

    ``sentence`` says the same without the table around it, for the approval page.
    """

    name: str
    word: Word
    sentence: str
    evidence: str
    deployment: Deployment | None
    at: datetime | None
    until: str
    anchor: str = "checks"


def of(
    release: Release,
    candidates: Sequence[Candidate],
    conflicts: Sequence[ComponentConflict],
    rows: Sequence[Deployment],
) -> tuple[Check, ...]:
    """All checks of a release, in the order in which they are passed.

    ``rows`` are its deployments, newest first, with their steps prefetched.
    """
    mine = [row for row in rows if row.artefact_id == release.artefact_id]
    preparation = _newest(mine, Purpose.PREPARE)
    return (
        _user_tests(candidates),
        *_reported(candidates),
        _collisions(release, conflicts),
        _artefact(release),
        _stage("Integration", "Integrated", _newest(mine, Purpose.INTEGRATE), "deployments"),
        _stage("Rehearsal", "Rehearsed", _newest(mine, Purpose.REHEARSE), "rehearsal"),
        _step("Snapshot", preparation, StepKind.SNAPSHOT, _SNAPSHOT),
        _step("Validation", preparation, StepKind.VALIDATE, _VALIDATION),
        _rollback(preparation),
    )


def _newest(rows: Iterable[Deployment], purpose: Purpose) -> Deployment | None:
    return next((row for row in rows if row.purpose == purpose), None)


def _user_tests(candidates: Sequence[Candidate]) -> Check:
    signed = [row for row in candidates if row.tested_at is not None]
    total = len(candidates)
    if not total:
        word, sentence = Word("waiting", "No candidate yet"), "No candidate is in this release yet"
    elif len(signed) == total:
        word = Word("done", f"{total} of {total} signed")
        sentence = f"User tests signed by {words.plural(total, 'team')}"
    else:
        word = Word("waiting", f"{len(signed)} of {total} signed")
        sentence = f"User tests signed by {len(signed)} of {total} teams"
    people = {str(row.tested_by) for row in signed}
    newest = max((row.tested_at for row in signed if row.tested_at), default=None)
    evidence = ", ".join(sorted(people))
    return Check("User tests", word, sentence, evidence, None, newest, "always", "contents")


def _reported(candidates: Sequence[Candidate]) -> list[Check]:
    """A line for every check that other systems reported about a commit on board."""
    places = {(row.team_id, row.sha) for row in candidates}
    found: dict[str, list[Reported]] = {}
    for results in check_results.newest(places).values():
        for result in results:
            found.setdefault(result.row.name, []).append(result)
    return [_external(name, found[name], len(places)) for name in sorted(found)]


def _external(name: str, results: Sequence[Reported], total: int) -> Check:
    passed = sum(1 for result in results if result.word.state == "done")
    is_red = any(result.word.state == "failed" for result in results)
    state = "failed" if is_red else "done" if passed == total else "waiting"
    text = f"{passed} of {total} passed"
    newest = max(result.row.received_at for result in results)
    reporters = ", ".join(sorted({str(result.row.reported_by) for result in results}))
    return Check(
        name, Word(state, text), f"{name}: {text}", reporters, None, newest, "always", "contents"
    )


def _collisions(release: Release, conflicts: Sequence[ComponentConflict]) -> Check:
    open_ones = [row for row in conflicts if row.settled_at is None]
    if open_ones:
        word = Word("failed", f"{len(open_ones)} open")
        sentence = f"{words.plural(len(open_ones), 'collision')} between teams"
        evidence = ", ".join(f"{row.name}" for row in open_ones[:3])
        newest = max(row.found_at for row in open_ones)
        return Check("Collisions", word, sentence, evidence, None, newest, "–", "contents")
    if release.artefact is None:
        word = Word("waiting", "Not compared yet")
        sentence = "Teams are not compared yet"
        return Check("Collisions", word, sentence, "", None, None, WITH_CONTENTS, "contents")
    settled = max((row.settled_at for row in conflicts if row.settled_at), default=None)
    word = Word("done", "Settled" if settled else "None")
    sentence = "Every collision is settled" if settled else "No two teams collide"
    evidence = words.plural(len(conflicts), "collision") + " before" if settled else ""
    at = settled or release.artefact.created_at
    return Check("Collisions", word, sentence, evidence, None, at, WITH_CONTENTS, "contents")


def _artefact(release: Release) -> Check:
    artefact = release.artefact
    if artefact is None:
        word = Word("waiting", "Not composed yet")
        return Check("One artefact", word, "Not composed yet", "", None, None, WITH_CONTENTS)
    evidence = f"{artefact}, {words.plural(artefact.component_count, 'component')}"
    return Check(
        "One artefact",
        Word("done", "Built once"),
        "Built once, the same digest everywhere",
        evidence,
        None,
        artefact.created_at,
        "always",
    )


def _stage(name: str, done: str, row: Deployment | None, anchor: str) -> Check:
    if row is None:
        word, sentence = Word("waiting", "Not yet"), f"Not {done.lower()} yet"
        return Check(name, word, sentence, "", None, None, WITH_CONTENTS, anchor)
    word = words.deployment(row)
    place = row.environment.name
    if word.state == "done":
        word, sentence = Word("done", "Passed"), f"{done} in {place}"
    else:
        sentence = f"{name} in {place}: {word.text.lower()}"
    at = row.finished_at or row.started_at or row.created_at
    return Check(name, word, sentence, _result(row), row, at, WITH_CONTENTS, anchor)


def _result(row: Deployment) -> str:
    """Tests and coverage that the org reported, or why it ended otherwise."""
    for step in row.steps.all():
        if step.kind in (StepKind.DEPLOY, StepKind.VALIDATE) and step.tests_total:
            parts = [words.plural(step.tests_total, "test")]
            if step.coverage is not None:
                parts.append(f"coverage {step.coverage.normalize():f} %")
            return ", ".join(parts)
    return row.message.split("\n", 1)[0][:120]


@dataclass(frozen=True, slots=True)
class _StepCheck:
    """The words of a check that one step of the preparation passes."""

    done: str
    sentence: str
    running: str
    missing: str
    until: str
    evidence: Callable[[Deployment, Step], str]


_SNAPSHOT = _StepCheck(
    done="Taken",
    sentence="Production snapshot taken",
    running="Production is being snapshotted",
    missing="Production is not snapshotted yet",
    until=WITH_PRODUCTION,
    evidence=lambda row, step: step.note,
)
_VALIDATION = _StepCheck(
    done="Passed",
    sentence="Validated in Production, check only",
    running="Validation in Production is running",
    missing="Not validated in Production yet",
    until=WITH_PRODUCTION,
    evidence=lambda row, step: _result(row),
)


def _step(name: str, row: Deployment | None, kind: StepKind, said: _StepCheck) -> Check:
    step = next((step for step in row.steps.all() if step.kind == kind), None) if row else None
    if row is None or step is None:
        word = Word("waiting", "Not yet")
        return Check(name, word, said.missing, "", None, None, said.until)
    is_over = row.finished_at is not None
    word = words.step(step, is_over=is_over)
    sentence = said.missing
    if step.state == StepState.SUCCEEDED:
        word, sentence = Word("done", said.done), said.sentence
    elif word.state == "running":
        sentence = said.running
    elif word.state in ("failed", "unknown"):
        sentence = f"{name} in Production: {word.text.lower()}"
    at = step.finished_at or step.started_at
    return Check(name, word, sentence, said.evidence(row, step), row, at, said.until)


def _rollback(preparation: Deployment | None) -> Check:
    """Honest until rollbacks are computed: the snapshot is kept, the way back is not built."""
    evidence = "The snapshot keeps what production held before"
    if preparation is None or not deployments.has_snapshot(preparation):
        evidence = "No snapshot yet"
    return Check(
        "Rollback",
        Word("none", "Not computed"),
        "Rollback is not computed",
        evidence,
        None,
        None,
        "–",
    )
