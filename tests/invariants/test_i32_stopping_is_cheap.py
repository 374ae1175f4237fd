"""I-32: stopping is always cheaper than starting: one authorised person can freeze/stop at once;
lifting needs the sign-offs. *Test:* permissions matrix.
"""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from core.db import database_now
from core.errors import DomainError, InvalidInput, NotAllowed, NotNow, Stale
from environments.models import Freeze, FreezeLift
from environments.selectors_calendar import Target
from environments.services import calendar, lifting
from governance import policies
from governance.models import ApprovalRequest, AuditEvent
from tests.environments.calendars import (
    HOUR,
    ask,
    decide,
    frozen,
    governed_house,
    targets_of,
)
from tests.environments.conftest import House
from tests.support.databases import as_role

PEOPLE = ("ana", "ben", "marek", "ines", "paul", "priya", "lena", "tomas")
BOARD = {"ana", "ben", "marek", "ines"}  # board members, the release manager, an admin


@pytest.fixture
def house(db: None) -> House:
    return governed_house()


@pytest.fixture
def targets(house: House) -> dict[str, Target]:
    """One target of each kind."""
    return targets_of(house)


def is_lifted(freeze: Freeze) -> bool:
    return freeze.lifted_at is not None


MAY = {
    "everything": BOARD,
    "protected": BOARD,
    "production track": BOARD,
    "production": BOARD,
    "sandbox": BOARD,
    "sales track": BOARD | {"priya"},
    "sales": BOARD | {"priya"},
}


@pytest.mark.parametrize("name", sorted(MAY))
def test_i32_who_may_freeze_and_that_it_holds_at_once(
    house: House, targets: dict[str, Target], name: str
) -> None:
    for person in PEOPLE:
        if person not in MAY[name]:
            with pytest.raises(NotAllowed):
                frozen(house, targets[name], person)
            continue
        made = frozen(house, targets[name], person)
        assert made.plan.at(database_now()) is not None
    events = AuditEvent.objects.filter(event="freeze.created").count()
    assert events == Freeze.objects.count() == len(MAY[name])


def test_i32_one_press_stops_everything_protected(house: House, targets: dict[str, Target]) -> None:
    prd = targets["production"].environment
    assert prd is not None
    for person in sorted(set(PEOPLE) - BOARD):
        with house.acting(person), pytest.raises(NotAllowed):
            calendar.stop(reason="Logins fail.", typed_word="stop")
    with house.acting("ines"), pytest.raises(InvalidInput) as unconfirmed:
        calendar.stop(reason="Logins fail.", typed_word="yes")
    assert unconfirmed.value.code == "stop.confirm"
    with house.acting("ines"):
        stop = calendar.stop(reason="Logins fail.", typed_word="STOP ")
    with house.acting("ana"), pytest.raises(DomainError) as twice:
        calendar.stop(reason="Again.", typed_word="stop")
    assert twice.value.code == "stop.stands"
    (hold,) = calendar.holding(prd, team_ids=(), now=database_now())
    assert (hold.kind, hold.until) == ("stop", None)
    ask(house, "ines", stop)
    decide(house, "ana", stop)
    assert not is_lifted(stop)
    decide(house, "ben", stop)
    assert is_lifted(stop)
    assert calendar.holding(prd, team_ids=(), now=database_now()) == ()


@pytest.mark.parametrize("name", sorted(MAY))
def test_i32_lifting_takes_the_signoffs_where_something_protected_is_covered(
    house: House, targets: dict[str, Target], name: str
) -> None:
    freeze = frozen(house, targets[name])
    with house.acting("lena"), pytest.raises(NotAllowed):
        lifting.ask(freeze_id=freeze.pk, ends=None, reason="Me too.")
    ask(house, "marek", freeze)
    if name in ("sandbox", "sales track"):
        assert is_lifted(freeze)
        return
    assert not is_lifted(freeze)
    with pytest.raises(NotAllowed):
        decide(house, "marek", freeze)  # asked himself
    with pytest.raises(NotAllowed):
        decide(house, "priya", freeze)
    decide(house, "ana", freeze)
    with pytest.raises(NotNow):
        decide(house, "ana", freeze)  # one person, one vote
    assert not is_lifted(freeze)
    decide(house, "ines", freeze)
    assert is_lifted(freeze)
    assert AuditEvent.objects.filter(event="freeze.lifted").count() == 1
    assert ApprovalRequest.objects.get().note == f"{freeze.public_id} was lifted"
    assert ApprovalRequest.objects.get().state == "used"


