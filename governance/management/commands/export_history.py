"""manage.py export_history --to D: the whole history as files that verify without Gatehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.services import export


class Command(BaseCommand):
    """Personal details are not part of an export."""

    help = "Writes the whole history with verify.py, which needs nothing but Python."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the directory to make."""
        parser.add_argument("--to", required=True, type=Path, help="directory, made by this")

    def handle(self, *args: Any, to: Path, **options: Any) -> None:
        """Write the files."""
        try:
            count = export.directory(to)
        except FileExistsError as error:
            raise CommandError(f"{to} exists already; name a new directory.") from error
        self.stdout.write(f"{count} events. Verify with: python3 {to}/verify.py {to}")
