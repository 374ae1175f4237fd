"""What an environment holds, and the home picture made of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import ProgrammingError, transaction

from core.context import Actor, acting_as
from environments import selectors
from environments.models import Environment
from environments.selectors import Edge
from environments.services import holdings, orgs
from governance import audit
from governance.models import User
from tests.environments.conftest import OTHER_ID, PRD_ID, House, words
from tests.support.databases import as_role

DIGEST = f"sha256:{'a' * 64}"
WORKER = Actor("worker", None, "deploy worker")


def hold(environment: Environment, label: str = "v4.2.0", ref: str = "D-7") -> None:
    with as_role("deploy"), acting_as(WORKER):
        holdings.record(environment.pk, DIGEST, label, ref)


def test_a_write_that_ended_well_is_what_the_org_holds(environment: Environment) -> None:
    hold(environment)
    environment.refresh_from_db()
    assert (environment.holds_digest, environment.holds_label, environment.holds_ref) == (
        DIGEST,
        "v4.2.0",
        "D-7",
    )
    assert environment.hold_state == "deployed"
    assert environment.holds_since is not None
    event = audit.events_for("D-7")[0]
    assert event.sentence == "Gatehouse recorded that Sales CI holds v4.2.0"


def test_a_failed_write_leaves_what_was_there(environment: Environment) -> None:
    hold(environment)
    with as_role("deploy"), acting_as(WORKER):
        holdings.record_failure(environment.pk, "D-8: 1 test failed")
    environment.refresh_from_db()
    assert environment.holds_label == "v4.2.0"
    assert (environment.hold_state, environment.hold_note) == ("failed", "D-8: 1 test failed")


def test_an_unknown_write_is_said_to_be_unknown(environment: Environment) -> None:
    with as_role("deploy"), acting_as(WORKER):
        holdings.record_unknown(environment.pk, "D-8")
    environment.refresh_from_db()
    assert environment.hold_state == "unknown"


def test_web_does_not_say_what_an_org_holds(environment: Environment) -> None:
    with (
        acting_as(WORKER),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        holdings.record(environment.pk, DIGEST, "v1", "D-1")


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what apps above have registered."""
    monkeypatch.setattr(selectors, "_edge_providers", [])


@pytest.fixture
def provider(no_providers: None) -> list[Sequence[Environment]]:
    """A provider of edges that remembers what it was asked."""
    asked: list[Sequence[Environment]] = []

    def edges(user: User, environments: Sequence[Environment]) -> dict[int, Edge]:
        asked.append(environments)
        return {item.pk: Edge(3, "commits wait") for item in environments if item.stage == "CI"}

    selectors.register_edge_counts(edges)
    return asked


def test_the_picture_has_every_track_with_its_stages(
    house: House,
    environment: Environment,
    provider: list[Sequence[Environment]],
) -> None:
    with house.acting("ines"):
        orgs.create(
            team=None,
            stage="PRD",
            words=words(
                name="Production",
                licence_type="production",
                expected_organization_id=PRD_ID,
            ),
        )
    hold(environment)
    picture = selectors.pipeline(house.people["lena"])
    assert [lane.name for lane in picture.lanes] == ["Sales", "Service"]
    sales = picture.lanes[0]
    assert [place.stage.value for place in sales.places] == ["DEV", "CI", "TEST"]
    place = sales.places[1]
    assert place.environment == environment
    assert place.environment is not None
    assert place.environment.holds_label == "v4.2.0"
    assert place.standing.word == "Not connected"
    assert place.edge == Edge(3, "commits wait")
    assert sales.places[0].edge is None
    production = picture.production.places[-1]
    assert (production.stage.value, production.standing.state) == ("PRD", "waiting")
    assert len(provider) == 1


def test_the_picture_of_many_tracks_takes_few_queries(
    house: House, environment: Environment, django_assert_max_num_queries: object
) -> None:
    with house.acting("ines"):
        for index, stage in enumerate(("CI", "PRE-PRD")):
            orgs.create(
                team=None,
                stage=stage,
                words=words(
                    name=stage,
                    licence_type="full",
                    expected_organization_id=(OTHER_ID, PRD_ID)[index],
                ),
            )
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        picture = selectors.pipeline(house.people["lena"])
        assert len([place for lane in picture.every for place in lane.filled]) == 3
        assert all(place.tightest is None for lane in picture.every for place in lane.filled)


def test_a_retired_org_is_not_in_the_picture(house: House, environment: Environment) -> None:
    with house.acting("priya"):
        orgs.retire(environment_id=environment.pk, typed_name=environment.name)
    assert selectors.pipeline(house.people["lena"]).is_empty
