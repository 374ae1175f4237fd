"""The checks that a policy may demand of a deployment: one table, name → rule. Pure.

A name that the table does not know is never satisfied: a policy that asks for something Gatehouse
cannot judge holds, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from releases.rules.reasons import Mark, Reason, moment

VALIDATION_COUNTS_FOR = timedelta(days=10)
"""How long the platform lets a validation count (deployRecentValidation, API 33.0 and later)."""


@dataclass(frozen=True, slots=True)
class Work:
    """One candidate, as far as checks look at it."""

    label: str
    sha: str
    build_state: str
    tested: bool
    team_id: int


@dataclass(frozen=True, slots=True)
class Runbook:
    """How many steps a release's runbook has, and those that are still to be ticked."""

    steps: int
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What the checks look at, read with the gate's other facts.

    ``external`` maps (team, commit, name) to the newest result; ``backup_planned`` says that the
    plan takes a snapshot of its own right before it writes, and ``backup_at`` when that was done.
    """

    now: datetime
    work: tuple[Work, ...]
    rehearsed_in: str
    validated_at: datetime | None
    coverage: Decimal | None
    backup_planned: bool
    backup_at: datetime | None
    runbook: Runbook
    external: dict[tuple[int, str, str], str]
    min_coverage: int
    backup_max_hours: int | None


Rule = Callable[[CheckFacts], Reason]


def _done(name: str, text: str) -> Reason:
    return Reason(f"gate.check.{name}", text, Mark.DONE)


def _wait(name: str, text: str, state: Mark = Mark.WAITING, at: datetime | None = None) -> Reason:
    return Reason(f"gate.check.{name}", text, state, at)


def _build(facts: CheckFacts) -> Reason:
    red = [work for work in facts.work if work.build_state != "passed"]
    if not red:
        return _done("build", "Every commit passed in its team's CI org")
    said = ", ".join(f"{work.label} ({work.build_state or 'not built'})" for work in red)
    return _wait(
        "build",
        f"Not every commit passed in its team's CI org: {said}. Its team starts the build again.",
        Mark.FAILED if any(work.build_state == "failed" for work in red) else Mark.WAITING,
    )


def _user_tests(facts: CheckFacts) -> Reason:
    untested = [work.label for work in facts.work if not work.tested]
    if not untested:
        return _done("user_tests", "Every team signed its user tests")
    return _wait(
        "user_tests", f"User tests are not signed for {', '.join(untested)}; its team signs them."
    )


def _rehearsed(facts: CheckFacts) -> Reason:
    if facts.rehearsed_in:
        return _done("rehearsed", f"Rehearsed in {facts.rehearsed_in} with this very artefact")
    return _wait(
        "rehearsed", "This artefact was not rehearsed; a release manager rehearses it first."
    )


def _validated(facts: CheckFacts) -> Reason:
    if facts.validated_at is None:
        return _wait(
            "validated",
            "This artefact was not validated in this organisation; a release manager prepares it.",
        )
    ends = facts.validated_at + VALIDATION_COUNTS_FOR
    if facts.now >= ends:
        return _wait(
            "validated",
            f"The validation counted until {moment(ends)}; a release manager prepares it again.",
            Mark.HELD,
            ends,
        )
    return Reason(
        "gate.check.validated", f"Validated; it counts until {moment(ends)}", Mark.DONE, ends
    )


def _coverage(facts: CheckFacts) -> Reason:
    least = facts.min_coverage
    if facts.coverage is None:
        return _wait(
            "coverage",
            f"The validation reported no test coverage, and the policy asks for {least} %. "
            "Validate with tests that report it.",
        )
    if facts.coverage < least:
        return _wait(
            "coverage",
            f"Tests cover {facts.coverage.normalize():f} % and the policy asks for {least} %; "
            "the teams add tests.",
            Mark.FAILED,
        )
    return _done("coverage", f"Tests cover {facts.coverage.normalize():f} %, {least} % are asked")


def _runbook(facts: CheckFacts) -> Reason:
    if not facts.runbook.steps:
        return _wait(
            "runbook", "The release has no runbook; a release manager writes its manual steps."
        )
    if facts.runbook.open:
        said = "; ".join(facts.runbook.open[:3])
        return _wait("runbook", f"Steps of the runbook are open: {said}. Their owners tick them.")
    return _done("runbook", "The runbook is complete")


def _backup(facts: CheckFacts) -> Reason:
    if facts.backup_at is None:
        if facts.backup_planned:
            return _done("backup", "A snapshot is taken right before the deployment")
        return _wait("backup", "The plan takes no snapshot before it writes; submit it again.")
    if facts.backup_max_hours is None:
        return _wait("backup", "The policy does not say how old a backup may be.", Mark.FAILED)
    ends = facts.backup_at + timedelta(hours=facts.backup_max_hours)
    if facts.now >= ends:
        return _wait(
            "backup",
            f"The snapshot counted until {moment(ends)}; start the deployment again.",
            Mark.HELD,
            ends,
        )
    return Reason("gate.check.backup", f"The snapshot counts until {moment(ends)}", Mark.DONE, ends)


CHECKS: dict[str, Rule] = {
    "build": _build,
    "user_tests": _user_tests,
    "rehearsed": _rehearsed,
    "validated": _validated,
    "coverage": _coverage,
    "runbook": _runbook,
    "backup": _backup,
}
"""Every check that a policy may name."""

WAIVED_IN_EMERGENCY = frozenset({"rehearsed"})
"""What break-glass waives; everything else stays."""


def judge(name: str, facts: CheckFacts) -> Reason:
    """The outcome of one check; a name that is not known holds."""
    rule = CHECKS.get(name)
    if rule is None:
        return Reason(
            "gate.check.unknown",
            f"The policy asks for the check “{name}”, which nobody can judge. "
            "The release board changes the policy.",
            Mark.FAILED,
        )
    return rule(facts)


def judge_external(name: str, facts: CheckFacts) -> Reason:
    """The outcome of a check that another system reports, for every commit in the release."""
    code = "gate.check.external"
    if not facts.work:
        return Reason(code, f"No commit carries a result of {name}.", Mark.WAITING)
    found = {
        work.label: facts.external.get((work.team_id, work.sha, name), "") for work in facts.work
    }
    failed = [label for label, result in found.items() if result == "failed"]
    if failed:
        return Reason(
            code, f"{name} failed for {', '.join(failed)}; its team mends it.", Mark.FAILED
        )
    open_ones = [label for label, result in found.items() if result != "passed"]
    if open_ones:
        return Reason(
            code, f"{name} has not reported success for {', '.join(open_ones)} yet.", Mark.WAITING
        )
    return Reason(code, f"{name} passed for every commit", Mark.DONE)
