"""Releases in three places of their life, and what is in trouble."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from environments.models import Lease, Snapshot
from metadata.components import ComponentKey
from metadata.merge.conflicts import ElementConflict, Said
from releases.models import (
    Candidate,
    ComponentConflict,
    Dependency,
    KnownTest,
    Release,
    ReleaseChange,
    ReleaseItem,
)
from releases.services import releases, stages
from releases.states import DeploymentState, Purpose, ReleaseState
from releases.workers import between
from tests.support.company.house import hold
from tests.support.company.rows import LONG_CLASS, Company, acting, hex_of
from tests.support.company.work import package, run
from tests.support.databases import as_role
from tests.support.moves import reach


def _composed(company: Company, title: str, **more: Any) -> Release:
    with acting(company.people["marek"]):
        release = releases.create(
            title=title, bump="minor", notes="Households on accounts.", impact="Sales, Service"
        )
        for name, value in more.items():
            setattr(release, name, value)
        release.save(update_fields=list(more))
    with as_role("build"):
        release.artefact = package(title, 43)
        release.save(update_fields=["artefact"])
        for kind, name, verb in (
            ("CustomObject", "Account", "changed"),
            ("ApexClass", LONG_CLASS, "added"),
            ("PermissionSet", "Sales_Household_User", "changed"),
        ):
            ReleaseChange.objects.create(
                release=release,
                artefact=release.artefact,
                type=kind,
                name=name,
                kind=verb,
                teams=["Sales"],
                summary="2 fields, 1 validation rule",
            )
    company.releases[title] = release
    return release


def shipped(company: Company) -> None:
    release = _composed(company, "September train")
    assert release.artefact is not None
    for purpose, org, minutes in (
        (Purpose.INTEGRATE, "Integration", 90_000),
        (Purpose.REHEARSE, "Rehearsal", 80_000),
        (Purpose.PREPARE, "Production", 70_000),
    ):
        run(company, purpose, org, release.artefact, release=release, began=minutes)
    with as_role("deploy"):
        reach(release, ReleaseState.DEPLOYED)
        release.deployed_at = company.ago(days=26)
        release.save(update_fields=["deployed_at"])
    hold(company, "Production", release.public_id, release.artefact.digest)


def went_out(company: Company, candidate: Candidate) -> Release:
    """A release of one candidate that reached production a month ago."""
    with acting(company.people["marek"]):
        release = releases.create(title=f"Past of {candidate.tag}", bump="patch")
    ReleaseItem.objects.create(
        release=release,
        candidate=candidate,
        added_by=candidate.created_by,
        added_at=company.ago(days=40),
    )
    with as_role("deploy"):
        reach(release, ReleaseState.DEPLOYED)
        release.deployed_at = company.ago(days=30)
        release.save(update_fields=["deployed_at"])
    return release


def before_the_board(company: Company) -> None:
    release = _composed(
        company,
        "October train",
        not_before=company.now + timedelta(days=2),
        not_after=company.now + timedelta(days=2, hours=2),
    )
    assert release.artefact is not None
    with acting(company.people["marek"]):
        for slug in ("sales", "service"):
            candidate = company.candidates[f"{slug} v1.1.0"]
            releases.add_candidate(release_id=release.pk, candidate_id=candidate.pk)
    with as_role("build"):
        Dependency.objects.create(
            release=release,
            artefact=release.artefact,
            team="Service",
            type="ApexClass",
            name=LONG_CLASS,
            needs_team="Sales",
            needs_type="CustomField",
            needs_name="Account.Household_Renewal_Discount_Percentage__c",
        )
        for kind, name, reasons in (
            ("proposed", f"{LONG_CLASS}Test", [f"is called after {LONG_CLASS}"]),
            ("proposed", "QuoteTest", ["names Quote", "QuoteTest changes"]),
            ("known", "SmokeTest", []),
            ("untested", "OnQuote", ["ApexTrigger"]),
        ):
            KnownTest.objects.create(
                release=release, artefact=release.artefact, kind=kind, name=name, reasons=reasons
            )
    release.refresh_from_db()
    for purpose, org in ((Purpose.INTEGRATE, "Integration"), (Purpose.REHEARSE, "Rehearsal")):
        run(company, purpose, org, release.artefact, release=release, began=600)
        hold(company, org, release.public_id, release.artefact.digest)
    preparation = run(
        company, Purpose.PREPARE, "Production", release.artefact, release=release, began=120
    )
    with as_role("deploy"):
        preparation.baseline_digest = f"sha256:{hex_of('baseline')}"
        preparation.baseline = {"ApexClass:A": "1", "ApexClass:B": "2", "Flow:C": ""}
        preparation.save(update_fields=["baseline_digest", "baseline"])
    reach(release, ReleaseState.REHEARSED)
    with acting(company.people["marek"]):
        stages.submit(release_id=release.pk)
    release.refresh_from_db()


def draft(company: Company) -> None:
    with acting(company.people["marek"]):
        release = releases.create(title="November train", bump="minor")
    company.releases["November train"] = release
    with as_role("build"):
        ComponentConflict.objects.create(
            release=release,
            type="CustomObject",
            name="Account",
            teams=["Sales", "Service"],
            elements=[_fought_over()],
            found_at=company.ago(hours=3),
        )


def in_trouble(company: Company) -> None:
    """A deployment that runs, one whose outcome nobody knows, and an org's snapshot."""
    company.deployments["running"] = running = run(
        company,
        Purpose.TEST,
        "Service TEST",
        package("running"),
        candidate=company.candidates["service v1.0.0"],
        state=DeploymentState.RUNNING,
        began=12,
    )
    company.deployments["unknown"] = run(
        company,
        Purpose.BUILD,
        "Service CI",
        package("unknown"),
        build=company.builds["service 3"],
        state=DeploymentState.UNKNOWN,
        began=5,
    )
    with as_role("deploy"):
        Lease.objects.create(
            environment=company.orgs["Service TEST"],
            holder_kind="releases.deployment",
            holder_id=running.pk,
            label=running.public_id,
        )
        company.snapshots["Production"] = Snapshot.objects.create(
            environment=company.orgs["Production"],
            purpose="composition",
            manifest={"ApexClass": ["RenewalQuote"]},
            requested_by="Marek Novák",
        )


def _fought_over() -> dict[str, Any]:
    """What a build worker writes down about a label that two teams changed."""
    told = ("<label>Account</label>", "<label>Customer</label>", "<label>Client</label>")
    base, *sides = told
    said = tuple(
        Said((team,), text) for team, text in zip(("Sales", "Service"), sides, strict=True)
    )
    found = ElementConflict("CustomObject/label", base, said)
    return between.element(ComponentKey("CustomObject", "Account"), found)
