"""manage.py work --queue build|deploy: one worker process."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.registry import QUEUES
from jobs.rq import GatehouseWorker, redis_of

PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    """Attend to one queue until SIGTERM or Ctrl-C; the work at hand is finished first."""

    help = "Attends to one queue of work until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the queue."""
        parser.add_argument("--queue", required=True, choices=QUEUES)

    def handle(self, *args: Any, queue: str, **options: Any) -> None:
        """Work until a signal; trouble with Redis ends one worker and starts the next."""
        if settings.GATEHOUSE.role != queue:
            raise CommandError(
                f"This process has GATEHOUSE_ROLE={settings.GATEHOUSE.role}: its database login and"
                f" keys are not those of a {queue} worker. Start it with GATEHOUSE_ROLE={queue}."
            )
        while True:
            worker = GatehouseWorker(queue, redis_of(queue))
            worker.work(logging_level="WARNING")
            if worker.was_stopped:
                return
            time.sleep(PAUSE_SECONDS)
