"""I-11: one gate, every path: nothing but the engine's one module reaches the deployer."""

from __future__ import annotations

import ast
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.management import call_command, get_commands
from django.db import transaction

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
    """An org that notes who opens it and every call that would write."""

    calls: ClassVar[list[str]] = []
    opened: ClassVar[list[str]] = []

    def __init__(self, environment: Any) -> None:
        self.name = str(environment)

    def __enter__(self) -> Spy:
        Spy.opened.append(self.name)
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            Spy.calls.append(name)
        raise RuntimeError(f"the spy was asked to {name}")


@pytest.fixture(autouse=True)
def _orgs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "open_org", Spy)
    monkeypatch.setattr("releases.engine.executor.open_org", Spy)
    Spy.calls, Spy.opened = [], []


SHUT = Verdict((Reason("gate.shut", "The gate is shut for a test.", Mark.HELD),))
OPEN = Verdict((Reason("gate.open", "The gate is open for a test.", Mark.DONE),))


def answer(monkeypatch: pytest.MonkeyPatch, verdict: Verdict) -> None:
    monkeypatch.setattr(gate, "evaluate", lambda deployment, now: verdict)


def advance(pk: int) -> None:
    """Let a deploy worker take a deployment up, as the queue would."""
    wake(deployments.KIND, pk)
    work = Work.objects.get(kind=deployments.KIND, subject_id=pk)
    with as_role("deploy"):
        runner.advance("deploy", [work.pk])


def waiting() -> list[int]:
    rows = Deployment.objects.filter(state__in=["held", "queued"])
    return list(rows.values_list("pk", flat=True))


@pytest.mark.timeout(200)
def test_i11_with_the_gate_shut_no_address_and_no_job_writes_to_an_org(
    company: Company, as_person: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patch gate() to False, walk every URL and the queue: zero calls to the target."""
    world = approved(company)
    answer(monkeypatch, SHUT)
    client = as_person("marek")
    client.raise_request_exception = False
    for address in all_addresses():
        if "post" in METHODS:
            call(client, "post", address.path)
    assert world.deployment.pk in waiting()
    for pk in waiting():
        advance(pk)
    assert (Spy.opened, Spy.calls) == ([], [])
    assert Deployment.objects.get(pk=world.deployment.pk).state == "held"


def test_i11_with_the_gate_open_the_same_job_reaches_the_org(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the walks above and below could fail."""
    world = approved(company)
    answer(monkeypatch, OPEN)
    advance(world.deployment.pk)
    for _ in range(3):
        advance(world.deployment.pk)
    assert "Production" in Spy.opened


def addresses_of_releases() -> list[str]:
    """Everything that can be posted about a release or a deployment."""
    return [
        address.path
        for address in all_addresses()
        if "987654" in address.path and address.path.startswith(("/releases/", "/deployments/"))
    ]


@pytest.mark.timeout(200)
@pytest.mark.parametrize("who", ["marek", "ana", "ines"])
def test_i11_no_post_about_an_unapproved_release_reaches_an_org(
    company: Company, as_person: Looks, who: str
) -> None:
    """With the real gate, real ids and a worker right behind each request."""
    release = company.releases["October train"]
    deployment = release.deployments.get(purpose="release")
    client = as_person(who)
    client.raise_request_exception = False
    addresses = addresses_of_releases()
    assert len(addresses) > 20
    for path in addresses:
        for number in {release.pk, deployment.pk}:
            with transaction.atomic():
                client.post(path.replace("987654", str(number)))
                if Deployment.objects.filter(pk=deployment.pk, state__in=["held", "queued"]):
                    advance(deployment.pk)
                transaction.set_rollback(True)
    assert ([name for name in Spy.opened if name == "Production"], Spy.calls) == ([], [])


OURS = ("core", "environments", "governance", "jobs", "releases")
PROCESSES = {"ticker", "work"}
"""What they do is walked above, row by row."""


def commands() -> list[str]:
    return sorted(
        name
        for name, app in get_commands().items()
        if str(app).split(".")[0] in OURS and name not in PROCESSES
    )


@pytest.mark.parametrize("role", ["web", "build", "deploy"])
def test_i11_no_management_command_reaches_an_org(company: Company, role: str) -> None:
    release = company.releases["October train"]
    deployment = release.deployments.get(purpose="release")
    assert len(commands()) > 5
    for name in commands():
        for arguments in ([], [str(release.pk)], [str(deployment.pk)]):
            with suppress(Exception, SystemExit), transaction.atomic(), as_role(role):
                call_command(name, *arguments, stdout=StringIO(), stderr=StringIO())
                transaction.set_rollback(True)
    assert (Spy.opened, Spy.calls) == ([], [])
    assert Deployment.objects.get(pk=deployment.pk).state == deployment.state
