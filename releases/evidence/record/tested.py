"""Group 4 of a change record: what was tested, where, by whom, and whether the tester wrote it."""

from __future__ import annotations

from typing import Any

from governance.selectors import people
from releases.evidence.record.loading import NOT_RECORDED, Change, person
from releases.evidence.times import recorded
from releases.models import Candidate, Deployment, Step
from releases.selectors import words
from releases.states import Purpose, StepKind


def tests(change: Change) -> dict[str, Any]:
    """Group 4: builds, user tests, rehearsals and the validation in the target."""
    return {
        "builds": [_build(change, row) for row in change.candidates] or NOT_RECORDED,
        "user_tests": [_user_test(row) for row in change.candidates] or NOT_RECORDED,
        "runs_of_this_artefact": _runs(change) or NOT_RECORDED,
        "results_of_other_systems": [
            {
                "name": row.name,
                "commit": row.sha,
                "result": row.result,
                "at": recorded(row.received_at),
                "url": row.url,
                "reported_by": person(row.reported_by),
            }
            for row in change.results
        ],
        "accepted_exceptions": _accepted(change),
    }


def _accepted(change: Change) -> dict[str, Any] | str:
    """Proposed Apex tests that people left out, as the policy let them, and who chose when."""
    if change.release is None:
        return NOT_RECORDED
    if not change.release.tests_removed:
        return "none"
    return {
        "proposed_tests_left_out": change.release.tests_removed,
        "chosen": [
            {"at": recorded(event.at), "event": event.public_id, "what": event.sentence}
            for event in change.events
            if event.event == "release.tests_chosen"
        ],
    }


def _build(change: Change, row: Candidate) -> dict[str, Any]:
    build = change.builds.get((row.repository_id, row.sha))
    return {
        "team": row.team.name,
        "commit": row.sha,
        "build": build.public_id if build else NOT_RECORDED,
        "result": build.state if build else NOT_RECORDED,
        "at": recorded(build.finished_at) if build else None,
    }


def _user_test(row: Candidate) -> dict[str, Any]:
    authors = _authors(row)
    return {
        "team": row.team.name,
        "candidate": row.public_id,
        "commit": row.sha,
        "result": "passed" if row.tested_at and row.state != "rejected" else row.state,
        "tested_by": person(row.tested_by),
        "at": recorded(row.tested_at),
        "note": row.test_note,
        "tester_is_no_author": (
            not wrote_it(row, row.tested_by_id) if row.tested_by_id else NOT_RECORDED
        ),
        "authors_without_a_known_person": sorted(authors.unmapped.values()),
    }


def _authors(row: Candidate) -> people.Identities:
    return people.resolve_identities(
        [(entry["email"], entry["name"]) for entry in row.contributors]
    )


def wrote_it(row: Candidate, user_id: int | None) -> bool:
    """Tell whether a person wrote commits of what was tested."""
    return user_id in {user.pk for user in _authors(row).mapped.values()}


def _runs(change: Change) -> list[dict[str, Any]]:
    """Every attempt with this very artefact: integration, rehearsal, validation, production."""
    return [_run(row) for row in change.tried if row.artefact_id == change.deployment.artefact_id]


def _run(row: Deployment) -> dict[str, Any]:
    steps = {step.kind: step for step in row.steps.all()}
    step = steps.get(StepKind.DEPLOY) or steps.get(StepKind.VALIDATE)
    return {
        "id": row.public_id,
        "purpose": words.PURPOSE[Purpose(row.purpose)],
        "environment": row.environment.name,
        "result": row.state,
        "finished_at": recorded(row.finished_at),
        "test_level": row.plan.get("test_level", NOT_RECORDED),
        "tests": row.tests.sentence(),
        **(counters(step) if step else {}),
    }


def counters(step: Step) -> dict[str, Any]:
    """The org's own counters of one step."""
    return {
        "components_total": step.components_total,
        "component_errors": step.component_errors,
        "tests_total": step.tests_total,
        "tests_run": step.tests_done,
        "test_failures": step.test_errors,
        "coverage_percent": str(step.coverage) if step.coverage is not None else NOT_RECORDED,
    }
