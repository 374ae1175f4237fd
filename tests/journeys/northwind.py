"""Northwind, set up through the services against a running simulator.

``Journey`` acts as people in web's role and lets work run inline in the role of its queue; the
simulator is a real process over HTTPS, the repositories are real.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import override_settings

from core.context import Actor, acting_as
from demo.content import people as cast
from demo.content import repositories
from demo.content import seed as seeds
from demo.content.orgs import CLIENT_ID, ORGS, Org
from environments.models import Environment
from environments.services import orgs, policies
from governance.models import ApprovalRequest, Policy, Team, User
from governance.services import founding, invitations, matters, people, seats
from jobs import registry, runner
from jobs.models import Work
from jobs.wake import wake
from releases.models import Candidate, Deployment, Release
from releases.services import approval, candidates, releases, stages
from releases.services import repositories as sources
from tests.support.databases import as_role
from tests.support.simulator import SimulatedOrg, SimulatorProcess, app_key

POLL_KINDS = (sources.KIND,)


LEADS = {"sales": "priya", "service": "tomas", "loyalty": "yuki"}


@dataclass
class Journey:
    """The company, its orgs and its repositories; methods read as what people do."""

    directory: Path
    simulator: SimulatorProcess
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    orgs: dict[str, Environment] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)

    def acting(self, name: str) -> Any:
        """Act as a person, by first name in lower case."""
        user = self.users[name]
        return acting_as(Actor("person", user.pk, user.full_name))

    def as_person(self, name: str, service: Callable[..., Any], **arguments: Any) -> Any:
        """Call a service as a person, then let all work run that is due."""
        with self.acting(name):
            result = service(**arguments)
        self.work()
        return result

    def work(self, seconds: float = 30.0) -> None:
        """Run due work until nothing but polls of repositories is left, as each queue's role."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            due = list(
                Work.objects.filter(wake_at__isnull=False)
                .exclude(kind__in=POLL_KINDS, fence__gt=0)
                .exclude(kind="environments.check", tries__gt=0)
                .order_by("wake_at")
                .values_list("queue", "pk", "wake_at")
            )
            if not due:
                return
            for queue, pk, _ in due:
                self._advance(queue, pk)
            time.sleep(0.02)
        raise AssertionError(f"work is left after {seconds} s: {list(Work.objects.values())}")

    def _advance(self, queue: str, pk: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT wake_at <= gatehouse_now() FROM jobs_work WHERE id = %s", [pk])
            row = cursor.fetchone()
        if row and row[0]:
            with as_role(queue):
                runner.advance(queue, [pk])

    def fetch(self, team: str) -> None:
        """Let the build worker fetch a team's repository now."""
        repository = self.teams[team].repository
        wake(sources.KIND, repository.pk)
        pk = Work.objects.get(kind=sources.KIND, subject_id=repository.pk).pk
        with as_role("build"):
            runner.advance("build", [pk])
        self.work()

    def offered(self, team: str, tag: str) -> Candidate:
        """A tag that a team took through TEST and offered."""
        lead = LEADS[team]
        candidate: Candidate = self.as_person(
            lead, candidates.create, repository_id=self.teams[team].repository.pk, tag=tag
        )
        candidate.refresh_from_db()
        assert candidate.state == "deployed", candidate.message
        self.as_person(lead, candidates.pass_test, candidate_id=candidate.pk, note="fine")
        self.as_person(lead, candidates.offer, candidate_id=candidate.pk)
        candidate.refresh_from_db()
        return candidate

    def clash(self, team: str, tag: str, path: str) -> Candidate:
        """A tag in which a team brings an Apex class of another team with content of its own."""
        name = Path(path).stem
        return self.tagged(team, tag, {f"classes/{name}.cls": f"public class {name} {{}}\n"})

    def tagged(
        self, team: str, tag: str, files: dict[str, str | None], onto: str = ""
    ) -> Candidate:
        """A tag with these files (see ``pushed``) that went through TEST and is offered."""
        self.pushed(team, tag, files, onto)
        return self.offered(team, tag)

    def pushed(self, team: str, tag: str, files: dict[str, str | None], onto: str = "") -> None:
        """Push a tag with these files, named as in metadata format, and fetch; None removes one.

        It comes on top of what was tagged here before, or of ``onto``.
        """
        origin, work = self.paths[team], self.directory / f"{team}-work"
        if not work.exists():
            repositories.git(self.directory, "clone", "-q", str(origin), str(work))
        if onto:
            repositories.git(work, "checkout", "-q", "-B", "main", onto)
        listed = repositories.git(work, "ls-files").splitlines()
        folder = next(name for name in listed if "/classes/" in name).partition("/classes/")[0]
        meta = '<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata"/>'
        for path, text in files.items():
            is_class = path.endswith(".cls")
            suffix = "" if is_class or folder == "src" else "-meta.xml"
            target = work / folder / f"{path}{suffix}"
            beside = target.with_name(f"{target.name}-meta.xml")
            if text is None:
                target.unlink()
                beside.unlink(missing_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            if is_class:
                beside.write_text(meta)
        author = "-c", "user.name=Lena Vogt", "-c", "user.email=lena.vogt@northwind.example"
        repositories.git(work, "add", "-A")
        repositories.git(work, *author, "commit", "-q", "-m", f"Prepare {tag}")
        repositories.git(work, "tag", tag)
        repositories.git(work, "push", "-q", "origin", "+HEAD:main", tag)
        self.fetch(team)

    def composed(self, title: str, *contents: Candidate) -> Release:
        """A release of these candidates, composed (or refused: see its state)."""
        release: Release = self.as_person("marek", releases.create, title=title, bump="minor")
        for candidate in contents:
            self.as_person(
                "marek", releases.add_candidate, release_id=release.pk, candidate_id=candidate.pk
            )
        self.as_person("marek", releases.compose, release_id=release.pk)
        return self.release(release.pk)

    def submitted(self, release: Release) -> ApprovalRequest:
        """The release integrated, rehearsed, prepared and before the board."""
        for step in (stages.integrate, stages.rehearse, stages.prepare):
            self.as_person("marek", step, release_id=release.pk)
            now = self.release(release.pk)
            assert now.state != "composed", now.state_note
        assert stages.preparation_of(now) is not None, now.state_note
        request: ApprovalRequest = self.as_person("marek", stages.submit, release_id=release.pk)
        return request

    def decide(self, name: str, request: ApprovalRequest, verdict: str = "approve") -> None:
        """A person's decision on what the page shows, and the work that it sets off."""
        self.as_person(
            name,
            approval.decide,
            release_id=request.subject_id,
            verdict=verdict,
            comment="read it",
            shown_digest=request.digest,
            auth_strength="password",
        )

    def seat(self, name: str, role: str) -> None:
        """Give somebody a seat the way there is: Ana and Ben approve, and no delay is set."""
        with override_settings(GATEHOUSE=replace(settings.GATEHOUSE, board_delay_hours=0)):
            matter = self.as_person(
                name, seats.ask, user_id=self.users[name].pk, role=role, reason="needed"
            )
            for member in ("ana", "ben"):
                self.as_person(
                    member,
                    matters.decide,
                    matter_id=matter.pk,
                    verdict="approve",
                    comment="",
                    shown_digest=matters.digest_of(matter),
                    auth_strength="password",
                )
        assert matters.find(matter.pk).state == "done"

    def deployment(self, release: Release) -> Deployment:
        """The newest production deployment of a release."""
        return Deployment.objects.filter(release=release, purpose="release").latest("pk")

    def org(self, name: str) -> SimulatedOrg:
        """The simulator's own view of an org, by the environment's name."""
        entry = next(org for org in ORGS if org.environment == name)
        url = f"https://{entry.name}.localhost:{self.simulator.port}"
        return SimulatedOrg(
            self.simulator, entry.name, entry.org_id, url, entry.username, CLIENT_ID, "", app_key()
        )

    def writes(self, name: str) -> list[dict[str, Any]]:
        """Deployments in an org that were not check-only, as the org itself lists them."""
        deploys = [row for row in self.org(name).deploys() if row["kind"] in ("deploy", "quick")]
        return [row for row in deploys if not row["checkOnly"]]

    def release(self, number: int) -> Release:
        """A release as it is now."""
        return Release.objects.get(pk=number)


def found(directory: Path, simulator: SimulatorProcess, teams: tuple[str, ...]) -> Journey:
    """Found the company, connect the orgs of these teams and production's, and the repositories."""
    journey = Journey(directory, simulator)
    registry.autodiscover()
    _people(journey, teams)
    for stage, name in (("PRD", "Production"), ("PRE-PRD", "Integration"), ("CI", "Integration")):
        journey.as_person(
            "ana",
            policies.assign_stage,
            track_kind="production",
            stage=stage,
            policy=Policy.objects.get(name=name),
        )
    for org in ORGS:
        if org.team in ("platform", *teams):
            _connect(journey, org)
    journey.work()
    journey.paths = repositories.build(directory / "repositories")
    for team in teams:
        journey.as_person(
            LEADS[team], sources.connect, team=journey.teams[team], url=str(journey.paths[team])
        )
    return journey


def _people(journey: Journey, teams: tuple[str, ...]) -> None:
    board = [(person.name, person.email) for person in (cast.ANA, cast.BEN, cast.JONAS)]
    founded = founding.found(
        team_name="Platform", board=board, admins=[(cast.INES.name, cast.INES.email)]
    )
    journey.teams["platform"] = founded.team
    for founder in founded.founders:
        journey.users[_first(founder.user.full_name)] = founder.user
    founding.confirm(journey.users["ben"])
    for slug in ("platform", *teams):
        if slug not in journey.teams:
            with journey.acting("ines"):
                journey.teams[slug] = people.create_team(name=slug.title(), slug=slug)
        for person in cast.TEAMS[slug]:
            _join(journey, slug, person)


def _join(journey: Journey, slug: str, person: cast.Person) -> None:
    if _first(person.name) in journey.users:
        return
    with journey.acting("ines"):
        user = invitations.invite(email=person.email, full_name=person.name)
        journey.users[_first(person.name)] = user
        for role in person.roles:
            people.grant(user_id=user.pk, team_id=journey.teams[slug].pk, role=role)
        for address in person.others:
            people.map_identity(email=address, user_id=user.pk)


def _first(name: str) -> str:
    plain = {"Inês": "ines", "Tomás": "tomas", "Chloé": "chloe"}
    first = name.split()[0]
    return plain.get(first, first.lower())


def _connect(journey: Journey, org: Org) -> None:
    words = orgs.Words(
        name=org.environment,
        licence_type=org.licence_type,
        login_host=f"{org.name}.localhost:{journey.simulator.port}",
        expected_organization_id=org.org_id,
    )
    team = None if org.team == "platform" else journey.teams[org.team]
    with journey.acting("ines"):
        environment = orgs.create(team=team, stage=org.stage, words=words)
        orgs.set_credential(
            environment_id=environment.pk,
            flow="jwt",
            client_id=CLIENT_ID,
            username=org.username,
            secret=seeds.private_key(journey.directory / "seed", org),
        )
    journey.orgs[org.environment] = environment
