"""I-11: one gate, every path: nothing but the engine's one module reaches the deployer."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from environments import gateways
from jobs import registry, runner
from jobs.models import Work
from jobs.wake import wake
from releases import gate
from releases.models import Deployment
from releases.rules.reasons import Mark, Reason, Verdict
from releases.services import deployments
from tests.architecture.test_access import METHODS, all_addresses, call
from tests.invariants.gate_world import approved
from tests.releases.pages.conftest import Looks
from tests.support.company import Company
from tests.support.databases import as_role

registry.autodiscover()
ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "core", "dashboard", "demo", "environments", "governance", "jobs", "releases")
WRITES = frozenset({"deploy", "quick_deploy"})


def test_i11_only_the_engines_remote_module_calls_the_deployer() -> None:
    """Only one module may call what writes to an org."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in WRITES
                ):
                    found.add(str(path.relative_to(ROOT)))
    assert found == {"releases/engine/remote.py"}


class Spy:
    """An org that notes every call that would write."""

    calls: list[str] = []

    def __enter__(self) -> Spy:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            Spy.calls.append(name)
        raise RuntimeError(f"the spy was asked to {name}")


@pytest.mark.timeout(200)
def test_i11_with_the_gate_shut_no_address_and_no_job_writes_to_an_org(
    company: Company, as_person: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patch gate() to False, walk every URL and the queue: zero calls to the target."""
    world = approved(company)
    shut = Verdict((Reason("gate.shut", "The gate is shut for a test.", Mark.HELD),))
    monkeypatch.setattr(gate, "evaluate", lambda deployment, now: shut)
    monkeypatch.setattr(gateways, "open_org", lambda _environment: Spy())
    monkeypatch.setattr("releases.engine.executor.open_org", lambda _environment: Spy())
    Spy.calls = []
    client = as_person("marek")
    client.raise_request_exception = False
    for address in all_addresses():
        if "post" in METHODS:
            call(client, "post", address.path)
    waiting = Deployment.objects.filter(state__in=["held", "queued"]).values_list("pk", flat=True)
    assert world.deployment.pk in waiting
    for pk in waiting:
        wake(deployments.KIND, pk)
        work = Work.objects.get(kind=deployments.KIND, subject_id=pk)
        with as_role("deploy"):
            runner.advance("deploy", [work.pk])
    assert Spy.calls == []
    assert Deployment.objects.get(pk=world.deployment.pk).state == "held"