def test_i32_shortening_is_lifting_and_extending_is_cheap(
    house: House, targets: dict[str, Target]
) -> None:
    freeze = frozen(house, targets["production"])
    before = freeze.ends_at
    assert before is not None
    sooner = (before - 2 * HOUR).replace(tzinfo=None)
    with house.acting("marek"), pytest.raises(InvalidInput):
        calendar.extend(freeze_id=freeze.pk, ends=sooner)
    ask(house, "marek", freeze, sooner)
    decide(house, "ana", freeze)
    assert freeze.ends_at == before
    asked = lifting.question(freeze)
    assert asked is not None
    with house.acting("ines"):
        calendar.extend(freeze_id=freeze.pk, ends=(before + HOUR).replace(tzinfo=None))
    # The extension voided the question: what was approved is not what is there now.
    assert ApprovalRequest.objects.get(pk=asked.request.pk).state == "superseded"
    freeze.refresh_from_db()
    assert freeze.ends_at == before + HOUR
    ask(house, "marek", freeze, sooner)
    decide(house, "ana", freeze)
    decide(house, "ben", freeze)
    assert freeze.ends_at == before - 2 * HOUR
    assert ApprovalRequest.objects.latest("pk").state == "used"


def test_i32_a_rejection_leaves_the_freeze_and_a_stale_page_decides_nothing(
    house: House, targets: dict[str, Target]
) -> None:
    freeze = frozen(house, targets["production"])
    ask(house, "marek", freeze)
    with house.acting("ana"), pytest.raises(Stale):
        lifting.decide(
            freeze_id=freeze.pk,
            verdict="approve",
            comment="",
            shown_digest="sha256:" + "1" * 64,
            auth_strength="password",
        )
    decide(house, "ana", freeze)
    decide(house, "ben", freeze, "reject")
    assert not is_lifted(freeze)
    assert lifting.question(freeze) is None


def test_i32_the_database_demands_the_signoffs_as_well(
    house: House, targets: dict[str, Target]
) -> None:
    """As web, as every worker and as the owner of the tables, with raw SQL."""
    freeze = frozen(house, targets["production"])
    ask(house, "marek", freeze)
    decide(house, "ana", freeze)  # one of two
    lift = "UPDATE environments_freeze SET lifted_at = now(), lifted_by_id = created_by_id"
    shorten = "UPDATE environments_freeze SET ends_at = now() + interval '1 second'"
    for statement in (lift, shorten, "DELETE FROM environments_freeze"):
        for role in ("web", "build", "deploy"):
            with pytest.raises(DatabaseError), transaction.atomic(), as_role(role):
                connection.cursor().execute(statement)
    with pytest.raises(DatabaseError), transaction.atomic():
        FreezeLift.objects.update(wanted_end=database_now())
    # Satisfied for lifting is not satisfied for shortening.
    decide(house, "ben", freeze)
    other = frozen(house, targets["everything"])
    with pytest.raises(DatabaseError), transaction.atomic():
        Freeze.objects.filter(pk=other.pk).update(
            lifted_at=database_now(), lifted_by=house.people["ana"]
        )


def test_i32_without_a_policy_of_the_board_nothing_is_lifted(
    house: House, targets: dict[str, Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze = frozen(house, targets["everything"])
    monkeypatch.setattr(policies, "board_policy", lambda: None)
    with house.acting("marek"), pytest.raises(NotNow) as refused:
        lifting.ask(freeze_id=freeze.pk, ends=None, reason="Now.")
    assert refused.value.code == "freeze.no_policy"
