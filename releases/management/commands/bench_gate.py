"""manage.py bench_gate: what one question to the gate costs, in a scratch database.

Refuses a database that holds deployments; what it writes is rolled back.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter, process_time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from core import db
from core.context import Actor, acting_as
from core.measure import Watch, judged
from environments.models import Freeze
from governance.models import Decision, Policy
from releases import bench_scene, gate
from releases.models import Deployment

TARGET_MS = 20


class Command(BaseCommand):
    """Ask the gate about a deployment beside much else, again and again."""

    help = "Print how long one question to the gate takes; run it through script/bench gate."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how often to ask."""
        parser.add_argument("--times", type=int, default=50, help="how many questions (50)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the figures of a request with few decisions and of one with many."""
        if Deployment.objects.exists():
            raise CommandError("This database is in use; run script/bench gate.")
        with transaction.atomic(), acting_as(Actor("system", None, "manage.py bench_gate")):
            deployment, request = bench_scene.scene()
            few = self._measure("a request nobody decided on", deployment, options["times"])
            voters = bench_scene.board(250)
            bench_scene.load(request, deployment.environment, bench_scene.Size(), voters)
            with connections[Deployment.objects.db].cursor() as cursor:
                cursor.execute("ANALYZE")  # as autovacuum would have done
            many = self._measure("beside much else", deployment, options["times"])
            self.stdout.write(
                f"  {judged(many[1] < TARGET_MS, f'{TARGET_MS} ms (wall)')}\n"
                f"  {judged(many[0] == few[0], 'a constant number of queries')}\n"
            )
            transaction.set_rollback(True)

    def _measure(self, words: str, deployment: Deployment, times: int) -> tuple[int, float]:
        """Print the figures; return the number of queries and the median wall time in ms."""
        with CaptureQueriesContext(connections[Deployment.objects.db]) as asked:
            verdict = gate.evaluate(deployment, db.database_now())
        wall, cpu = [], []
        with Watch() as watch:
            for _ in range(times):
                began, used = perf_counter(), process_time()
                gate.evaluate(deployment, db.database_now())
                wall.append(1000 * (perf_counter() - began))
                cpu.append(1000 * (process_time() - used))
        mine = Decision.objects.filter(request=deployment.approval_id).count()
        self.stdout.write(
            f"gate, {words}: {Policy.objects.count()} policies, {Decision.objects.count()} "
            f"decisions ({mine} on this request), {Freeze.objects.count()} freezes, "
            f"{len(verdict.reasons)} rules answered"
        )
        self.stdout.write(f"  queries {len(asked)}")
        for name, figures in (("wall", wall), ("own CPU", cpu)):
            worst = sorted(figures)[int(len(figures) * 0.95)]
            self.stdout.write(f"  {name} median {median(figures):.1f} ms, 95 % {worst:.1f} ms")
        self.stdout.write(
            f"  CPU with PostgreSQL's {1000 * watch.seconds / times:.1f} ms on average"
        )
        return len(asked), median(wall)
