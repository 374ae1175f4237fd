"""The CSV files of a pack: population, reconciliation, requests, exceptions and access.

Each function yields rows one at a time. Every moment is written twice, in UTC and on the local
clock of whoever asked for the pack.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, Q, QuerySet

from core import clock
from environments.models import Environment
from governance.models import ApprovalRequest, Decision
from releases.evidence.population import Selection, environments_of, executions
from releases.evidence.record import Change
from releases.evidence.record.authorised import hands_in
from releases.evidence.times import local, utc
from releases.models import Deployment, OrgDeployment, OrgObservation, Step
from releases.selectors import words
from releases.states import ObservationState, Purpose, Standing

Row = tuple[object, ...]
STREAM = 500

POPULATION = (
    "change", "release", "title", "class", "environment", "purpose", "writes", "reached the org",
    "outcome", "planned (UTC)", "planned (local)", "started (UTC)", "started (local)",
    "ended (UTC)", "ended (local)", "artefact", "subject digest", "approval request", "policy",
    "approvals", "requested by", "worker", "ids in the org", "record",
)  # fmt: skip


def population_row(change: Change, zone: ZoneInfo) -> Row:
    """One attempt, from the same facts as its record."""
    deployment, release, policy = change.deployment, change.release, change.policy
    write = change.write
    approvals = [row for row in change.decisions if row.verdict == "approve"]
    worker = next((step.worker for step in reversed(change.steps) if step.worker), "")
    return (
        deployment.public_id,
        release.public_id if release else "",
        release.title if release else "",
        release.change_class if release else "normal",
        deployment.environment.name,
        words.PURPOSE[Purpose(deployment.purpose)],
        "yes" if write else "no",
        "yes" if any(step.intended_at for step in change.steps) else "no",
        deployment.state,
        utc(deployment.created_at), local(deployment.created_at, zone),
        utc(deployment.started_at), local(deployment.started_at, zone),
        utc(deployment.finished_at), local(deployment.finished_at, zone),
        change.artefact.digest,
        deployment.subject_digest,
        change.request.public_id if change.request else "",
        f"{policy.policy.public_id} v{policy.number}" if policy else "",
        sum(1 for row in approvals if not hasattr(row, "withdrawal")),
        deployment.requester.full_name if deployment.requester else "",
        worker,
        " ".join(step.remote_id for step in change.steps if step.remote_id),
        f"changes/{deployment.public_id}.json",
    )  # fmt: skip


REQUESTS = (
    "request", "kind", "about", "state", "subject digest", "policy", "requested by",
    "opened (UTC)", "opened (local)", "expires (UTC)", "closed (UTC)", "closed (local)",
    "approved by", "rejected by", "withdrawn by", "note",
)  # fmt: skip


def requests(selection: Selection) -> QuerySet[ApprovalRequest]:
    """Every question put to people in the selection, whatever became of it.

    For a release: those about it. Otherwise those opened or still open in the period, of any kind.
    """
    rows = ApprovalRequest.objects.select_related("policy_version__policy", "requester")
    if selection.release is not None:
        rows = rows.filter(related__contains=[selection.release.public_id])
    else:
        if selection.since is not None:
            rows = rows.filter(Q(closed_at__isnull=True) | Q(closed_at__gte=selection.since))
        if selection.until is not None:
            rows = rows.filter(opened_at__lt=selection.until)
    answers = Decision.objects.select_related("person", "withdrawal").order_by("pk")
    return rows.prefetch_related(Prefetch("decisions", queryset=answers)).order_by("pk")


def request_rows(selection: Selection, zone: ZoneInfo) -> Iterator[Row]:
    """Requests with everybody who answered."""
    for row in requests(selection).iterator(chunk_size=STREAM):
        answers = list(row.decisions.all())
        taken_back = [each for each in answers if hasattr(each, "withdrawal")]
        standing = [each for each in answers if not hasattr(each, "withdrawal")]
        yield (
            row.public_id,
            row.subject_kind,
            row.label,
            row.state,
            row.digest,
            f"{row.policy_version.policy.public_id} v{row.policy_version.number}",
            row.requester.full_name,
            utc(row.opened_at), local(row.opened_at, zone),
            utc(row.expires_at),
            utc(row.closed_at), local(row.closed_at, zone),
            _names(each for each in standing if each.verdict == "approve"),
            _names(each for each in standing if each.verdict == "reject"),
            _names(iter(taken_back)),
            row.note,
        )  # fmt: skip


def _names(rows: Iterator[Decision]) -> str:
    return "; ".join(f"{row.person.full_name} ({row.role.replace('_', ' ')})" for row in rows)


RECONCILIATION = (
    "environment", "id in the org", "result", "change", "checks only", "state in the org",
    "created (UTC)", "created (local)", "created by", "components", "first seen (UTC)",
    "explanation", "explained by", "explained (UTC)",
)  # fmt: skip
RESULTS = {
    Standing.MATCHED: "matched",
    Standing.NO_EFFECT: "not ours, changed nothing",
    Standing.PENDING: "not settled yet",
    Standing.UNEXPLAINED: "unapproved",
}
MISSING = "missing in the org's list"
NOT_SEEN = "org not asked since"


def reconciliation_rows(selection: Selection, zone: ZoneInfo) -> Iterator[Row]:
    """What the org says ran against what Gatehouse says ran, from both sides."""
    ids = executions(selection).values("pk")
    for environment in environments_of(selection):
        reported = _reported(selection, environment)
        if selection.release is not None:
            reported = reported.filter(step__deployment__in=ids)
        for row in reported.iterator(chunk_size=STREAM):
            yield _reported_row(row, environment, zone)
        yield from _unseen(environment, ids, zone)


def _reported(selection: Selection, environment: Environment) -> QuerySet[OrgDeployment]:
    rows = OrgDeployment.objects.filter(environment=environment).select_related(
        "step", "explained_by"
    )
    if selection.since is not None:
        rows = rows.filter(created_at__gte=selection.since)
    if selection.until is not None:
        rows = rows.filter(created_at__lt=selection.until)
    return rows.order_by("created_at", "pk")


def _reported_row(row: OrgDeployment, environment: Environment, zone: ZoneInfo) -> Row:
    change = f"{Deployment.PREFIX}-{row.step.deployment_id}" if row.step else ""
    explained_by = row.explained_by.full_name if row.explained_by else ""
    return (
        environment.name, row.remote_id, RESULTS[Standing(row.standing)], change,
        "yes" if row.check_only else "no", row.status,
        utc(row.created_at), local(row.created_at, zone),
        row.created_by_name or row.created_by_id, row.components_total,
        utc(row.first_seen_at), row.explanation, explained_by, utc(row.explained_at),
    )  # fmt: skip


def _unseen(environment: Environment, ids: Any, zone: ZoneInfo) -> Iterator[Row]:
    """Calls of ours that the org has not listed, though it was asked afterwards or not."""
    looked = last_look(environment)
    steps = (
        Step.objects.filter(deployment__in=ids, deployment__environment=environment)
        .exclude(remote_id="")
        .filter(kind__in=("validate", "deploy"))
        .exclude(remote_id__in=OrgDeployment.objects.filter(environment=environment).values("remote_id"))
        .order_by("started_at", "pk")
    )  # fmt: skip
    for step in steps.iterator(chunk_size=STREAM):
        asked = looked is not None and step.started_at is not None and step.started_at <= looked
        yield (
            environment.name, step.remote_id, MISSING if asked else NOT_SEEN,
            f"{Deployment.PREFIX}-{step.deployment_id}", "yes" if step.effect == "check" else "no",
            "", utc(step.started_at), local(step.started_at, zone), step.worker,
            step.components_total, "", "", "", "",
        )  # fmt: skip


def last_look(environment: Environment) -> datetime | None:
    """When the org was last asked for its own list with success."""
    rows = OrgObservation.objects.filter(environment=environment, state=ObservationState.DONE.value)
    return rows.order_by("-taken_at").values_list("taken_at", flat=True).first()


def looks(selection: Selection) -> list[dict[str, Any]]:
    """How often each org was asked, and how far back: the limits of the reconciliation."""
    found = []
    for environment in environments_of(selection):
        rows = OrgObservation.objects.filter(environment=environment)
        done = rows.filter(state=ObservationState.DONE.value)
        first = done.order_by("since").values_list("since", flat=True).first()
        counted = rows.aggregate(
            done=Count("pk", filter=Q(state="done")), failed=Count("pk", filter=Q(state="failed"))
        )
        found.append(
            {
                "environment": environment.name,
                "asked_with_success": counted["done"],
                "asked_in_vain": counted["failed"],
                "list_reaches_back_to": utc(first) or None,
                "last_asked_at": utc(last_look(environment)) or None,
            }
        )
    return found


EXCEPTIONS = (
    "kind", "object", "environment", "when (UTC)", "when (local)", "who", "what", "still open",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Departure:
    """One departure from the ordinary way."""

    kind: str
    ref: str
    environment: str
    at: datetime | None
    who: str
    what: str
    is_open: bool = False

    def row(self, zone: ZoneInfo) -> Row:
        """The exception as a line of the file."""
        return (
            self.kind, self.ref, self.environment, utc(self.at), local(self.at, zone), self.who,
            self.what, "yes" if self.is_open else "no",
        )  # fmt: skip


def exceptions_of(change: Change) -> Iterator[Departure]:
    """What is out of the ordinary about one attempt."""
    deployment, where = change.deployment, change.deployment.environment.name
    at = deployment.started_at or deployment.created_at
    ref = deployment.public_id
    who = deployment.requester.full_name if deployment.requester else ""
    yield from _emergency(change, ref, where)
    if deployment.settle_outcome:
        by = deployment.settled_by.full_name if deployment.settled_by else ""
        what = f"outcome unknown, settled as {deployment.settle_outcome}: {deployment.settle_note}"
        yield Departure("settled by a person", ref, where, deployment.finished_at, by, what)
    if deployment.state == "unknown":
        yield Departure("outcome unknown", ref, where, at, who, deployment.message, is_open=True)
    begun = deployment.started_at
    if begun and deployment.not_after and begun > deployment.not_after:
        yield Departure("started after its window", ref, where, begun, who, "")
    yield from _conflicts(change, ref, where)
    wrote = change.write is not None and change.write.intended_at is not None
    if wrote and change.request is None and deployment.environment.stage == "PRD":
        yield Departure("write without approval request", ref, where, at, who, "", True)


def _emergency(change: Change, ref: str, where: str) -> Iterator[Departure]:
    row = change.break_glass
    if row is None:
        return
    said = f"{row.incident}: {row.reason}"
    yield Departure(
        "break-glass", ref, where, row.used_at or row.created_at, str(row.asked_by), said
    )
    if row.review_due_at is None:
        return
    ended = row.reviewed_at or clock.now()
    if ended > row.review_due_at:
        by = str(row.reviewed_by) if row.reviewed_by else ""
        due = f"{row.public_id} was due {utc(row.review_due_at)}"
        yield Departure("late review", ref, where, ended, by, due, row.reviewed_at is None)


def _conflicts(change: Change, ref: str, where: str) -> Iterator[Departure]:
    hands = hands_in(change)
    for row in change.decisions:
        counts = row.verdict == "approve" and not hasattr(row, "withdrawal")
        if counts and row.person_id in hands:
            reasons = "; ".join(hands[row.person_id])
            yield Departure(
                "segregation conflict", ref, where, row.decided_at, row.person.full_name, reasons
            )


def exceptions_of_orgs(selection: Selection) -> Iterator[Departure]:
    """Changes in the orgs that no attempt of ours explains."""
    if selection.release is not None:
        return
    for environment in environments_of(selection):
        rows = _reported(selection, environment).filter(standing=Standing.UNEXPLAINED.value)
        for row in rows.iterator(chunk_size=STREAM):
            said = f"; explained: {row.explanation}" if row.explanation else ""
            yield Departure(
                "unexplained change",
                row.remote_id,
                environment.name,
                row.created_at,
                row.created_by_name or row.created_by_id,
                f"{row.components_total} components deployed past Gatehouse ({row.status}){said}",
                row.is_open,
            )
