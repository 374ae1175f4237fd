"""The company's sandboxes as production lists them, for pages about them."""

from __future__ import annotations

from datetime import timedelta

from core.clock import now
from environments.models import Sandbox, SandboxLicence, SandboxReading
from tests.support.company.rows import Company, acting
from tests.support.databases import as_role


def listed(company: Company) -> dict[str, Sandbox]:
    """Write what a deploy worker would have read; once per company."""
    owner = company.orgs["Production"]
    if not Sandbox.objects.exists():
        rows = (
            ("svctest", "partial_copy", "Service TEST", 3, "completed", 100),
            ("slsci", "developer_pro", "Sales CI", 40, "completed", 100),
            ("preprd", "full", "Rehearsal", 40, "copying", 37),
            ("spare", "developer", None, 2, "completed", 100),
        )
        with as_role("deploy"):
            for number, (name, kind, org, days, phase, progress) in enumerate(rows, start=1):
                Sandbox.objects.create(
                    production=owner,
                    info_id=f"0GQ{number:012d}AAA",
                    name=name,
                    licence_type=kind,
                    organization_id=company.orgs[org].expected_organization_id
                    if org
                    else "00D000000000077AAA",
                    copy_id=f"0GR{number:012d}AAA",
                    phase=phase,
                    status="Processing" if phase == "copying" else "Completed",
                    progress=progress,
                    copy_asked_at=now() - timedelta(days=days),
                    copied_at=now() - timedelta(days=days - 1),
                    copy_seconds=4000,
                    environment=company.orgs[org] if org else None,
                )
            SandboxReading.objects.create(production=owner, read_at=now())
        with acting(company.people["ines"]):
            SandboxLicence.objects.create(
                production=owner,
                licence_type="partial_copy",
                total=1,
                entered_by=company.people["ines"],
            )
    return {row.name: row for row in Sandbox.objects.all()}
