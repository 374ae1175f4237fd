"""A production deployment before a large board, for the bench of the gate and the test of its cost.

Rows are written as they are, past the services: use it in a scratch database only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core import db
from core.digests import digest_json
from environments.models import Environment, Freeze, Track
from environments.states import Connection, FreezeScope, Kind, Licence, Stage, TrackKind
from governance import approvals
from governance.models import (
    ApprovalRequest,
    Decision,
    Membership,
    Policy,
    PolicyVersion,
    Team,
    User,
)
from governance.states import Role
from releases.models import (
    Artefact,
    Candidate,
    Deployment,
    Release,
    ReleaseChange,
    ReleaseItem,
    Repository,
    RunbookItem,
)
from releases.selectors import subject
from releases.services import deployments
from releases.states import DeploymentState, Purpose

BODY = {
    "approvals": [
        {"number": 2, "roles": ["board_member"], "team": None, "when": "always"},
        {"number": 1, "roles": ["board_member"], "team": None, "when": "permissions"},
    ],
    "checks": [
        "build",
        "user_tests",
        "rehearsed",
        "validated",
        "coverage",
        "runbook",
        "backup",
    ],
    "external_checks": ["jenkins/e2e"],
    "min_coverage": 75,
    "backup_max_hours": 24,
    "windows": [{"days": ["mon", "thu"], "from": "22:00", "to": "04:00", "zone": "Europe/Berlin"}],
    "expires_hours": 168,
    "test_level": "RunLocalTests",
}
"""A policy that asks for everything."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is beside the deployment in question."""

    policies: int = 20
    freezes: int = 50
    others: int = 125
    """Requests about other subjects, with two decisions each."""


def load(
    request: ApprovalRequest, environment: Environment, size: Size, voters: list[User]
) -> None:
    """Put policies, freezes, and decisions of these people beside a request that is open."""
    now = db.database_now()
    version, asker = request.policy_version, request.requester
    _policies(size.policies, version)
    _freezes(size.freezes, environment, asker, now)
    _decide(request, voters)
    for number in range(size.others):
        other = approvals.open_request(
            kind=request.subject_kind,
            subject_id=10_000_000 + number,
            digest=digest_json({"other": number}),
            policy_version=version,
            requester=asker,
            exclusions=[],
            unmapped=[],
            expires_at=now + timedelta(days=2),
            label=f"other {number}",
            url="/",
        )
        _decide(other, voters[:2])


def _policies(count: int, like: PolicyVersion) -> None:
    for number in range(count):
        policy = Policy.objects.create(name=f"Bench {number}")
        _version(policy, like.body, like.proposed_by, like.confirmed_by)


def _version(
    policy: Policy, body: dict[str, object], proposed_by: User, confirmed_by: User
) -> PolicyVersion:
    return PolicyVersion.objects.create(
        policy=policy,
        number=1,
        body=body,
        digest=digest_json(body),
        proposed_by=proposed_by,
        confirmed_by=confirmed_by,
    )


def _freezes(count: int, environment: Environment, person: User, now: datetime) -> None:
    """Most are ahead and some repeat, so that each has to be looked at; none holds now."""
    Freeze.objects.bulk_create(
        Freeze(
            scope=FreezeScope.ENVIRONMENT,
            environment=environment,
            name=f"Freeze {number}",
            reason="Bench",
            zone="Europe/Berlin",
            starts_at=now - timedelta(days=100 + number),
            ends_at=now - timedelta(days=99 + number),
            every="year",
            created_by=person,
        )
        for number in range(count)
    )


def board(count: int) -> list[User]:
    """Seat so many people; only the database's owner may, once there is a policy."""
    now = db.database_now()
    team = Team.objects.get(owns_production=True)
    people = User.objects.bulk_create(
        User(email=f"voter{number}@bench.example", full_name=f"Voter {number}")
        for number in range(count)
    )
    Membership.objects.bulk_create(
        Membership(user=user, team=team, role=Role.BOARD_MEMBER, granted_at=now - timedelta(days=9))
        for user in people
    )
    return people


def _decide(request: ApprovalRequest, people: list[User]) -> None:
    Decision.objects.bulk_create(
        Decision(
            request=request,
            person=user,
            digest=request.digest,
            policy_version=request.policy_version,
            policy_digest=request.policy_version.digest,
            verdict="approve",
            role=Role.BOARD_MEMBER,
            decided_at=db.database_now(),
            auth_strength="totp",
        )
        for user in people
    )


