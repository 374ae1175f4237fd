"""From a release that really reached production to a pack that an auditor verifies alone."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from core import blobs, clock
from environments.gateways import open_org
from governance import audit
from governance.models import AuditEvent
from releases.models import EvidencePack, OrgDeployment
from releases.services import evidence
from salesforce.types import DeployOptions
from tests.journeys.northwind import Journey
from tests.releases.evidence import forging
from tests.simulator.packages import class_with_test, manifest, zipped

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    text = (folder / name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def deploy_past_gatehouse(journey: Journey) -> str:
    """Send classes to production as somebody with the same user's rights would, in Setup."""
    package = manifest({"ApexClass": ["Backdoor", "BackdoorTest"]})
    content = zipped({"package.xml": package, **class_with_test("Backdoor")})
    with open_org(journey.orgs["Production"]) as org:
        options = DeployOptions(check_only=False, test_level="RunLocalTests")
        remote_id = org.deploy(content, options)
        while not org.deploy_status(remote_id).done:
            pass
    return remote_id


def unpacked(pack: EvidencePack, place: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(blobs.get(pack.blob))) as packed:
        packed.extractall(place)
    return next(place.iterdir())


def test_auditor_finds_the_release_its_approvals_and_the_change_past_gatehouse(
    journey: Journey, tmp_path: Path
) -> None:
    release = journey.composed("October", journey.offered("sales", "v4.2.0"))
    request = journey.submitted(release)
    journey.decide("ana", request)
    journey.decide("ben", request)
    deployment = journey.deployment(release)
    assert deployment.state == "succeeded", deployment.message
    with journey.acting("marek"), transaction.atomic():
        facts = {"how": "without a fresh proof", "path": "/"}
        audit.record("security.decision_refused", journey.users["marek"], facts=facts)
    foreign = deploy_past_gatehouse(journey)
    time.sleep(2.1)  # what happens in the last two seconds may stand in a pack before or after
    until = clock.now() + timedelta(minutes=1)
    asked = journey.as_person(
        "marek", evidence.request_for_period, since=until - timedelta(days=1), until=until
    )
    asked.refresh_from_db()
    assert asked.state == "ready", asked.message
    # Nobody looked at production since: the pack had it asked before it was made.
    strange = OrgDeployment.objects.get(standing="unexplained")
    assert strange.remote_id == foreign
    assert AuditEvent.objects.filter(event="observation.unexplained").exists()
    folder = unpacked(asked, tmp_path / "pack")
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.stdout.startswith("PASS"), done.stdout + done.stderr

    population = {row["change"]: row for row in rows(folder, "population.csv")}
    told = population[deployment.public_id]
    assert (told["outcome"], told["approvals"]) == ("succeeded", "2")
    listed = {row["id in the org"]: row for row in rows(folder, "reconciliation.csv")}
    write = deployment.steps.get(kind="deploy")
    assert listed[write.remote_id]["result"] == "matched"
    assert listed[foreign]["result"] == "unapproved"
    kinds = {row["kind"] for row in rows(folder, "exceptions.csv")}
    assert "unexplained change" in kinds
    record = json.loads((folder / told["record"]).read_text())
    assert [each["verdict"] for each in record["authorisation"]["decisions"]] == ["approve"] * 2
    assert record["segregation"]["conflicts"] == []
    assert record["execution"]["gate_right_before_the_call"] != "not recorded"
    assert record["integrity"]["covering_checkpoint"]["number"] == 1
    assert (folder / f"changes/{deployment.public_id}.pdf").read_bytes().startswith(b"%PDF")

    def verify(place: Path, *more: str) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", str(place / "verify.py"), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        return done.returncode, done.stdout + done.stderr

    # I-35: somebody signs what he likes; what he left out the history tells, or others do.
    assert forging.unnoticed(folder, tmp_path, verify) == {}
    answers = record["authorisation"]["decisions"]
    assert {each["event"][:2] for each in answers} == {"H-"}
    assert record["authorisation"]["carried_out_under_it_at"] is not None
    listed_requests = {row["request"]: row for row in rows(folder, "requests.csv")}
    asked = listed_requests[request.public_id]
    assert (asked["outcome"], asked["carried out by"]) == (
        "approved and carried out",
        deployment.public_id,
    )
