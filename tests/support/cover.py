"""A production deployment that waits for its cover, for tests of the floor under the gate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction

from core.db import database_now
from governance import approvals
from governance.models import ApprovalRequest, Decision, User
from releases.models import Deployment, Release, ReleaseChange, Step
from releases.services import deployments
from releases.states import Purpose, StepKind, StepState
from tests.support.company import Company, acting, hex_of
from tests.support.company.work import package
from tests.support.databases import as_role, role_connection
from tests.support.moves import reach

DIGEST = f"sha256:{hex_of('what is approved')}"


@dataclass
class Case:
    """A running deployment to production with its request, one step before the intent."""

    company: Company
    release: Release
    deployment: Deployment
    request: ApprovalRequest

    @property
    def write(self) -> Step:
        """The step that would write."""
        return self.deployment.steps.get(kind=StepKind.DEPLOY)

    def decide(self, name: str, verdict: str = "approve") -> None:
        """A person decides through the service."""
        with acting(self.company.people[name]):
            approvals.decide(
                request_id=self.request.pk,
                verdict=verdict,
                comment="Read it.",
                shown_digest=DIGEST,
                current_digest=DIGEST,
                auth_strength="password",
            )

    def withdraw(self, name: str) -> None:
        """A person takes the decision back through the service."""
        with acting(self.company.people[name]):
            approvals.withdraw_decision(request_id=self.request.pk)

    def decision(self, name: str) -> Decision:
        """A person's decision."""
        return Decision.objects.get(request=self.request, person=self.company.people[name])


@transaction.atomic
def asked(company: Company, *approvers: str, run: bool = True, **changes: Any) -> Case:
    """Plan a deployment to production, ask about it, let these approve, and start it."""
    release = company.releases["November train"]
    environment = company.orgs["Production"]
    assert company.policy_version is not None
    with as_role("build"):
        release.artefact = package("covered")
        release.save(update_fields=["artefact"])
        ReleaseChange.objects.get_or_create(
            release=release,
            artefact=release.artefact,
            base_snapshot=release.base_snapshot,
            type="ApexClass",
            name="RenewalQuote",
            kind=ReleaseChange.Kind.CHANGED,
        )
    with acting(company.people["marek"]):
        deployment = deployments.plan(
            purpose=Purpose.RELEASE,
            environment=environment,
            artefact=release.artefact,
            requester=company.people["marek"],
            release=release,
            policy_version=company.policy_version,
            subject_digest=DIGEST,
        )
        arguments: dict[str, Any] = {
            "kind": "release",
            "subject_id": release.pk,
            "digest": DIGEST,
            "policy_version": company.policy_version,
            "requester": company.people["marek"],
            "exclusions": [],
            "unmapped": [],
            "expires_at": database_now() + timedelta(hours=1),
            "label": "November train",
            "url": "/",
        }
        request = approvals.open_request(**(arguments | changes))
        deployments.bind_approval(deployment, request)
    case = Case(company, release, deployment, request)
    for name in approvers:
        case.decide(name)
    if run:
        with as_role("deploy"):
            reach(deployment, "running")
    return case


def intend(step: Step) -> None:
    """Write the intent as a deploy worker, with no gate before it."""
    with transaction.atomic(), as_role("deploy"):
        Step.objects.filter(pk=step.pk).update(state=StepState.INTENDED)


def refusal(step: Step) -> str:
    """What the floor answers to the intent; empty when it lets it pass. Nothing is kept."""
    try:
        with transaction.atomic():
            intend(step)
            transaction.set_rollback(True)
    except DatabaseError as error:
        if sqlstate(error) != "P0F02":
            raise
        return str(error).partition("may not write: ")[2].splitlines()[0]
    return ""


def sqlstate(error: BaseException) -> str:
    """The code with which PostgreSQL refused."""
    return str(getattr(error.__cause__, "sqlstate", ""))


def execute(role: str, statement: str, *values: Any) -> int:
    """Run a statement as a role, past every service; returns how many rows it met."""
    with transaction.atomic(), as_role(role), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


CLOCK = (
    "CREATE OR REPLACE FUNCTION gatehouse_now() RETURNS timestamptz LANGUAGE sql VOLATILE "
    "SET search_path = pg_catalog AS $$ SELECT clock_timestamp() + make_interval(mins => {}) $$"
)


@contextmanager
def later(*, minutes: int) -> Iterator[None]:
    """Move the database's clock, as only its owner may; then it is to the letter as it was.

    The verifier of the history names a clock that reads otherwise, even if it tells the same time.
    """
    with role_connection("owner", autocommit=True) as owner:
        (before,) = owner.execute(
            "SELECT pg_get_functiondef('gatehouse_now()'::regprocedure)"
        ).fetchone() or ("",)
    set_clock(minutes)
    try:
        yield
    finally:
        _wind(before)


def set_clock(minutes: int) -> None:
    """Let the database's clock be so many minutes ahead, until the database is cloned anew."""
    _wind(CLOCK.format(minutes))


def _wind(clock: str) -> None:
    with role_connection("owner", autocommit=True) as owner:
        owner.execute(clock)
    if connection.in_atomic_block:
        # Within a transaction PostgreSQL looks at what others defined anew when it takes a lock
        # that it does not hold yet. Going back to the savepoint gives this one away again.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_catalog.pg_ts_template LIMIT 0")
            transaction.set_rollback(True)


def exclude(case: Case, user: User) -> None:
    """Exclude somebody by force."""
    execute(
        "web",
        "INSERT INTO governance_exclusion (request_id, user_id, reason) VALUES (%s, %s, 'wrote')",
        case.request.pk,
        user.pk,
    )
