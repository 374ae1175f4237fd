"""manage.py checkpoint: sign how the history ends now and put it outside."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.context import Actor, acting_as
from core.errors import DomainError
from governance.services import checkpoints


class Command(BaseCommand):
    """Needs the signing key, so the environment of the build worker."""

    help = "Signs how the history ends now and puts it outside (script/manage --role build)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Take a checkpoint and name where it arrived."""
        with acting_as(Actor("system", None, "manage.py checkpoint")):
            try:
                taken = checkpoints.take()
            except DomainError as refusal:
                raise CommandError(refusal.message) from refusal
            copies = checkpoints.deliver()
        if taken is None:
            self.stdout.write("Nothing happened since the last checkpoint.")
        else:
            self.stdout.write(f"Checkpoint {taken.number} at position {taken.position}.")
        for copy in copies:
            self.stdout.write(f"{copy.place}: {copy.problem or 'arrived'}")
        if any(copy.problem for copy in copies):
            raise CommandError("A place outside did not take the checkpoint.")
