"""The gate asks a constant number of queries, however much there is (no times: machines differ)."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import db
from releases import bench_scene, gate
from releases.bench_scene import Size
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company, acting
from tests.support.databases import as_role

SAVEPOINT = 2
ASKED = 15 + SAVEPOINT


def queries(world: Approved) -> int:
    deployment = world.fresh()
    with CaptureQueriesContext(connection) as asked:
        verdict = gate.evaluate(deployment, db.database_now())
    assert "gate.unreadable" not in {row.code for row in verdict.reasons}
    return len(asked)


def test_the_number_of_queries_is_small_and_does_not_grow(company: Company) -> None:
    world = approved(company)
    before = queries(world)
    production = world.deployment.environment
    voters = [company.people["jonas"]]
    with acting(company.people["marek"]), as_role("owner"):  # scenery that nobody was asked about
        bench_scene.load(world.request, production, Size(policies=5, freezes=10, others=5), voters)
    after = queries(world)
    assert (before, after) == (ASKED, ASKED)
