"""A small house with a board's policy, something of every scope, and freezes on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.db import database_now
from environments.models import Environment, Freeze, Track
from environments.selectors_calendar import Target
from environments.services import calendar, lifting
from environments.services.calendar import Words
from environments.states import FreezeScope
from governance.models import Policy, PolicyVersion
from tests.environments.conftest import CI_ID, PRD_ID, House, build_house

BODY = {
    "approvals": [
        {"number": 2, "roles": ["board_member", "admin"], "team": None, "when": "always"}
    ],
    "expires_hours": 24,
    "test_level": "RunLocalTests",
}
HOUR = timedelta(hours=1)


def governed_house() -> House:
    """Teams, people, and the policy that governs the board's own acts."""
    made = build_house()
    policy = Policy.objects.create(name="Production", governs_board=True)
    PolicyVersion.objects.create(
        policy=policy,
        number=1,
        body=BODY,
        digest="sha256:" + "0" * 64,
        proposed_by=made.people["ana"],
        confirmed_by=made.people["ben"],
    )
    return made


def org(track: Track, stage: str, name: str, organization: str) -> Environment:
    kind = "production" if stage == "PRD" else "sandbox"
    return Environment.objects.create(
        track=track,
        stage=stage,
        kind=kind,
        name=name,
        licence_type="production" if kind == "production" else "developer",
        login_host="acme.my.salesforce.com",
        expected_organization_id=organization,
    )


def targets_of(house: House) -> dict[str, Target]:
    """One target of each kind."""
    production = Track.objects.create(kind="production")
    sales = Track.objects.create(kind="developer", team=house.teams["sales"])
    prd = org(production, "PRD", "Production", PRD_ID)
    sandbox = org(sales, "CI", "Sales CI", CI_ID)
    return {
        "everything": Target(FreezeScope.EVERYTHING),
        "protected": Target(FreezeScope.PROTECTED),
        "production track": Target(FreezeScope.TRACK, track=production),
        "production": Target(FreezeScope.ENVIRONMENT, environment=prd),
        "sandbox": Target(FreezeScope.ENVIRONMENT, environment=sandbox),
        "sales track": Target(FreezeScope.TRACK, track=sales),
        "sales": Target(FreezeScope.TEAM, team=house.teams["sales"]),
    }


def words(target: Target, hours: float = 5) -> Words:
    now = database_now().replace(tzinfo=None)
    return Words("Year end", "Books.", target, "UTC", now - HOUR, now + hours * HOUR)


def frozen(house: House, target: Target, who: str = "marek") -> Freeze:
    with house.acting(who):
        return calendar.freeze(words=words(target))


def decide(house: House, who: str, freeze: Freeze, verdict: str = "approve") -> None:
    asked = lifting.question(freeze)
    assert asked is not None
    with house.acting(who):
        lifting.decide(
            freeze_id=freeze.pk,
            verdict=verdict,
            comment="read",
            shown_digest=asked.request.digest,
            auth_strength="password",
        )
    freeze.refresh_from_db()


def ask(house: House, who: str, freeze: Freeze, ends: datetime | None = None) -> None:
    with house.acting(who):
        lifting.ask(freeze_id=freeze.pk, ends=ends, reason="It works again.")
    freeze.refresh_from_db()
