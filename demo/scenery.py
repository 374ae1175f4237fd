"""Found Northwind: its people, teams, orgs and repositories, through the product's own services.

Every function does what is missing and leaves alone what is there, so a demo that was interrupted
goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from core import clock
from core.context import Actor, acting_as
from demo.content import people, seed
from demo.content.orgs import CLIENT_ID, ORGS, Org
from demo.content.people import ANA, BEN, INES, JONAS, MAREK, PASSWORD, TEAMS, Person
from environments.models import Credential, Environment, Freeze, Track
from environments.selectors_calendar import Target
from environments.selectors_policies import default_of
from environments.services import calendar, imports, orgs, policies
from environments.services.calendar import Words
from environments.states import FreezeScope, TrackKind
from governance.models import GitIdentity, Membership, Policy, PolicyProposal, Team, User
from governance.services import founding, invitations
from governance.services import people as members
from governance.states import InvitationPurpose, ProposalState
from releases.models import Repository
from releases.services import canary, repositories

TITLES = {"platform": "Platform", "sales": "Sales", "service": "Service", "loyalty": "Loyalty"}
BOARD = (ANA, BEN, JONAS)
POLICIES = {"PRD": "Production", "PRE-PRD": "Integration", "CI": "Integration"}

WEEKEND = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Northwind//Salesforce maintenance//EN
BEGIN:VEVENT
UID:release-weekend-eu1@status.example
SUMMARY:Salesforce release weekend, EU1
DESCRIPTION:Instances are upgraded. Expect up to five minutes without service.
DTSTART:{start:%Y%m%d}T220000Z
DTEND:{end:%Y%m%d}T040000Z
END:VEVENT
END:VCALENDAR
"""


@dataclass(frozen=True)
class Places:
    """Where the demo's files are and at which port the simulator plays the orgs."""

    repositories: Path
    keys: Path
    simulator_port: int


@contextmanager
def as_person(person: Person) -> Iterator[User]:
    """Act as somebody of the company."""
    user = User.objects.get(email=person.email)
    with acting_as(Actor("person", user.pk, user.full_name)):
        yield user


def found() -> None:
    """Found the installation with its board and admin, and confirm the first policies."""
    if not founding.is_founded():
        founding.found(
            team_name=TITLES["platform"],
            board=[(person.name, person.email) for person in BOARD],
            admins=[(INES.name, INES.email)],
        )
    for person in (*BOARD, INES):
        _join(person, InvitationPurpose.FOUNDING)
    if PolicyProposal.objects.filter(state=ProposalState.OPEN, based_on=None).exists():
        founding.confirm(User.objects.get(email=BEN.email))


def hire() -> None:
    """Invite everybody else, make the teams and give people their roles."""
    with as_person(INES):
        for person in people.EVERYBODY:
            if not User.objects.filter(email=person.email).exists():
                invitations.invite(email=person.email, full_name=person.name)
    for slug, team_members in TEAMS.items():
        team = _team(slug)
        for person in team_members:
            _join(person, InvitationPurpose.JOINING)
            _seat(person, team)


def _team(slug: str) -> Team:
    found = Team.objects.filter(slug=slug).first()
    if found is not None:
        return found
    with as_person(INES):
        return members.create_team(name=TITLES[slug], slug=slug)


def _join(person: Person, purpose: InvitationPurpose) -> None:
    """Follow one's own link, choose the password and the time zone."""
    user = User.objects.get(email=person.email)
    if user.has_usable_password():
        return
    link = invitations.make_link(user, purpose)
    invitations.accept(token=link.rstrip("/").rsplit("/", 1)[1], password=PASSWORD)
    with as_person(person):
        members.edit_own_account(full_name=person.name, zone=person.zone)


def _seat(person: Person, team: Team) -> None:
    user = User.objects.get(email=person.email)
    for role in person.roles:
        live = Membership.objects.filter(user=user, team=team, role=role, revoked_at=None)
        if not live.exists():
            with as_person(INES):
                members.grant(user_id=user.pk, team_id=team.pk, role=role)
    for address in person.others:
        if not GitIdentity.objects.filter(email=address, ended_at=None).exists():
            with as_person(INES):
                members.map_identity(email=address, user_id=user.pk)


def register_orgs(places: Places) -> None:
    """Give the stages of production their policies, then register every org and its credential."""
    for stage, name in POLICIES.items():
        if default_of("production", stage) is None:
            with as_person(ANA):
                policies.assign_stage(
                    track_kind="production", stage=stage, policy=Policy.objects.get(name=name)
                )
    for org in ORGS:
        environment = Environment.objects.live().filter(name=org.environment).first()
        if environment is None:
            environment = _register(org, places)
        if not Credential.objects.filter(environment=environment).exists():
            with as_person(INES):
                orgs.set_credential(
                    environment_id=environment.pk,
                    flow="jwt",
                    client_id=CLIENT_ID,
                    username=org.username,
                    secret=seed.private_key(places.keys, org),
                )


def _register(org: Org, places: Places) -> Environment:
    words = orgs.Words(
        name=org.environment,
        licence_type=org.licence_type,
        login_host=f"{org.name}.localhost:{places.simulator_port}",
        expected_organization_id=org.org_id,
    )
    team = None if org.team == "platform" else Team.objects.get(slug=org.team)
    with as_person(INES):
        return orgs.create(team=team, stage=org.stage, words=words)


def check_orgs() -> None:
    """Let the admin ask whether every org can still be reached."""
    with as_person(INES):
        for environment in Environment.objects.live().order_by("pk"):
            orgs.request_check(environment_id=environment.pk)


def ask_canary() -> None:
    """Let the admin ask the canary for the first time; from then on it asks every day."""
    if canary.environment() is None:
        with as_person(INES):
            canary.ask()


def connect_repositories(places: Places) -> None:
    """Let every team lead connect the team's repository."""
    for slug, team_members in TEAMS.items():
        if slug == "platform" or Repository.objects.filter(team__slug=slug).exists():
            continue
        with as_person(team_members[0]):
            repositories.connect(
                team=Team.objects.get(slug=slug), url=str(places.repositories / f"{slug}.git")
            )


def fill_calendar() -> None:
    """Freeze the end of the year on production's track, and upload Salesforce's next weekend."""
    if Freeze.objects.exists():
        return
    today = clock.now().replace(tzinfo=None)
    begins = datetime.combine(date(today.year, 12, 20), time(18))
    if begins < today + timedelta(days=14):
        begins = begins.replace(year=today.year + 1)
    words = Words(
        name="Year end",
        reason="Renewals are invoiced and the books are closed. Nothing changes in production.",
        target=Target(FreezeScope.TRACK, track=Track.objects.get(kind=TrackKind.PRODUCTION)),
        zone="Europe/Berlin",
        starts=begins,
        ends=begins.replace(year=begins.year + 1, month=1, day=2, hour=6),
    )
    saturday = today + timedelta(days=14 - (today.weekday() - 5) % 7)
    with as_person(MAREK):
        calendar.freeze(words=words)
        imports.add(
            name="Salesforce EU1",
            content=WEEKEND.format(start=saturday, end=saturday + timedelta(days=1)),
        )
