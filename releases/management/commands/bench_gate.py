"""manage.py bench_gate: how long the gate takes with many policies, decisions and freezes."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import db
from environments.models import Freeze
from governance.models import Decision, PolicyVersion
from releases import gate
from releases.models import Deployment
from releases.states import LIVE_DEPLOYMENTS, Purpose


class Command(BaseCommand):
    """Ask the gate about the newest deployment that waits for production, again and again."""

    help = "Print how long one question to the gate takes, and how many queries it asks."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how often to ask."""
        parser.add_argument("--times", type=int, default=200, help="how many questions (200)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the figures of one run."""
        waiting = Deployment.objects.filter(purpose=Purpose.RELEASE, state__in=LIVE_DEPLOYMENTS)
        deployment = waiting.exclude(approval=None).order_by("-pk").first()
        if deployment is None:
            raise CommandError("No deployment waits for production; submit a release first.")
        with CaptureQueriesContext(connection) as asked:
            verdict = gate.evaluate(deployment, db.database_now())
        seconds = []
        for _ in range(options["times"]):
            begin = perf_counter()
            gate.evaluate(deployment, db.database_now())
            seconds.append(perf_counter() - begin)
        self.stdout.write(
            f"policy versions {PolicyVersion.objects.count()}, decisions {Decision.objects.count()}"
            f", freezes {Freeze.objects.count()}"
        )
        self.stdout.write(f"{deployment.public_id}: {len(verdict.reasons)} reasons")
        self.stdout.write(f"queries {len(asked)}")
        worst = sorted(seconds)[int(len(seconds) * 0.95)]
        self.stdout.write(f"median {1000 * median(seconds):.1f} ms, 95 % {1000 * worst:.1f} ms")
