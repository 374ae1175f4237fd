"""The gate asks a constant number of queries, however much there is (no times: machines differ)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.pq import PipelineStatus

from core import composed, db
from releases import bench_scene, gate
from releases.bench_scene import Size
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company, acting
from tests.support.databases import as_role

SAVEPOINT = 2
ASKED = 13 + SAVEPOINT


def queries(world: Approved) -> int:
    deployment, now = world.fresh(), db.database_now()
    with CaptureQueriesContext(connection) as asked:
        verdict = gate.evaluate(deployment, now)
    assert "gate.unreadable" not in {row.code for row in verdict.reasons}
    return len(asked)


def test_everything_is_asked_in_two_portions(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = approved(company)
    deployment, now = world.fresh(), db.database_now()
    alone: list[str] = []
    sent = composed._sent

    def watched(question: composed.Question) -> object:
        if connection.connection.info.pipeline_status == PipelineStatus.OFF:
            alone.append(question.composed.statement.sql)
        return sent(question)

    monkeypatch.setattr(composed, "_sent", watched)
    gate.evaluate(deployment, now)
    assert alone == []


def test_the_number_of_queries_is_small_and_does_not_grow(company: Company) -> None:
    world = approved(company)
    before = queries(world)
    production = world.deployment.environment
    voters = [company.people["jonas"]]
    with acting(company.people["marek"]), as_role("owner"):  # scenery that nobody was asked about
        bench_scene.load(world.request, production, Size(policies=5, freezes=10, others=5), voters)
    after = queries(world)
    assert (before, after) == (ASKED, ASKED)
