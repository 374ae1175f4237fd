"""manage.py erase_details --person MAIL --reason TEXT: erase address and browser of a person."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.context import Actor, acting_as
from core.errors import DomainError
from governance.services import details


class Command(BaseCommand):
    """Runs as the database's owner; no page can do this."""

    help = "Erases address and browser from the events of a person; the events stay."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the person and the reason."""
        parser.add_argument("--person", required=True, help="e-mail address of the person")
        parser.add_argument("--reason", required=True, help="kept in the history")

    def handle(self, *args: Any, person: str, reason: str, **options: Any) -> None:
        """Erase and count."""
        try:
            with acting_as(Actor("system", None, "manage.py erase_details")):
                count = details.erase(email=person, reason=reason)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"Erased the details of {count} events.")