def scene() -> tuple[Deployment, ApprovalRequest]:
    """Found a company in an empty database and ask its board about one release."""
    team = Team.objects.create(slug="platform", name="Platform", owns_production=True)
    marek, ana, ben = User.objects.bulk_create(
        User(email=f"{name}@bench.example", full_name=name.title())
        for name in ("marek", "ana", "ben")
    )
    for user, role in (
        (marek, Role.RELEASE_MANAGER),
        (ana, Role.BOARD_MEMBER),
        (ben, Role.BOARD_MEMBER),
    ):
        Membership.objects.create(user=user, team=team, role=role)
    policy = Policy.objects.create(name="Production", governs_board=True)
    version = _version(policy, BODY, ana, ben)
    environment = _production(policy)
    artefact = Artefact.objects.create(
        digest=digest_json("bench"),
        blob="0" * 64,
        zip_size=1,
        unzipped_size=1,
        file_count=1,
        component_count=1,
        api_version="64.0",
        manifest={},
    )
    release = Release.objects.create(title="Bench", version="1.0.0", composed_by=marek)
    Release.objects.filter(pk=release.pk).update(artefact=artefact)
    release.refresh_from_db()
    # Another team's work: the board may decide on it.
    sales = Team.objects.create(slug="sales", name="Sales")
    _contents(release, artefact, sales, marek)
    prepared = deployments.plan(
        purpose=Purpose.PREPARE,
        environment=environment,
        artefact=artefact,
        requester=marek,
        release=release,
        policy_version=version,
    )
    for state in (DeploymentState.RUNNING, DeploymentState.SUCCEEDED):
        Deployment.objects.filter(pk=prepared.pk).update(state=state)
    prepared.refresh_from_db()
    return _asked(release, prepared, version, marek)


def _production(policy: Policy) -> Environment:
    track = Track.objects.create(team=None, kind=TrackKind.PRODUCTION)
    made = Environment.objects.create(
        track=track,
        stage=Stage.PRD,
        kind=Kind.PRODUCTION,
        name="Production",
        licence_type=Licence.PRODUCTION,
        login_host="bench.my.salesforce.com",
        expected_organization_id="00D000000000001AAA",
        policy=policy,
    )
    Environment.objects.filter(pk=made.pk).update(
        organization_id="00D000000000001AAA", is_sandbox=False, connection=Connection.OK
    )
    made.refresh_from_db()
    return made


def _contents(release: Release, artefact: Artefact, team: Team, person: User) -> None:
    ReleaseChange.objects.create(
        release=release,
        artefact=artefact,
        type="ApexClass",
        name="Bench",
        kind=ReleaseChange.Kind.CHANGED,
        teams=[team.slug],
    )
    repository = Repository.objects.create(team=team, url="https://git.bench.example/team.git")
    for number in range(20):
        candidate = Candidate.objects.create(
            repository=repository,
            team=team,
            tag=f"v1.{number}.0",
            sha=f"{number:040x}",
            created_by=person,
            artefact=artefact,
        )
        ReleaseItem.objects.create(
            release=release, candidate=candidate, added_by=person, added_at=db.database_now()
        )
        RunbookItem.objects.create(
            release=release, text=f"Step {number}", owner=person, added_by=person
        )


def _asked(
    release: Release, prepared: Deployment, version: PolicyVersion, person: User
) -> tuple[Deployment, ApprovalRequest]:
    bound = subject.build(
        release=release,
        artefact=prepared.artefact,
        environment=prepared.environment,
        baseline_digest=prepared.baseline_digest,
        plan=deployments.plan_of(Purpose.RELEASE, version, release),
        policy_version=version,
        requester=person,
    )
    deployment = deployments.plan(
        purpose=Purpose.RELEASE,
        environment=prepared.environment,
        artefact=prepared.artefact,
        requester=person,
        release=release,
        preparation=prepared,
        policy_version=version,
        subject_digest=bound.digest(),
    )
    request = approvals.open_request(
        kind="release",
        subject_id=release.pk,
        digest=deployment.subject_digest,
        policy_version=version,
        requester=person,
        exclusions=[],
        unmapped=[],
        expires_at=db.database_now() + timedelta(days=2),
        label=release.title,
        url=release.get_absolute_url(),
    )
    deployments.bind_approval(deployment, request)
    return deployment, request
