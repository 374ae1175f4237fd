"""manage.py demo: found Northwind, play its last weeks, and say who may sign in."""

from __future__ import annotations

import json
import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from demo import performance, scenery
from demo.called import Called, CallIncomplete
from demo.content import people, repositories, seed
from demo.operator import Operator, OperatorFailed
from demo.play import PlayStopped
from demo.scenery import Places
from demo.stagehands import Stuck


class Command(BaseCommand):
    """Make the demo company, or what is missing of it; only while no other process runs."""

    help = "Found the demo company and play its last three weeks."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the wish to see the logins only."""
        parser.add_argument("--logins", action="store_true", help="print who may sign in, no more")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play, unless only the logins are wanted or the story was played before."""
        if settings.GATEHOUSE.mode != "demo":
            raise CommandError(
                "This is a real installation and stays one: the demo company lives only in an "
                "installation that was first started as a demo."
            )
        if options["logins"]:
            self._print_logins()
        elif performance.is_played():
            self.stdout.write("The demo company is there already.")
        else:
            self._play()

    def _play(self) -> None:
        try:
            called = Called.read(os.environ)
            operator = Operator(called.simulator_admin_url)
            repositories.build(called.repositories)
            operator.make_orgs(seed.write(called.keys))
            running = json.loads((called.simulator_dir / "running.json").read_text())
            places = Places(called.repositories, called.keys, running["port"])
            with operator.hurried():
                performance.perform(places, called.hands, self.stdout.write)
        except DomainError as refused:
            raise CommandError(f"The demo was refused: {refused.message}") from refused
        except (CallIncomplete, OperatorFailed, PlayStopped, Stuck, OSError) as problem:
            raise CommandError(str(problem)) from problem

    def _print_logins(self) -> None:
        self.stdout.write(f"Sign in as one of these people; the password is {people.PASSWORD}\n")
        for team, members in people.TEAMS.items():
            for person in members:
                role = person.roles[0].replace("_", " ")
                title = scenery.TITLES[team]
                self.stdout.write(f"  {person.email:<34} {person.name:<14} {role}, {title}")
        self.stdout.write("\nBegin with Ana: a release waits for her decision.")
