"""manage.py keys --dir D: make the key pairs that credentials are sealed to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import keyring
from core.errors import DomainError


class Command(BaseCommand):
    """Write public.json (for web), deploy.json and build.json (private, one per worker)."""

    help = "Make the key pairs that credentials are sealed to."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the directory to write to."""
        parser.add_argument("--dir", required=True, type=Path, help="directory for the key files")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files and name them."""
        try:
            paths = keyring.write(options["dir"])
        except DomainError as error:
            raise CommandError(error.message) from error
        for path in paths:
            self.stdout.write(str(path))
