"""Northwind's sandboxes: one was refreshed, one waits for its connection, one for an approval."""

from __future__ import annotations

from demo.content import seed
from demo.content.orgs import ORGS
from demo.content.people import MAREK, PRIYA, TOMAS, YUKI, Person
from demo.play import Play
from demo.scenery import Places, as_person
from environments.models import Environment, SandboxRequest
from environments.selectors_sandboxes import sandbox_of
from environments.services.sandboxes import inventory, reconnecting, requests
from environments.services.sandboxes.facts import Wish
from environments.states import Licence, SandboxAction, SandboxStart

TEMPLATE = "1ps5f000000NW01AAA"
LICENCES = {Licence.FULL: 1, Licence.PARTIAL: 3, Licence.DEVELOPER_PRO: 5, Licence.DEVELOPER: 25}


def refresh(play: Play, places: Places) -> None:
    """Read the list, refresh two of the teams' own sandboxes, and ask for a third."""
    with as_person(MAREK):
        inventory.ask()
        for kind, total in LICENCES.items():
            inventory.enter_total(licence_type=kind.value, total=total)
    play.work()
    if SandboxRequest.objects.exists():
        return
    _ask(YUKI, "Loyalty DEV", "The members' test data is from before the new tiers.")
    _ask(PRIYA, "Sales DEV", "Too many old experiments; a fresh copy for the household work.")
    play.work()
    _reconnect(YUKI, "Loyalty DEV", places)
    play.work()
    _ask(TOMAS, "Service TEST", "Testers miss the contracts that were signed since August.")
    play.work()


def _ask(person: Person, name: str, reason: str) -> None:
    environment = Environment.objects.live().get(name=name)
    sandbox = sandbox_of(environment)
    if sandbox is None:
        return
    wish = Wish(
        action=SandboxAction.REFRESH,
        start=SandboxStart.SOON,
        name=sandbox.name,
        licence_type=sandbox.licence_type,
        sandbox=sandbox,
        template_id=TEMPLATE if sandbox.licence_type == Licence.PARTIAL else "",
        reason=reason,
    )
    with as_person(person):
        requests.ask(wish=wish, environment=environment, team=None)


def _reconnect(person: Person, name: str, places: Places) -> None:
    environment = Environment.objects.live().get(name=name)
    production = next(org for org in ORGS if org.is_production)
    with as_person(person):
        reconnecting.reconnect(
            environment_id=environment.pk,
            secret=seed.private_key(places.keys, production),
            **reconnecting.suggested(environment),
        )
