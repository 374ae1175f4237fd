"""Freezes: what holds, who may write, and what the database refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from environments.models import Environment, Freeze, Track
from environments.services import calendar
from tests.environments.conftest import CI_ID, PRD_ID, House

NOW = datetime(2026, 12, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def orgs(house: House) -> dict[str, Environment]:
    """Production and the CI org of Sales."""
    production = Track.objects.create(kind="production")
    sales = Track.objects.create(kind="developer", team=house.teams["sales"])
    made = {}
    for name, track, stage, kind, licence, org in (
        ("Production", production, "PRD", "production", "production", PRD_ID),
        ("Sales CI", sales, "CI", "sandbox", "developer", CI_ID),
    ):
        made[name] = Environment.objects.create(
            track=track,
            stage=stage,
            kind=kind,
            name=name,
            licence_type=licence,
            login_host="acme.my.salesforce.com",
            expected_organization_id=org,
        )
    return made


def freeze(house: House, **words: Any) -> Freeze:
    """Write a freeze around NOW."""
    values = {
        "scope": "everything",
        "name": "Year end",
        "reason": "Books are closed.",
        "zone": "Europe/Berlin",
        "starts_at": NOW - HOUR,
        "ends_at": NOW + HOUR,
        "created_by": house.people["marek"],
    }
    return Freeze.objects.create(**{**values, **words})


def codes(environment: Environment, now: datetime = NOW, teams: tuple[int, ...] = ()) -> list[str]:
    return [hold.code for hold in calendar.holding(environment, team_ids=teams, now=now)]


def test_each_scope_holds_what_it_names(house: House, orgs: dict[str, Environment]) -> None:
    production, sales = orgs["Production"], orgs["Sales CI"]
    team = house.teams["sales"]
    cases: list[tuple[dict[str, Any], bool, bool]] = [
        ({"scope": "everything"}, True, True),
        ({"scope": "protected"}, True, False),
        ({"scope": "track", "track": production.track}, True, False),
        ({"scope": "track", "track": sales.track}, False, True),
        ({"scope": "environment", "environment": sales}, False, True),
        ({"scope": "team", "team": team}, False, True),
        ({"scope": "team", "team": house.teams["service"]}, False, False),
        ({"starts_at": NOW, "ends_at": NOW + HOUR}, True, True),
        ({"starts_at": NOW - HOUR, "ends_at": NOW}, False, False),
    ]
    for words, holds_production, holds_sales in cases:
        sid = transaction.savepoint()
        written = freeze(house, **words)
        assert bool(codes(production)) is holds_production, words
        assert bool(codes(sales)) is holds_sales, words
        assert written.public_id == f"F-{written.pk}"
        transaction.savepoint_rollback(sid)


def test_a_teams_freeze_holds_its_work_in_a_release(
    house: House, orgs: dict[str, Environment]
) -> None:
    freeze(house, scope="team", team=house.teams["service"])
    assert codes(orgs["Production"]) == []
    assert codes(orgs["Production"], teams=(house.teams["service"].pk,)) == ["calendar.freeze"]


def test_holds_say_until_when_and_stops_come_first(
    house: House, orgs: dict[str, Environment]
) -> None:
    freeze(house)
    freeze(house, name="Longer", ends_at=NOW + 2 * HOUR)
    freeze(house, kind="stop", scope="protected", name="Login broken", ends_at=None)
    weekly = {"every": "week", "starts_at": NOW - timedelta(days=14), "zone": "UTC"}
    freeze(house, name="Weekly", ends_at=NOW - timedelta(days=13, hours=20), **weekly)
    with CaptureQueriesContext(connection) as queries:
        found = calendar.holding(orgs["Production"], team_ids=(), now=NOW)
    assert len(queries) <= 2  # the track of a fresh row, and the freezes
    assert [hold.kind for hold in found] == ["stop", "freeze", "freeze", "freeze"]
    assert found[0].until is None
    assert "Emergency stop “Login broken”" in found[0].text
    assert [hold.text for hold in found[1:]] == [
        "Freeze “Weekly” until Sun 20 Dec 2026 16:00 UTC.",
        "Freeze “Longer” until Sun 20 Dec 2026 15:00 CET.",
        "Freeze “Year end” until Sun 20 Dec 2026 14:00 CET.",
    ]


@pytest.mark.parametrize(
    "words",
    [
        {"ends_at": None},
        {"ends_at": NOW - HOUR},
        {"scope": "track"},
        {"scope": "world"},
        {"kind": "maintenance"},
        {"every": "day"},
        {"step": 0},
        {"lifted_at": NOW},
    ],
)
def test_the_database_refuses_what_makes_no_sense(house: House, words: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        freeze(house, **words)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Another"},
        {"starts_at": NOW},
        {"scope": "protected"},
        {"ends_at": NOW + timedelta(minutes=1)},
        {"lifted_at": NOW, "lifted_by_id": 1},
    ],
)
def test_a_freeze_only_ever_lasts_longer(house: House, change: dict[str, Any]) -> None:
    written = freeze(house)
    if "lifted_by_id" in change:
        change = {**change, "lifted_by_id": house.people["ana"].pk}
    with pytest.raises(DatabaseError), transaction.atomic():
        Freeze.objects.filter(pk=written.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        Freeze.objects.filter(pk=written.pk).delete()
    Freeze.objects.filter(pk=written.pk).update(ends_at=NOW + 5 * HOUR)
