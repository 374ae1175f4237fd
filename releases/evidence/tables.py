"""The CSV files of a pack about attempts: population, reconciliation and requests.

Each function yields rows one at a time. Every moment is written twice, in UTC and on the local
clock of whoever asked for the pack.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from environments.models import Environment
from environments.states import Stage
from governance.models import ApprovalRequest, Decision
from releases.evidence.population import Selection, environments_of, executions
from releases.evidence.record import Change
from releases.evidence.record.about import class_of
from releases.evidence.record.authorised import counts
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
    "approvals", "approved by", "requested by", "worker", "ids in the org", "record",
)  # fmt: skip


def population_row(change: Change, zone: ZoneInfo) -> Row:
    """One attempt, from the same facts as its record."""
    deployment, release, policy = change.deployment, change.release, change.policy
    write = change.write
    approvals = [
        row
        for row in change.decisions
        if row.verdict == "approve" and not hasattr(row, "withdrawal")
    ]
    worker = next((step.worker for step in reversed(change.steps) if step.worker), "")
    return (
        deployment.public_id,
        release.public_id if release else "",
        release.title if release else "",
        class_of(change),
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
        len(approvals),
        _names(iter(approvals)),
        deployment.requester.full_name if deployment.requester else "",
        worker,
        " ".join(step.remote_id for step in change.steps if step.remote_id),
        f"changes/{deployment.public_id}.json",
    )  # fmt: skip


REQUESTS = (
    "request", "kind", "about", "state", "outcome", "carried out by", "subject digest", "policy",
    "requested by",
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
        wrote = _carried_out(row)
        yield (
            row.public_id,
            row.subject_kind,
            row.label,
            row.state,
            _outcome(row, wrote),
            " ".join(wrote),
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


def _outcome(row: ApprovalRequest, carried_out: list[str]) -> str:
    """What became of a question, in words: a state alone says too little once time is over."""
    counted = sum(1 for each in row.decisions.all() if counts(each))
    return {
        "open": "waits for answers",
        "satisfied": "approved and carried out" if carried_out else "approved",
        "used": "approved and carried out",
        "rejected": "rejected",
        "withdrawn": "withdrawn by whoever asked",
        "superseded": "voided: what was asked about, or the rule, changed",
        "expired": (
            "approved and carried out; its time ended afterwards"
            if carried_out
            else f"its time ended with {counted} approvals; nothing was carried out under it"
        ),
    }.get(row.state, row.state)


def _carried_out(row: ApprovalRequest) -> list[str]:
    """Attempts that wrote under this approval."""
    wrote = Step.objects.filter(effect="write", intended_at__isnull=False)
    rows = Deployment.objects.filter(approval=row).filter(
        Exists(wrote.filter(deployment=OuterRef("pk")))
    )
    return [f"{Deployment.PREFIX}-{number}" for number in rows.values_list("pk", flat=True)]


def _names(rows: Iterator[Decision]) -> str:
    return "; ".join(f"{row.person.full_name} ({row.role.replace('_', ' ')})" for row in rows)


RECONCILIATION = (
    "environment", "id in the org", "result", "change", "checks only", "state in the org",
    "sent by Gatehouse (UTC)", "created in the org (UTC)", "created in the org (local)",
    "created by", "components", "first seen (UTC)",
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
        for row in reported(selection, environment, ids).iterator(chunk_size=STREAM):
            yield _reported_row(row, environment, zone)
        yield from _unseen(environment, ids, zone)


def reported(
    selection: Selection, environment: Environment, ids: Any = ()
) -> QuerySet[OrgDeployment]:
    """What the org lists in the period by its own clock, and every call of these attempts."""
    rows = OrgDeployment.objects.filter(environment=environment).select_related(
        "step", "explained_by"
    )
    ours = Q(step__deployment__in=ids)
    if selection.release is not None:
        return rows.filter(ours).order_by("created_at", "pk")
    within = Q()
    if selection.since is not None:
        within &= Q(created_at__gte=selection.since)
    if selection.until is not None:
        within &= Q(created_at__lt=selection.until)
    return rows.filter(within | ours).order_by("created_at", "pk")


def _reported_row(row: OrgDeployment, environment: Environment, zone: ZoneInfo) -> Row:
    change = f"{Deployment.PREFIX}-{row.step.deployment_id}" if row.step else ""
    explained_by = row.explained_by.full_name if row.explained_by else ""
    return (
        environment.name, row.remote_id, RESULTS[Standing(row.standing)], change,
        "yes" if row.check_only else "no", row.status,
        utc(row.step.intended_at) if row.step else "",
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
            "", utc(step.intended_at), "", "", step.worker,
            step.components_total, "", "", "", "",
        )  # fmt: skip


def last_look(environment: Environment) -> datetime | None:
    """When the org was last asked for its own list with success."""
    rows = OrgObservation.objects.filter(environment=environment, state=ObservationState.DONE.value)
    return rows.order_by("-taken_at").values_list("taken_at", flat=True).first()


def looks(selection: Selection) -> list[dict[str, Any]]:
    """How often each org was asked, and how far back: the limits of the reconciliation."""
    found = []
    for environment in environments_of(selection).exclude(stage=Stage.CANARY.value):
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
