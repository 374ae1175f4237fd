"""A pack is made after the orgs were asked what ran on them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import db
from environments.models import Environment
from jobs.wake import wake
from releases.evidence.population import protected
from releases.models import EvidencePack
from releases.services import evidence, observation
from releases.workers import evidence as worker
from tests.releases.evidence.conftest import made
from tests.support.company import Company, acting
from tests.support.databases import as_role


def looked_at(environment: Environment) -> None:
    with as_role("deploy"):
        observation.failed(environment, db.database_now(), "The org did not answer.")


def again(pack: EvidencePack) -> EvidencePack:
    """Let the worker look at the pack once more, without the wait between."""
    wake(evidence.KIND, pack.pk)
    return made(pack)


def test_pack_waits_until_each_org_was_asked_or_did_not_answer(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PATIENCE", timedelta(minutes=2))
    with acting(company.people["paul"]):
        pack = evidence.request_for_release(release_id=company.releases["October train"].pk)
    assert (made(pack).state, pack.stage) == ("making", "asking the orgs what ran on them")
    *others, last = protected().filter(retired_at=None, connection="ok")
    for environment in others:
        looked_at(environment)
    assert again(pack).state == "making"
    looked_at(last)
    assert again(pack).state == "ready"
