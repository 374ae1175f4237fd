"""I-3: names are never identity; the worker hashes the bytes that it will deploy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from core import blobs
from core.context import Actor, acting_as
from governance.models import AuditEvent
from jobs.registry import Claim
from releases.engine import remote
from releases.engine.context import StepContext
from releases.models import Candidate, GitRef
from releases.states import StepKind
from tests.invariants.gate_world import approved
from tests.support.company import Company, hex_of
from tests.support.databases import as_role


class Target:
    """Counts what an org is asked to do."""

    def __init__(self) -> None:
        self.calls = 0

    def deploy(self, *_: Any, **__: Any) -> str:
        self.calls += 1
        return "0Af000000000001AAA"

    quick_deploy = deploy


def test_i03_a_tag_that_moves_changes_nothing_that_was_approved(company: Company) -> None:
    """A registry that moves the tag between resolve and deploy."""
    world = approved(company)
    before = Candidate.objects.get(pk=company.candidates["sales v1.1.0"].pk)
    with as_role("build"):
        GitRef.objects.filter(name="v1.1.0").update(sha=hex_of("moved")[:40])
    after = Candidate.objects.get(pk=before.pk)
    assert (after.sha, after.artefact_id) == (before.sha, before.artefact_id)
    assert world.in_force()
    assert world.verdict().allowed


def test_i03_other_bytes_under_the_digest_are_refused_and_told(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that serves other bytes under the digest → refused, event artefact.mismatch."""
    deployment = company.deployments["running"]
    step = deployment.steps.get(kind=StepKind.DEPLOY)
    step.deployment = deployment
    other = b"PK\x05\x06" + bytes(18)
    monkeypatch.setattr(blobs, "get", lambda _name: other)
    target = Target()
    claim = cast(Claim, SimpleNamespace(guard=lambda: None, renew=lambda _s: None, fence=1))
    with as_role("deploy"), acting_as(Actor("worker", None, "deploy worker")):
        remote.begin(StepContext(claim, deployment, step, cast(Any, target)))
    assert target.calls == 0
    step.refresh_from_db()
    assert step.state == "failed"
    assert AuditEvent.objects.filter(event="artefact.mismatch").exists()
