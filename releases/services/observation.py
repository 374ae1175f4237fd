"""Keep what orgs list about their own deployments, and find what Gatehouse did not send (I-27).

A deployment that the org lists is *matched* when a step of ours holds its id, and had *no effect*
when it only checked or failed. It is *pending* while it runs, or while a call of ours by the same
user has no id yet, which may be this very one. Whatever remains changed the org past Gatehouse: it
is *unexplained* until a person says where it came from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from core import db
from environments.models import Environment
from environments.states import Connection, Stage
from governance import audit, notices
from governance.permissions import demand
from governance.selectors import people
from governance.states import Role
from jobs.wake import wake
from releases.evidence.population import protected
from releases.models import OrgDeployment, OrgObservation, Step
from releases.states import ObservationState, Standing, StepState
from salesforce.types import DeployRequestRow

KIND = "releases.observation"
SWEEP_KIND = "releases.observation_sweep"
SWEEP_SUBJECT = 1
EVERY_SECONDS = 900
OVERLAP = timedelta(days=1)
"""Looked at again each time: a deployment is listed when it is asked for and changes until done."""

CHANGED = frozenset({"Succeeded", "SucceededPartial"})
TOLD = (Role.BOARD_MEMBER, Role.RELEASE_MANAGER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Look:
    """What an org answered, by whom it was asked and from when on."""

    environment: Environment
    since: datetime
    our_user_id: str
    rows: tuple[DeployRequestRow, ...]


@transaction.atomic
def ask_now(*, environment_id: int) -> Environment:
    """Ask a deploy worker to look at an org at once."""
    demand("evidence.make")
    environment = protected().get(pk=environment_id)
    subject = environment
    audit.record("observation.asked", subject, facts={"environment": environment.name})
    wake(KIND, environment.pk)
    return environment


@transaction.atomic
def wake_all() -> None:
    """Have every protected org that is connected looked at."""
    ask_about(protected())


def ask_about(environments: QuerySet[Environment]) -> None:
    """Have those of the environments looked at that can be. Within a transaction."""
    for number in _reachable(environments).values_list("pk", flat=True):
        wake(KIND, number)


def awaited(environments: QuerySet[Environment], asked_at: datetime) -> bool:
    """Whether an org that can be looked at was not looked at since; a look that failed counts."""
    looks = OrgObservation.objects.filter(environment=OuterRef("pk"), taken_at__gte=asked_at)
    return _reachable(environments).filter(~Exists(looks)).exists()


def _reachable(environments: QuerySet[Environment]) -> QuerySet[Environment]:
    """Orgs that can be asked; the canary is none, and its silence is no gap of the evidence."""
    connected = environments.filter(retired_at__isnull=True, connection=Connection.OK.value)
    return connected.exclude(stage=Stage.CANARY)


def begins(environment: Environment) -> datetime:
    """From when on to ask: since the last look, or since Gatehouse knows the org."""
    last = OrgObservation.objects.filter(environment=environment, state=ObservationState.DONE.value)
    taken = last.order_by("-taken_at").values_list("taken_at", flat=True).first()
    return max(environment.created_at, taken - OVERLAP) if taken else environment.created_at


def failed(environment: Environment, since: datetime, problem: str) -> None:
    """Keep that an org could not be asked: the gap belongs to the evidence."""
    OrgObservation.objects.create(
        environment=environment,
        state=ObservationState.FAILED.value,
        since=since,
        taken_at=db.database_now(),
        message=problem,
    )


def keep(look: Look) -> list[OrgDeployment]:
    """Write down what an org lists; returns what is unexplained and new. Within a transaction."""
    now = db.database_now()
    environment = look.environment
    known = {
        row.remote_id: row
        for row in OrgDeployment.objects.filter(environment=environment).filter(
            Q(remote_id__in=[row.id for row in look.rows])
        )
    }
    steps = _steps(environment, [row.id for row in look.rows])
    doubt = _has_doubt(environment)
    found = []
    for listed in look.rows:
        standing = _standing(listed, steps.get(listed.id), doubt and _ours(look, listed))
        row = known.get(listed.id) or _new(look, listed, now)
        was = row.standing
        row.status, row.components_total = listed.status, listed.components_total
        row.completed_at, row.seen_at = listed.completed_at, now
        row.created_by_name = listed.created_by_name[:255]
        row.standing, row.step = standing.value, steps.get(listed.id)
        _save(row)
        if standing is Standing.UNEXPLAINED and was != standing:
            found.append(row)
    OrgObservation.objects.create(
        environment=environment,
        state=ObservationState.DONE.value,
        organization_id=environment.organization_id or "",
        since=look.since,
        taken_at=now,
        listed=len(look.rows),
    )
    for row in found:
        _tell(row)
    return found


def _new(look: Look, listed: DeployRequestRow, now: datetime) -> OrgDeployment:
    return OrgDeployment(
        environment=look.environment,
        organization_id=look.environment.organization_id or "",
        remote_id=listed.id,
        check_only=listed.check_only,
        created_by_id=listed.created_by_id,
        created_at=listed.created_at,
        first_seen_at=now,
    )


def _save(row: OrgDeployment) -> None:
    """Insert, or write only what a deploy worker may write."""
    if row._state.adding:
        row.save()
        return
    row.save(
        update_fields=[
            "status",
            "components_total",
            "created_by_name",
            "completed_at",
            "seen_at",
            "standing",
            "step",
        ]
    )


def _steps(environment: Environment, remote_ids: Iterable[str]) -> dict[str, Step]:
    rows = Step.objects.filter(deployment__environment=environment, remote_id__in=list(remote_ids))
    return {row.remote_id: row for row in rows}


def _has_doubt(environment: Environment) -> bool:
    """Whether a call of ours was intended and its id is not known yet."""
    return Step.objects.filter(
        deployment__environment=environment,
        state__in=[StepState.INTENDED, StepState.UNKNOWN],
        remote_id="",
    ).exists()


def _ours(look: Look, listed: DeployRequestRow) -> bool:
    return listed.created_by_id[:15] == look.our_user_id[:15]


def _standing(listed: DeployRequestRow, step: Step | None, may_be_ours: bool) -> Standing:
    if step is not None:
        return Standing.MATCHED
    if listed.check_only:
        return Standing.NO_EFFECT
    if listed.completed_at is None or may_be_ours:
        return Standing.PENDING
    return Standing.UNEXPLAINED if listed.status in CHANGED else Standing.NO_EFFECT


def _tell(row: OrgDeployment) -> None:
    environment = row.environment
    by = row.created_by_name or row.created_by_id
    subject = audit.Subject("org_deployment", row.pk, f"org_deployment:{row.pk}", row.remote_id)
    audit.record(
        "observation.unexplained",
        subject,
        related=[environment],
        facts={
            "environment": environment.name,
            "components": row.components_total,
            "by": by,
            "at": row.created_at,
        },
    )
    notices.send(
        people.holders(TOLD),
        f"{environment.name} was changed past Gatehouse",
        f"{by} deployed {row.components_total} components to {environment.name} "
        f"({row.remote_id}, {row.status}), and Gatehouse did not send them. Find out where they "
        f"came from and explain it: {notices.absolute('/evidence/orgs/?show=open')}",
        related=[environment.public_id],
    )
