"""The company's sandboxes as production lists them, for pages about them."""

from __future__ import annotations

from datetime import timedelta

from core.clock import now
from environments.models import Sandbox, SandboxLicence, SandboxReading, SandboxRequest
from environments.services.sandboxes import requests as services
from environments.services.sandboxes.facts import Wish
from environments.states import SandboxAction, SandboxStart, SandboxState
from tests.support.company.rows import Company, acting
from tests.support.databases import as_role


def listed(company: Company) -> dict[str, Sandbox]:
    """Write what a deploy worker would have read; once per company."""
    owner = company.orgs["Production"]
    if not Sandbox.objects.exists():
        rows = (
            ("svctest", "partial_copy", "Service TEST", 3, "completed", 100),
            ("svcci", "developer_pro", "Service CI", 40, "completed", 100),
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


def requests(company: Company) -> dict[str, SandboxRequest]:
    """A request before those who decide, one that is copied, one that waits for its connection.

    The last two are asked by a policy that asks nobody, so that they are approved at once.
    """
    rows = listed(company)
    if not SandboxRequest.objects.exists():
        _requests(company, rows)
    return {row.state: row for row in SandboxRequest.objects.all()}


def _requests(company: Company, rows: dict[str, Sandbox]) -> None:
    for name, org, who in (
        ("svctest", "Service TEST", "tomas"),
        ("slsci", "Sales CI", "priya"),
        ("svcci", "Service CI", "tomas"),
    ):
        sandbox = rows[name]
        wish = Wish(
            action=SandboxAction.REFRESH,
            start=SandboxStart.SOON,
            name=name,
            licence_type=sandbox.licence_type,
            sandbox=sandbox,
            template_id="1ps000000000001AAA" if name == "svctest" else "",
            reason="Its data is from the year before last; testers cannot find current contracts.",
        )
        with acting(company.people[who]):
            made = services.ask(wish=wish, environment=company.orgs[org], team=None)
        if name == "svctest":
            continue
        with as_role("deploy"):
            services.move(made, SandboxState.STARTING, intended_at=now())
            services.move(made, SandboxState.COPYING, started_at=now(), progress=41)
            if name == "slsci":
                services.move(
                    made,
                    SandboxState.RECONNECT,
                    new_organization_id="00D000000000088AAA",
                    finished_at=now(),
                )
