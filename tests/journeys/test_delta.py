"""A release of only what differs, whose tests are named: what production got and what it holds.

The policy that asks for named tests comes while people decide, so that I-30 is tried on the way.
Somebody else deploys to production before it is approved, so that no quick deploy is possible.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from core.errors import InvalidInput, Stale
from environments.gateways import open_org
from environments.models import Environment
from governance import policies, policy_changes
from governance.models import AuditEvent, Policy
from metadata.normal import NormalForm
from metadata.package import read_zip
from releases.engine import reads
from releases.models import Build, KnownTest, Release, ReleaseChange
from releases.selectors import release_page
from releases.services import releases, repositories, stages, testing
from salesforce.types import DeployOptions
from tests.journeys.northwind import Journey
from tests.simulator.packages import class_with_test, manifest, zipped
from tests.support.databases import as_role
from tests.support.processes import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def ask_for_named_tests(journey: Journey) -> None:
    """The board puts a version in force under which releases name their tests."""
    policy = Policy.objects.get(name="Production")
    assert policy.current is not None
    body = {**policy.current.body, "test_level": "RunSpecifiedTests"}
    proposal = journey.as_person("ana", policies.propose, policy_id=policy.pk, body=body)
    for name in ("ben", "jonas"):
        journey.as_person(
            name,
            policies.decide,
            proposal_id=proposal.pk,
            verdict="approve",
            comment="",
            shown_digest=policy_changes.question_digest(proposal),
            auth_strength="password",
        )


def sent(journey: Journey, identifier: str) -> tuple[dict[str, Any], NormalForm]:
    """What the org says about one deployment, and the package that it received."""
    found = journey.simulator.admin("GET", f"/deploys/{identifier}")
    return found, read_zip(base64.b64decode(found["zip_base64"]))


def held(journey: Journey) -> dict[str, str]:
    """Everything in production as the org itself lists it: the hash of its file by component."""
    name = journey.org("Production").name
    listed = journey.simulator.admin("GET", f"/orgs/{name}/metadata")
    return {f"{entry['type']}:{entry['name']}": entry["sha256"] for entry in listed}


def delta(journey: Journey) -> Release:
    """A composed release of Sales that carries only what differs from production."""
    candidate = journey.offered("sales", "v4.2.0")
    release = journey.as_person(
        "marek", releases.create, title="Small train", bump="patch", scope="delta"
    )
    journey.as_person(
        "marek", releases.add_candidate, release_id=release.pk, candidate_id=candidate.pk
    )
    journey.as_person("marek", releases.compose, release_id=release.pk)
    release = journey.release(release.pk)
    assert release.state == "composed", release.state_note
    return release


def other_tests_are_another_question(journey: Journey, release: Release) -> None:
    """One test more voids what was decided, and production has to be prepared with it."""
    with journey.acting("marek"):
        testing.add(release_id=release.pk, name="NoSuchTest")
    journey.work()
    now = journey.release(release.pk)
    assert (now.state, stages.preparation_of(now)) == ("rehearsed", None)
    assert journey.deployment(release).state == "superseded"
    journey.as_person("marek", stages.prepare, release_id=release.pk)
    now = journey.release(release.pk)
    assert "NoSuchTest" in now.state_note
    assert stages.preparation_of(now) is None
    with journey.acting("marek"):
        testing.leave_out(release_id=release.pk, name="NoSuchTest")
    assert stages.preparation_of(journey.release(release.pk)) is not None


def voided_by_somebody_else(journey: Journey) -> None:
    """Another deployment into production: the org takes no quick deploy of a validation before."""
    package = zipped({"package.xml": manifest({"ApexClass": ["*"]}), **class_with_test("Stranger")})
    with as_role("deploy"), open_org(journey.orgs["Production"]) as org:
        stranger = org.deploy(package, DeployOptions(check_only=False, test_level="RunLocalTests"))
        wait_until(lambda: org.deploy_status(stranger).done, seconds=30)
        assert org.deploy_status(stranger).success


def builds_carry_what_the_org_does_not_hold(journey: Journey) -> None:
    """The team chooses it; what a commit no longer holds is deleted from its CI org."""
    repository = journey.teams["sales"].repository
    journey.as_person(
        "priya",
        repositories.edit,
        repository_id=repository.pk,
        url=repository.url,
        main_branch="main",
        build_scope="delta",
    )
    for tag, files, carried, gone in (
        ("v4.9.1", {"classes/Fresh.cls": "public class Fresh {}\n"}, "Fresh", ""),
        (
            "v4.9.2",
            {"classes/Fresh.cls": None, "classes/Fresher.cls": "public class Fresher {}\n"},
            "Fresher",
            "Fresh",
        ),
    ):
        journey.pushed("sales", tag, dict(files))
        build = Build.objects.latest("pk")
        assert build.state == "passed", build.message
        newest = max(journey.org("Sales CI").deploys(), key=lambda row: row["createdDate"])
        found, package = sent(journey, newest["id"])
        assert [str(key) for key in package] == [f"ApexClass:{carried}"]
        deleted = [row["fullName"] for row in found["details"]["componentSuccesses"]
                   if row["deleted"]]  # fmt: skip
        assert deleted == [gone] * bool(gone)
        environment = Environment.objects.get(name="Sales CI")
        assert build.artefact is not None
        assert environment.holds_digest == build.artefact.digest
    note = build.deployments.get().steps.get(kind="deploy").note
    assert "only what differs from A·" in note


@pytest.mark.parametrize("journey", [("sales",)], indirect=True)
def test_i30_delta_release_is_asked_anew_under_another_policy_and_runs_the_tests_that_people_saw(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = delta(journey)
    first = journey.submitted(release)
    journey.decide("ana", first)
    ask_for_named_tests(journey)
    assert journey.release(release.pk).state == "rehearsed"
    with pytest.raises(Stale):
        journey.decide("ben", first)
    assert journey.deployment(release).state == "superseded"
    assert stages.preparation_of(journey.release(release.pk)) is None
    changes = ReleaseChange.objects.filter(release=release)
    differs = {f"{row.type}:{row.name}" for row in changes.exclude(kind="same")}
    assert changes.filter(kind="same").exists()
    proposed = KnownTest.objects.filter(release=release, kind="proposed")
    names = sorted(proposed.values_list("name", flat=True), key=str.lower)
    assert "HouseholdRollupTest" in names
    other = KnownTest.objects.filter(release=release, kind="known").order_by("name")[0].name
    with journey.acting("marek"):
        testing.add(release_id=release.pk, name=other.upper())
        with pytest.raises(InvalidInput):
            testing.leave_out(release_id=release.pk, name=names[0])
    named = sorted([*names, other], key=str.lower)
    journey.as_person("marek", stages.prepare, release_id=release.pk)
    request = journey.as_person("marek", stages.submit, release_id=release.pk)
    journey.decide("ana", request)
    other_tests_are_another_question(journey, release)
    request = journey.as_person("marek", stages.submit, release_id=release.pk)
    assert journey.deployment(release).plan["run_tests"] == named
    journey.decide("ana", request)
    voided_by_somebody_else(journey)
    before = held(journey)
    # The refusal comes later than what was seen of the target counts.
    monkeypatch.setattr(reads, "LOOK_COUNTS_FOR", timedelta(seconds=6))
    journey.org("Production").fault("slow", "deploy.start", times=1, seconds=8)
    journey.decide("ben", request)
    release = journey.release(release.pk)
    assert release.state == "deployed", release.state_note
    before_it, checked, _, _, written = journey.org("Production").deploys()[::-1]
    deployed = journey.deployment(release).steps.get(kind="deploy")
    assert "no longer accepts this validation" in deployed.facts["quick_deploy_refused"]
    assert "validated" not in deployed.facts
    assert "seen_at" in deployed.facts
    assert AuditEvent.objects.filter(event="step.intended_again").count() == 1
    assert sent(journey, before_it["id"])[0]["testLevel"] == "RunLocalTests"
    for row in (checked, written):
        found, package = sent(journey, row["id"])
        assert (found["testLevel"], sorted(found["runTests"], key=str.lower)) == (
            "RunSpecifiedTests", named,
        )  # fmt: skip
        assert {str(key) for key in package} == differs
        assert found["numberTestErrors"] == 0
        ran = {row["name"] for row in found["details"]["runTestResult"]["successes"]}
        assert ran == set(named)
    assert (checked["checkOnly"], written["checkOnly"]) == (True, False)
    after = held(journey)
    for key in {*before, *after} - differs:
        assert after.get(key) == before.get(key), key
    assert differs <= set(after)
    _, package = sent(journey, journey.writes("Production")[0]["id"])
    for part, files in package.items():
        if part.type == "ApexClass":
            (path,) = (name for name in files if name.endswith(".cls"))
            assert before.get(str(part)) != after[str(part)]
            assert journey.org("Production").content(path).encode() == files[path]
    shown = release_page.load(release, request.opened_at, release_page.ChangesWanted())
    assert shown.asked_tests is not None
    assert shown.asked_tests.names == tuple(named)
    builds_carry_what_the_org_does_not_hold(journey)
