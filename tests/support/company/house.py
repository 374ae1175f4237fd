"""People, the policy and the orgs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from environments.models import Credential, Environment, Maintenance, StagePolicy, Track
from environments.selectors_calendar import Target
from environments.services import calendar as services
from environments.services import imports, lifting
from environments.services.calendar import Words
from environments.states import FreezeScope
from governance.models import Membership, Policy, PolicyVersion, Team, User
from governance.policies import digest_of
from tests.support.company.rows import Company, acting
from tests.support.databases import as_role

POLICY = {
    "approvals": [{"number": 2, "roles": ["board_member"], "team": None, "when": "always"}],
    "expires_hours": 168,
    "test_level": "RunLocalTests",
}

NOBODY_ASKED = {**POLICY, "approvals": []}
ONE_MANAGER = {
    "approvals": [{"number": 1, "roles": ["release_manager"], "team": None, "when": "always"}],
    "expires_hours": 168,
    "test_level": "NoTestRun",
}


def people(company: Company) -> None:
    for slug, owns in (("platform", True), ("sales", False), ("service", False)):
        company.teams[slug] = Team.objects.create(
            slug=slug, name=slug.title(), owns_production=owns
        )
    rows = (
        ("ana", "Ana Keller", "platform", "board_member"),
        ("ben", "Ben Okafor", "platform", "board_member"),
        ("jonas", "Jonas Lind", "platform", "board_member"),
        ("marek", "Marek Novák", "platform", "release_manager"),
        ("ines", "Inês Duarte", "platform", "admin"),
        ("paul", "Paul Weiss", "platform", "auditor"),
        ("priya", "Priya Raman", "sales", "team_lead"),
        ("lena", "Lena Vogt", "sales", "developer"),
        ("tomas", "Tomás Ruiz", "service", "team_lead"),
        ("chloe", "Chloé Martin", "service", "developer"),
    )
    for key, name, team, role in rows:
        user = User.objects.create(
            email=f"{key}@northwind.example", full_name=name, zone="Europe/Berlin"
        )
        company.people[key] = user
        with as_role("owner"):  # for the database dates what others write
            Membership.objects.create(
                user=user, team=company.teams[team], role=role, granted_at=company.ago(days=90)
            )


def policy(company: Company) -> None:
    production = Policy.objects.create(name="Production", governs_board=True)
    company.unasked = Policy.objects.create(name="Integration")
    of_sandboxes = [Policy.objects.create(name=name) for name in ("Sandboxes", "Sandboxes CI")]
    company.policy_version = _version(company, production, POLICY)
    _version(company, company.unasked, NOBODY_ASKED)
    for made, body in zip(of_sandboxes, (ONE_MANAGER, NOBODY_ASKED), strict=True):
        _version(company, made, body)


def _version(company: Company, policy: Policy, body: dict[str, Any]) -> PolicyVersion:
    return PolicyVersion.objects.create(
        policy=policy,
        number=1,
        body=body,
        digest=digest_of(policy, 1, body),
        proposed_by=company.people["ana"],
        confirmed_by=company.people["ben"],
    )


def orgs(company: Company) -> None:
    assert company.policy_version is not None
    for slug in ("sales", "service"):
        track = Track.objects.create(team=company.teams[slug], kind="developer")
        for stage, licence in (("CI", "developer_pro"), ("TEST", "partial_copy")):
            org(company, track, stage, f"{slug.title()} {stage}", licence)
    track = Track.objects.create(team=None, kind="production")
    assert company.unasked is not None
    unasked = company.unasked
    for stage, chosen in (
        ("CI", unasked),
        ("PRE-PRD", unasked),
        ("PRD", company.policy_version.policy),
    ):
        StagePolicy.objects.create(track_kind="production", stage=stage, policy=chosen)
    org(company, track, "CI", "Integration", "developer_pro", policy=unasked)
    org(company, track, "PRE-PRD", "Rehearsal", "full", policy=unasked)
    org(company, track, "PRD", "Production", "production", policy=company.policy_version.policy)


def org(company: Company, track: Track, stage: str, name: str, licence: str, **more: Any) -> None:
    number = len(company.orgs) + 1
    org_id = f"00D{number:012d}AAA"
    kind = "production" if stage == "PRD" else "sandbox"
    org = Environment.objects.create(
        track=track,
        stage=stage,
        kind=kind,
        name=name,
        licence_type=licence,
        login_host=f"northwind--{name.lower().replace(' ', '')}.sandbox.my.salesforce.com",
        expected_organization_id=org_id,
        **more,
    )
    Credential.objects.create(
        environment=org,
        flow="jwt",
        purpose="org-production" if kind == "production" else "org-sandbox",
        key_id="k1",
        ciphertext=b"sealed",
        client_id="3MVG9client",
        username=f"gatehouse@northwind.example.{number}",
        set_by=company.people["ines"],
    )
    with as_role("deploy"):
        org.organization_id = org_id
        org.is_sandbox = kind == "sandbox"
        org.organization_name = "Northwind Traders"
        org.instance_name = f"EU{number}S"
        org.limits = {"DailyApiRequests": [15000, 5000], "DataStorageMB": [200, 12]}
        org.connection = "ok"
        org.checked_at = company.ago(minutes=30)
        org.save(
            update_fields=[
                "organization_id",
                "is_sandbox",
                "organization_name",
                "instance_name",
                "limits",
                "connection",
                "checked_at",
            ]
        )
    company.orgs[name] = org


def hold(company: Company, name: str, label: str, digest: str, state: str = "deployed") -> None:
    with as_role("deploy"):
        Environment.objects.filter(pk=company.orgs[name].pk).update(
            holds_digest=digest,
            holds_label=label,
            holds_since=company.ago(hours=5),
            hold_state=state,
            hold_note="" if state == "deployed" else "1 test failed",
        )
    company.orgs[name].refresh_from_db()


def calendar(company: Company) -> None:
    """A freeze that the board is asked to lift, one that comes back, and somebody's maintenance."""
    with acting(company.people["marek"]):
        for name, scope, every in (
            ("Year end", FreezeScope.PROTECTED, ""),
            ("Weekends", FreezeScope.EVERYTHING, "week"),
        ):
            begins = (company.now + timedelta(days=30)).replace(tzinfo=None)
            company.freezes[name] = services.freeze(
                words=Words(
                    name=name,
                    reason="The books are closed.",
                    target=Target(scope),
                    zone="Europe/Berlin",
                    starts=begins,
                    ends=begins + timedelta(days=2),
                    every=every,
                )
            )
        lifting.ask(freeze_id=company.freezes["Year end"].pk, ends=None, reason="Done early.")
        source = imports.add(name="Trust", content="BEGIN:VCALENDAR")
    with as_role("build"):
        company.maintenance.append(
            Maintenance.objects.create(
                source=source,
                uid="w27",
                name="Salesforce Winter release",
                starts_at=company.now + timedelta(days=9),
                ends_at=company.now + timedelta(days=9, hours=5),
                zone="America/Los_Angeles",
            )
        )
