"""Snapshots of a simulated org: asked for by people, taken by workers, kept as history."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from django.db import ProgrammingError, transaction

from core import blobs
from core.context import Actor, acting_as
from core.errors import InvalidInput, NotAllowed, NotNow
from environments import gateways
from environments.models import Environment, Snapshot
from environments.services import history, orgs, snapshots
from environments.services.history import lay_over
from governance import audit
from jobs.models import Work as WorkRow
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from metadata.package import read_zip
from tests.contract.conftest import package
from tests.environments.conftest import House, words
from tests.support.databases import as_role
from tests.support.simulator import (
    SimulatedOrg,
    SimulatorProcess,
    simulator,
    simulator_of_session,
)

__all__ = ["simulator", "simulator_of_session"]

Work = Callable[..., None]
CLASSES = {"ApexClass": ["*"]}


@pytest.fixture
def simulated(simulator: SimulatorProcess) -> SimulatedOrg:
    """A sandbox with two classes."""
    made = simulator.org(is_sandbox=True, organization_name="Northwind")
    made.load_zip(package("Invoice"))
    return made


@pytest.fixture
def org(
    house: House, simulated: SimulatedOrg, work: Work, settings: Any, tmp_path: Path
) -> Environment:
    """Sales CI, connected to the simulated sandbox by JWT."""
    process = simulated.simulator
    settings.GATEHOUSE = replace(
        settings.GATEHOUSE,
        org_hosts=(f"*.localhost:{process.port}",),
        org_ca_file=process.ca_file,
        mirrors_dir=tmp_path / "mirrors",
    )
    gateways._sessions.kept.clear()
    with house.acting("priya"):
        made = orgs.create(
            team=house.teams["sales"],
            stage="CI",
            words=words(login_host=simulated.host, expected_organization_id=simulated.id),
        )
        orgs.set_credential(
            environment_id=made.pk,
            flow="jwt",
            client_id=simulated.client_id,
            username=simulated.username,
            secret=simulated.key.private_pem,
        )
    work("deploy")
    made.refresh_from_db()
    assert made.connection == "ok", made.connection_message
    return made


def taken(house: House, org: Environment, work: Work, manifest: dict[str, list[str]]) -> Snapshot:
    """Ask for a snapshot and let the deploy workers take it."""
    with house.acting("priya"):
        asked = snapshots.request(environment=org, manifest=manifest, purpose="test")
    work("deploy")
    asked.refresh_from_db()
    return asked


def git(environment: Environment, *args: str) -> str:
    """Ask the history repository."""
    path = history.repository(environment)
    done = subprocess.run(
        ["git", "-C", str(path), *args], capture_output=True, check=True, text=True
    )
    return done.stdout


# Taking ------------------------------------------------------------------------------------------


def test_a_snapshot_keeps_what_the_org_holds(house: House, org: Environment, work: Work) -> None:
    snapshot = taken(house, org, work, CLASSES)
    assert snapshot.state == "done", snapshot.message
    form = read_zip(blobs.get(snapshot.blob))
    assert ComponentKey("ApexClass", "Invoice") in form
    assert snapshot.component_count == len(form) == 2
    assert snapshot.content_digest == form.digest()
    assert snapshot.organization_id == org.organization_id
    events = [event.event for event in audit.events_for(snapshot.public_id)]
    assert events == ["snapshot.taken", "snapshot.requested"]
    assert snapshot.public_id in {
        ref for event in audit.events_for(org.public_id) for ref in event.related
    }


def test_a_missing_component_is_told_and_not_fatal(
    house: House, org: Environment, work: Work
) -> None:
    snapshot = taken(house, org, work, {"ApexClass": ["Invoice", "Nowhere"]})
    assert snapshot.state == "done"
    assert any("Nowhere" in message for message in snapshot.messages)


def test_equal_content_has_an_equal_digest(
    house: House, org: Environment, simulated: SimulatedOrg, work: Work
) -> None:
    first = taken(house, org, work, CLASSES)
    second = taken(house, org, work, CLASSES)
    simulated.change("classes/Invoice.cls", "public class Invoice { }")
    third = taken(house, org, work, CLASSES)
    assert first.content_digest == second.content_digest != third.content_digest


def test_an_org_that_cannot_be_opened_fails_the_snapshot_in_words(
    house: House, org: Environment, simulated: SimulatedOrg, work: Work
) -> None:
    gateways._sessions.kept.clear()
    simulated.fault("html", "oauth.token", status=400)
    snapshot = taken(house, org, work, CLASSES)
    assert snapshot.state == "failed"
    assert simulated.host in snapshot.message
    assert audit.events_for(snapshot.public_id)[0].event == "snapshot.failed"


def test_a_passing_fault_is_survived(
    house: House, org: Environment, simulated: SimulatedOrg, work: Work
) -> None:
    simulated.fault("expired_session", "retrieve.status", times=1)
    assert taken(house, org, work, CLASSES).state == "done"


def test_an_org_that_never_delivers_is_given_up(
    house: House, org: Environment, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "GIVE_UP", -snapshots.GIVE_UP)
    snapshot = taken(house, org, work, CLASSES)
    assert snapshot.state == "failed"
    assert "within an hour" in snapshot.message


def test_whoever_waits_is_woken(house: House, org: Environment, work: Work) -> None:
    with house.acting("priya"):
        asked = snapshots.request(
            environment=org,
            manifest=CLASSES,
            purpose="test",
            wakes=("environments.check", org.pk),
        )
    WorkRow.objects.get(kind="environments.check", subject_id=org.pk)
    before = Environment.objects.get(pk=org.pk).checked_at
    work("deploy")
    asked.refresh_from_db()
    after = Environment.objects.get(pk=org.pk).checked_at
    assert asked.state == "done"
    assert before is not None
    assert after is not None
    assert after > before


@pytest.mark.parametrize("manifest", [{}, {"ApexClass": []}])
def test_an_empty_snapshot_is_refused(
    house: House, environment: Environment, manifest: dict[str, list[str]]
) -> None:
    with house.acting("priya"), pytest.raises(InvalidInput) as raised:
        snapshots.request(environment=environment, manifest=manifest, purpose="test")
    assert raised.value.code == "snapshot.empty"


def test_people_ask_for_everything_of_a_connected_org(
    house: House, org: Environment, work: Work
) -> None:
    with house.acting("lena"):
        asked = snapshots.ask(environment_id=org.pk)
    work("deploy")
    asked.refresh_from_db()
    assert asked.state == "done", asked.message
    assert (asked.requested_by, asked.purpose) == ("Lena", "on request")


def test_strangers_and_unconnected_orgs_take_no_snapshot(
    house: House, environment: Environment
) -> None:
    for who in ("tomas", "ana", "paul"):
        with house.acting(who), pytest.raises(NotAllowed):
            snapshots.ask(environment_id=environment.pk)
    with house.acting("lena"), pytest.raises(NotNow) as raised:
        snapshots.ask(environment_id=environment.pk)
    assert raised.value.code == "environment.not_connected"


def test_a_worker_keeps_what_it_retrieved_itself(
    house: House, org: Environment, work: Work
) -> None:
    content = package("Kept")
    with as_role("deploy"), acting_as(Actor("worker", None, "deploy worker")):
        kept = snapshots.keep(
            environment=org,
            manifest=CLASSES,
            zip_bytes=content,
            form=read_zip(content),
            purpose="before D-7",
        )
    assert kept.state == "done"
    assert blobs.get(kept.blob) == content
    work("build")
    kept.refresh_from_db()
    assert len(kept.history_commit) == 40


def test_a_settled_snapshot_never_changes(house: House, org: Environment, work: Work) -> None:
    snapshot = taken(house, org, work, CLASSES)
    for changes in (
        {"content_digest": f"sha256:{'0' * 64}"},
        {"state": "failed"},
        {"message": "x"},
    ):
        with (
            as_role("deploy"),
            pytest.raises(Exception, match="is final"),
            transaction.atomic(),
        ):
            Snapshot.objects.filter(pk=snapshot.pk).update(**changes)
    with as_role("web"), pytest.raises(ProgrammingError), transaction.atomic():
        Snapshot.objects.filter(pk=snapshot.pk).update(state="done")


# History -----------------------------------------------------------------------------------------


def test_each_snapshot_is_a_commit_on_the_one_before(
    house: House, org: Environment, simulated: SimulatedOrg, work: Work
) -> None:
    first = taken(house, org, work, CLASSES)
    work("build")
    simulated.change("classes/Invoice.cls", "public class Invoice { Integer two; }")
    second = taken(house, org, work, CLASSES)
    work("build")
    for snapshot in (first, second):
        snapshot.refresh_from_db()
    log = git(org, "log", "--format=%H %s", second.history_commit).splitlines()
    assert log == [
        f"{second.history_commit} {second.public_id} of {org.public_id}: test",
        f"{first.history_commit} {first.public_id} of {org.public_id}: test",
    ]
    changed = git(org, "diff", "--name-only", first.history_commit, second.history_commit)
    assert "Invoice.cls" in changed
    assert len(changed.splitlines()) == 1
    assert audit.events_for(second.public_id)[0].event == "snapshot.kept"


def test_a_snapshot_of_a_part_leaves_the_rest(
    house: House, org: Environment, simulated: SimulatedOrg, work: Work
) -> None:
    taken(house, org, work, CLASSES)
    work("build")
    simulated.change("classes/Invoice.cls", "public class Invoice { Integer two; }")
    part = taken(house, org, work, {"ApexClass": ["Invoice"]})
    work("build")
    part.refresh_from_db()
    listed = git(org, "ls-tree", "-r", "--name-only", part.history_commit)
    assert "InvoiceTest" in listed
    assert "two" in git(org, "show", part.history_commit)


def test_a_lost_repository_is_made_again_with_the_same_commits(
    house: House, org: Environment, simulated: SimulatedOrg, work: Work
) -> None:
    first = taken(house, org, work, CLASSES)
    work("build")
    first.refresh_from_db()
    rmtree(history.repository(org))
    simulated.change("classes/Invoice.cls", "public class Invoice { Integer two; }")
    second = taken(house, org, work, CLASSES)
    work("build")
    second.refresh_from_db()
    parent = git(org, "rev-parse", f"{second.history_commit}^").strip()
    assert parent == first.history_commit


def test_snapshots_that_wait_are_kept_in_the_order_they_were_taken(
    house: House, org: Environment, work: Work
) -> None:
    first = taken(house, org, work, CLASSES)
    second = taken(house, org, work, {"ApexClass": ["Invoice"]})
    WorkRow.objects.filter(kind="environments.history", subject_id=first.pk).update(wake_at=None)
    work("build")
    for snapshot in (first, second):
        snapshot.refresh_from_db()
    assert git(org, "rev-parse", f"{second.history_commit}^").strip() == first.history_commit


def key(text: str) -> ComponentKey:
    kind, _, name = text.partition(":")
    return ComponentKey(kind, name)


@pytest.mark.parametrize(
    ("manifest", "left"),
    [
        ({"ApexClass": ["A"]}, {"ApexClass:B", "CustomObject:O", "CustomField:O.F"}),
        ({"ApexClass": ["*"]}, {"CustomObject:O", "CustomField:O.F"}),
        ({"CustomObject": ["O"]}, {"ApexClass:A", "ApexClass:B"}),
        ({"CustomObject": ["*"]}, {"ApexClass:A", "ApexClass:B"}),
        ({"CustomField": ["O.F"]}, {"ApexClass:A", "ApexClass:B", "CustomObject:O"}),
        (
            {"CustomObject": ["P"]},
            {"ApexClass:A", "ApexClass:B", "CustomObject:O", "CustomField:O.F"},
        ),
    ],
)
def test_what_was_asked_for_and_did_not_come_is_gone(
    manifest: dict[str, list[str]], left: set[str]
) -> None:
    known = NormalForm(
        {key(name): {"f": b"1"} for name in ("ApexClass:A", "ApexClass:B", "CustomObject:O")}
        | {key("CustomField:O.F"): {"": b"<CustomField/>"}}
    )
    whole = lay_over(known, NormalForm({}), manifest)
    assert {str(item) for item in whole} == left
