"""manage.py verify_history: read the whole history against its chain and checkpoints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import ExternalFault
from governance.services import verifying


class Command(BaseCommand):
    """Writes nothing; exits with 1 when anything is wrong, with 2 when it could not be read."""

    help = "Verifies the history: chain, columns, checkpoints outside, guards of the database."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take another directory of checkpoints."""
        parser.add_argument(
            "--checkpoints", type=Path, help="directory of checkpoints that were kept outside"
        )

    def handle(self, *args: Any, checkpoints: Path | None, **options: Any) -> None:
        """Print PASS, or every check's first finding."""
        outside = checkpoints or settings.GATEHOUSE.checkpoints.directory
        if checkpoints is not None and not checkpoints.is_dir():
            raise CommandError(f"{checkpoints} is not a directory.")
        started = time.perf_counter()
        try:
            report = verifying.verify(outside=outside)
        except ExternalFault as fault:
            raise CommandError(str(fault), returncode=2) from fault
        seconds = time.perf_counter() - started
        for problem in report.problems:
            self.stdout.write(f"FAIL: {problem}")
        if not report.passed:
            raise CommandError("The history or its guards are not as they should be.", returncode=1)
        self.stdout.write(
            f"PASS: {report.events} events, {report.checkpoints} checkpoints, {seconds:.1f} s"
        )
        if outside is None:
            self.stdout.write(
                "No directory of checkpoints was given: a history that was computed anew as a "
                "whole would pass. Set GATEHOUSE_CHECKPOINT_DIR or use --checkpoints."
            )
