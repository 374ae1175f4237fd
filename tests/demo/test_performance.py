"""The demo's story, played on real servers: what a newcomer finds at the first start.

It is interrupted once and begun again, as a first start that was stopped; so what is found at the
end is also what an interruption leaves intact.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from core import clock
from demo import performance
from demo.content.people import ANA, EVERYBODY, PASSWORD
from demo.content.repositories import git
from demo.play import CALLBACKS, HOUSEHOLDS, RENEWALS, VISITS
from demo.scenery import BOARD
from environments.models import Environment, SandboxRequest
from governance.models import AuditEvent, User
from governance.permissions import can
from governance.services import guards, verifying
from jobs.models import Work
from releases.models import Build, Candidate, Collision, Release
from releases.services import approval
from tests.demo.stage import Stage, stage
from tests.demo.test_repositories import TAGS
from tests.support import databases

pytestmark = pytest.mark.timeout(600)
SOURCE = "SELECT prosrc FROM pg_proc WHERE proname = 'gatehouse_now'"


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Stage]:
    """The stage after the story; the tests of this module only look."""

    def interrupt(told: str) -> None:
        if told.startswith("this week"):
            raise Interrupted

    with django_db_blocker.unblock(), stage(tmp_path_factory.mktemp("stage")) as here:
        with pytest.raises(Interrupted):
            performance.perform(here.places, here.hands, interrupt)
        assert not performance.is_played()
        performance.perform(here.places, here.hands, lambda told: None)
        yield here
        databases.clone()


def release(title: str) -> Release:
    return Release.objects.get(title=title)


def test_story_ends_with_four_releases_at_four_points(played: Stage) -> None:
    states = dict(Release.objects.values_list("title", "state"))

    assert states == {
        RENEWALS.title: "deployed",
        HOUSEHOLDS.title: "submitted",
        VISITS.title: "integrated",
        CALLBACKS.title: "draft",
    }


def test_two_teams_contradict_each_other_and_a_person_has_to_decide(played: Stage) -> None:
    conflict = release(CALLBACKS.title).conflicts.get(settled_at=None)

    assert (conflict.type, conflict.name) == ("CustomLabel", "Callback_Promise")
    assert conflict.teams == ["Sales", "Service"]
    assert Collision.objects.filter(gone_at=None, name="Callback_Promise").count() == 1


def test_first_release_was_deployed_last_week(played: Stage) -> None:
    deployed_at = release(RENEWALS.title).deployed_at

    assert deployed_at is not None
    age = datetime.now(tz=UTC) - deployed_at
    assert timedelta(days=6) < age < timedelta(days=8)


def test_production_holds_what_was_released_and_nothing_more(played: Stage) -> None:
    listed = played.simulator.admin("GET", "/orgs/northwind/metadata")
    names = {entry["name"] for entry in listed}

    assert {"RenewalQuoteService", "CaseReopen", "PromotionCalculator"} <= names
    assert not {"HouseholdRollup", "TierCalculator", "VisitRoute"} & names


def test_second_release_waits_for_ana(played: Stage) -> None:
    card = approval.card(release(HOUSEHOLDS.title))

    assert card.progress is not None
    assert len(card.progress.approvals) == 1
    assert card.progress.may_decide(User.objects.get(email=ANA.email))


@pytest.mark.parametrize(
    ("team", "state"), [("sales", "passed"), ("service", "failed"), ("loyalty", "passed")]
)
def test_newest_build_of_each_team(played: Stage, team: str, state: str) -> None:
    builds = Build.objects.filter(repository__team__slug=team).order_by("pk")

    assert builds.reverse()[0].state == state
    assert [build.state for build in builds][:-1] == ["passed"] * (len(builds) - 1)
    assert len(builds) > 2


def test_every_tag_but_the_oldest_went_through_test(played: Stage) -> None:
    offered = set(Candidate.objects.filter(state="offered").values_list("team__slug", "tag"))

    assert offered == {(team, tag) for team, tags in TAGS.items() for tag in tags[1:]}


def test_every_org_but_a_fresh_copy_is_connected(played: Stage) -> None:
    connections_of_orgs = dict(Environment.objects.live().values_list("name", "connection"))

    assert len(connections_of_orgs) == 12
    assert connections_of_orgs.pop("Sales DEV") == "reconnect"
    assert set(connections_of_orgs.values()) == {"ok"}


def test_sandboxes_are_refreshed_asked_for_and_to_be_connected(played: Stage) -> None:
    requests = SandboxRequest.objects.values_list("environment__name", "state")

    assert dict(requests) == {
        "Loyalty DEV": "done",
        "Sales DEV": "reconnect",
        "Service TEST": "asked",
    }


def test_people_of_the_demo_can_sign_in(played: Stage) -> None:
    joined = {user.email for user in User.objects.all() if user.has_usable_password()}

    assert joined == {person.email for person in EVERYBODY}
    assert User.objects.get(email=ANA.email).check_password(PASSWORD)


def test_board_may_decide_and_teams_may_not(played: Stage) -> None:
    allowed = {user.email for user in User.objects.all() if can(user, "release.decide")}

    assert allowed == {person.email for person in BOARD}


def test_history_was_written_in_the_order_of_time(played: Stage) -> None:
    moments = [
        moment
        for moment in AuditEvent.objects.order_by("pk").values_list("at", flat=True)
        if moment is not None
    ]

    assert moments == sorted(moments)
    assert moments[-1] <= datetime.now(tz=UTC)


def test_no_job_is_in_trouble(played: Stage) -> None:
    assert list(Work.objects.exclude(last_error="").values_list("kind", "last_error")) == []
    assert not Work.objects.filter(lease_until__isnull=False).exists()


def test_clocks_are_right_again(played: Stage) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(SOURCE)
        assert cursor.fetchone()[0].strip() == "select clock_timestamp()"
        cursor.execute("SELECT gatehouse_now() - clock_timestamp()")
        assert abs(cursor.fetchone()[0]) < timedelta(seconds=5)
    assert abs(clock.now() - datetime.now(tz=UTC)) < timedelta(seconds=5)


def test_history_and_its_guards_are_as_the_migrations_left_them(played: Stage) -> None:
    assert guards.drift() == []
    assert verifying.verify(outside=None).problems == []


@pytest.mark.parametrize("team", sorted(TAGS))
def test_repositories_show_everything(played: Stage, team: str) -> None:
    refs = git(played.places.repositories / f"{team}.git", "for-each-ref", "--format=%(refname)")

    assert "refs/northwind" not in refs
    assert {f"refs/tags/{tag}" for tag in TAGS[team]} <= set(refs.split())


def test_story_is_not_played_twice(played: Stage) -> None:
    assert performance.is_played()
