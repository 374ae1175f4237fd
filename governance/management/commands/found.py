"""manage.py found: make the first team, people and policies, and print their one-time links."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from governance.services import founding


def name_and_address(text: str) -> tuple[str, str]:
    """Read “Ana Lima <ana@example.com>”."""
    name, address = parseaddr(text)
    if not name or "@" not in address:
        raise CommandError(f"Write a person as “Name <mail@example.com>”, not {text!r}.")
    return name, address


class Command(BaseCommand):
    """Found the installation; refuses to run twice."""

    help = "Found this installation: the production-owning team, its board and its admins."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the people and the team's name."""
        parser.add_argument("--board", action="append", required=True, metavar="'Name <mail>'")
        parser.add_argument("--admin", action="append", default=[], metavar="'Name <mail>'")
        parser.add_argument("--team", default="Platform", help="the team that owns production")

    def handle(self, *args: Any, **options: Any) -> None:
        """Found, then print one link per person."""
        try:
            founded = founding.found(
                team_name=options["team"],
                board=[name_and_address(text) for text in options["board"]],
                admins=[name_and_address(text) for text in options["admin"]],
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Founded. {founded.team.name} owns production.")
        self.stdout.write("Hand each person their own link; it works once, for seven days:\n")
        for founder in founded.founders:
            self.stdout.write(f"  {founder.user.full_name} <{founder.user.email}>")
            self.stdout.write(f"    {founder.link}\n")
        proposer = founded.proposals[0].proposed_by.full_name
        self.stdout.write(
            f"The first policies are proposed by {proposer}. Another member of the board confirms "
            "them after joining; until then nothing can be deployed."
        )
