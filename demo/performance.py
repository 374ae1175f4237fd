"""The order of Northwind's story: founding, last week's release, and three to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from django.db import transaction

from core.context import Actor, acting_as
from demo import sandboxes, scenery
from demo.content.people import ANA, BEN
from demo.content.repositories import STORIES
from demo.content.tide import Tide
from demo.events import PLAYED
from demo.past import Past, give_back
from demo.play import CALLBACKS, HOUSEHOLDS, RENEWALS, VISITS, Play, began_at
from demo.scenery import Places
from demo.stagehands import Hand, Stagehands
from governance import audit
from governance.models import AuditEvent, Team

Tell = Callable[[str], None]


def is_played() -> bool:
    """Tell whether this installation holds the whole story already."""
    return AuditEvent.objects.filter(event=PLAYED).exists()


def perform(places: Places, hands: Mapping[str, Hand], tell: Tell) -> None:
    """Play the story, or what is missing of it; nothing else may use this database meanwhile.

    Raises PlayStopped, Stuck and what the services raise. The clocks are right again afterwards.
    """
    give_back()
    today = datetime.now(tz=UTC)
    with Past() as past:
        past.begin(began_at(today))
        stagehands = Stagehands(past, hands)
        try:
            tides = {team: Tide(places.repositories / f"{team}.git") for team in STORIES}
            _play(Play(today=today, past=past, hands=stagehands, tides=tides), places, tell)
            for tide in tides.values():
                tide.flood()
        finally:
            stagehands.close()
    _remember()


def _play(play: Play, places: Places, tell: Tell) -> None:
    tell("Northwind is founded: people, teams, orgs, repositories")
    scenery.found()
    scenery.hire()
    scenery.register_orgs(places)
    play.work()
    scenery.connect_repositories(places)
    play.fetch()
    tell("last week's release: three teams, on to production")
    play.at(17, "09:00")
    play.send_to_test(RENEWALS)
    play.at(14, "15:00")
    play.offer(RENEWALS)
    _deploy_last_week(play)
    tell("this week's releases: one waits for the board, one is half way, one is contested")
    _bring_this_week(play)
    tell("today's commits")
    play.at(0, "23:59")
    scenery.check_orgs()
    scenery.ask_canary()
    scenery.fill_calendar()
    play.work()
    tell("sandboxes: one refreshed, one to be connected anew, one asked for")
    sandboxes.refresh(play, places)


def _deploy_last_week(play: Play) -> None:
    play.at(12, "08:30")
    renewals = play.compose(RENEWALS)
    play.at(12, "09:10")
    play.integrate(renewals)
    play.at(10, "19:00")
    play.rehearse(renewals)
    play.at(8, "08:00")
    play.submit(renewals)
    play.at(8, "16:20")
    play.approve(renewals, BEN, "Rehearsal was clean, and the teams are on call on Friday.")
    play.at(7, "20:02")
    play.approve(renewals, ANA, "Agreed. Tell the service desk before the promotions start.")


def _bring_this_week(play: Play) -> None:
    play.at(4, "18:10")
    play.send_to_test(HOUSEHOLDS)
    play.at(3, "14:00")
    play.offer(HOUSEHOLDS)
    households = play.compose(HOUSEHOLDS)
    play.at(3, "15:20")
    play.integrate(households)
    play.at(2, "09:00")
    play.send_to_test(VISITS)
    play.at(2, "19:00")
    play.rehearse(households)
    play.at(1, "07:40")
    play.plan_window(households, (-1, "20:00"), (3, "21:30"))
    play.at(1, "08:00")
    play.submit(households)
    play.at(1, "11:30")
    play.approve(households, BEN, "Tiers ran twice in PRE-PRD without a surprise.")
    play.at(1, "13:00")
    play.offer(VISITS)
    visits = play.compose(VISITS)
    play.plan_window(visits, (5, "20:00"), (5, "21:30"))
    play.at(1, "14:20")
    play.integrate(visits)
    play.send_to_test(CALLBACKS)
    play.at(1, "14:50")
    play.offer(CALLBACKS)
    play.clash(CALLBACKS)


@transaction.atomic
def _remember() -> None:
    with acting_as(Actor("system", None, "manage.py demo")):
        team = Team.objects.get(owns_production=True)
        audit.record(PLAYED, team, team=team)
