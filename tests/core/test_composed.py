"""A composed question answers as the queryset does that it was composed from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Value
from django.db.utils import DataError
from django.test.utils import CaptureQueriesContext

from core import db
from core.composed import Composed, Given, together
from governance.models import Membership, Team, User
from governance.states import Role

pytestmark = pytest.mark.django_db

MEMBERS = Composed(
    lambda: (
        Membership.objects.filter(
            user__email__in=Given("emails", "text[]"), granted_at__lte=Given("now", "timestamptz")
        )
        .select_related("user", "team")
        .annotate(one=Value(1))
        .order_by("pk")
    )
)
GRANTED = Composed(
    lambda: (
        Membership.objects.filter(team=Given("team", "bigint"))
        .order_by("pk")
        .values_list("user__email", "granted_at", "role")
    )
)


@pytest.fixture
def seats() -> list[Membership]:
    team = Team.objects.create(slug="sales", name="Sales")
    people = [User.objects.create(email=f"{name}@example.com") for name in ("ana", "ben", "cho")]
    return [Membership.objects.create(user=user, team=team, role=Role.DEVELOPER) for user in people]


def test_rows_of_the_model_come_with_what_was_joined_and_annotated(
    seats: list[Membership],
) -> None:
    emails = ["ana@example.com", "cho@example.com"]
    for _ in range(7):  # PostgreSQL may choose another plan from the sixth time on
        with CaptureQueriesContext(connection) as asked:
            found = MEMBERS(emails=emails, now=db.database_now())
            told = [(row.user.email, row.team.slug, row.granted_at, row.one) for row in found]
        assert found == [seats[0], seats[2]]
        assert told == [(row.user.email, "sales", row.granted_at, 1) for row in found]
        assert len(asked) == 2, "the clock, and one question"
    assert MEMBERS(emails=emails, now=seats[0].granted_at - timedelta(days=1)) == []
    assert MEMBERS(emails=[], now=db.database_now()) == []


def test_tuples_are_those_of_the_queryset(seats: list[Membership]) -> None:
    rows = Membership.objects.filter(team=seats[0].team).order_by("pk")
    wanted = list(rows.values_list("user__email", "granted_at", "role"))
    assert GRANTED(team=seats[0].team_id) == wanted
    moment = GRANTED(team=seats[0].team_id)[0][1]
    assert moment.isoformat() == wanted[0][1].isoformat()


def test_what_is_missing_and_what_does_not_fit_is_an_error(seats: list[Membership]) -> None:
    with pytest.raises(KeyError):
        GRANTED()
    with pytest.raises(DataError):
        GRANTED(team="sales")


def test_together_each_finds_its_own_answer_and_it_is_used_once(seats: list[Membership]) -> None:
    team, now = seats[0].team_id, db.database_now()
    wanted = GRANTED(team=team)
    emails = ["ana@example.com", "cho@example.com"]
    with (
        CaptureQueriesContext(connection) as sent,
        together([GRANTED.asked(team=team), MEMBERS.asked(emails=emails, now=now)]),
    ):
        ahead = len(sent)
        # The order in a list does not matter.
        assert MEMBERS(emails=emails[::-1], now=now) == [seats[0], seats[2]]
        assert GRANTED(team=team) == wanted
        assert (ahead, len(sent)) == (2, 2)
        assert GRANTED(team=team) == wanted
        assert len(sent) == 3, "asked again, and answered afresh"
    with CaptureQueriesContext(connection) as sent:
        assert GRANTED(team=team) == wanted
    assert len(sent) == 1, "nothing is kept"


def test_a_wrong_guess_is_asked_again_and_never_answers_another_question(
    seats: list[Membership],
) -> None:
    team, now = seats[0].team_id, db.database_now()
    guesses = [GRANTED.asked(team=team + 1), MEMBERS.asked(emails=["ana@example.com"], now=now)]
    with together(guesses):
        assert len(GRANTED(team=team)) == 3
        assert MEMBERS(emails=["ben@example.com"], now=now) == [seats[1]]


def test_an_error_among_questions_asked_together_reaches_the_asker(
    seats: list[Membership],
) -> None:
    asked = [GRANTED.asked(team=seats[0].team_id), GRANTED.asked(team="sales")]
    with pytest.raises(DataError), transaction.atomic(), together(asked):
        pytest.fail("there is no answer")
    assert len(GRANTED(team=seats[0].team_id)) == 3, "the connection is usable"
