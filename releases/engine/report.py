"""Turn what the org answers into counters, messages and one sentence."""

from __future__ import annotations

from typing import Any

from releases.models import StepMessage
from salesforce.types import ComponentFailure, DeployStatus, TestFailure


def counters(status: DeployStatus) -> dict[str, Any]:
    """Columns of a step from the org's counters."""
    columns: dict[str, Any] = {
        "components_total": status.components_total,
        "components_done": status.components_deployed,
        "component_errors": status.component_errors,
        "tests_total": status.tests_total,
        "tests_done": status.tests_completed,
        "test_errors": status.test_errors,
        "state_detail": status.state_detail[:255],
    }
    lines = sum(entry.lines for entry in status.coverage)
    if lines:
        uncovered = sum(entry.uncovered for entry in status.coverage)
        columns["coverage"] = round(100 * (lines - uncovered) / lines, 2)
    return columns


def times(status: DeployStatus) -> dict[str, float]:
    """Seconds that the org itself worked on it, by its own clock; nothing when it does not say."""
    if status.started_at is None or status.completed_at is None:
        return {}
    return {"org_seconds": (status.completed_at - status.started_at).total_seconds()}


def messages(status: DeployStatus) -> list[StepMessage]:
    """Every component error, test failure, coverage rule and warning, failures first."""
    rows = [_component(failure, StepMessage.Kind.COMPONENT) for failure in status.failures]
    rows += [
        StepMessage(
            kind=StepMessage.Kind.TEST,
            type="Apex test",
            name=_test_name(failure),
            problem=failure.message,
            stack=failure.stack_trace,
        )
        for failure in status.test_failures
    ]
    rows += [
        StepMessage(
            kind=StepMessage.Kind.COVERAGE,
            type="Coverage",
            name=warning.name,
            problem=warning.message,
        )
        for warning in status.coverage_warnings
    ]
    rows += [_component(warning, StepMessage.Kind.WARNING) for warning in status.warnings]
    return rows


def _test_name(failure: TestFailure) -> str:
    """Class and method; the class alone when the org has no such test."""
    return f"{failure.class_name}.{failure.method}".removesuffix(".")


def _component(failure: ComponentFailure, kind: str) -> StepMessage:
    return StepMessage(
        kind=kind,
        type=failure.type,
        name=failure.full_name[:255],
        file_name=failure.file_name[:400],
        line=failure.line,
        column=failure.column,
        problem=failure.problem,
    )


def summary(status: DeployStatus) -> str:
    """One sentence on how it ended."""
    if status.success:
        text = f"{status.components_deployed} components"
        return f"{text}, {status.tests_completed} tests" if status.tests_completed else text
    if status.canceled:
        return "Cancelled in the org; nothing was changed."
    if status.failures:
        first = status.failures[0]
        where = f" line {first.line}" if first.line else ""
        more = f" and {len(status.failures) - 1} more" if len(status.failures) > 1 else ""
        return f"{first.type} {first.full_name}{where}: {first.problem}{more}"
    if status.test_failures:
        test = status.test_failures[0]
        more = f" and {len(status.test_failures) - 1} more" if len(status.test_failures) > 1 else ""
        return f"Test {_test_name(test)}: {test.message}{more}"
    if status.coverage_warnings:
        return status.coverage_warnings[0].message
    return status.error_message or f"The org answered {status.status}."
