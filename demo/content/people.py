"""The people of Northwind: who they are, which team they are in and what they do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

DOMAIN = "northwind.example"
#: Printed on the console at every start; a demo listens on this machine only.
PASSWORD = "open-the-gate-4711"  # noqa: S105


@dataclass(frozen=True)
class Person:
    """Somebody of the demo company; `others` are further addresses found in their commits."""

    name: str
    email: str
    zone: str
    roles: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """The way Git names an author."""
        return f"{self.name} <{self.email}>"


def _person(
    name: str, mailbox: str, zone: str, *roles: str, others: tuple[str, ...] = ()
) -> Person:
    return Person(name, f"{mailbox}@{DOMAIN}", zone, roles, others)


ANA = _person("Ana Keller", "ana.keller", "Europe/Zurich", "board_member")
BEN = _person("Ben Okafor", "ben.okafor", "Europe/London", "board_member")
JONAS = _person("Jonas Lind", "jonas.lind", "Europe/Stockholm", "board_member")
MAREK = _person("Marek Novák", "marek.novak", "Europe/Prague", "release_manager")
INES = _person("Inês Duarte", "ines.duarte", "Europe/Lisbon", "admin")
PAUL = _person("Paul Weiss", "paul.weiss", "Europe/Berlin", "auditor")

PRIYA = _person("Priya Raman", "priya.raman", "Europe/London", "team_lead")
LENA = _person("Lena Vogt", "lena.vogt", "Europe/Berlin", "developer")
OSKAR = _person("Oskar Nyberg", "oskar.nyberg", "Europe/Stockholm", "developer")

TOMAS = _person("Tomás Ruiz", "tomas.ruiz", "Europe/Madrid", "team_lead")
CHLOE = _person("Chloé Martin", "chloe.martin", "Europe/Paris", "developer")
DAVID = _person(
    "David Eze", "david.eze", "Europe/London", "developer", others=("david@eze-code.example",)
)
#: David as he commits from his own machine: another address, the same person.
DAVID_AT_HOME = replace(DAVID, email=DAVID.others[0])

YUKI = _person("Yuki Sato", "yuki.sato", "Europe/Berlin", "team_lead")
HANA = _person("Hana Kim", "hana.kim", "Asia/Seoul", "developer")
MATEO = _person("Mateo Silva", "mateo.silva", "America/Sao_Paulo", "developer")

#: Members by team; the first team owns production.
TEAMS: Mapping[str, tuple[Person, ...]] = {
    "platform": (ANA, BEN, JONAS, MAREK, INES, PAUL),
    "sales": (PRIYA, LENA, OSKAR),
    "service": (TOMAS, CHLOE, DAVID),
    "loyalty": (YUKI, HANA, MATEO),
}
EVERYBODY: tuple[Person, ...] = tuple(person for team in TEAMS.values() for person in team)
