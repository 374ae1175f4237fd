"""Sandboxes as the official command line sees them; one is refreshed the way Gatehouse does it."""

from __future__ import annotations

from tests.simulator.conformance.clients import CommandLine
from tests.simulator.packages import Client
from tests.support.simulator import SimulatedOrg

DAY = 86400
WAIT = ("--no-prompt", "--wait", "2", "--poll-interval", "15")
INFO = "tooling/sobjects/SandboxInfo"


def run(sf: CommandLine, production: SimulatedOrg) -> None:
    """Create, list, refresh (too early first), clone, resume and delete."""
    production.simulator.set_speed(600)
    sf.check(
        "sf org create sandbox",
        ("org", "create", "sandbox", "-o", "prod", "--name", "dev1", "--license-type", "Developer",
         "--alias", "dev1", *WAIT),
        lambda a: (a["status"], a["result"]["SandboxName"], a["result"]["Status"]),
        (0, "dev1", "Completed"),
    )  # fmt: skip
    before = _organization(sf)
    sf.check(
        "sf org list",
        ("org", "list", "--skip-connection-status"),
        lambda a: [(row["alias"], row["orgId"]) for row in a["result"]["sandboxes"]
                   if row.get("alias") == "dev1"],
        [("dev1", before)],
    )  # fmt: skip
    sf.check(
        "sf org refresh sandbox, too early",
        ("org", "refresh", "sandbox", "-o", "prod", "--name", "dev1", *WAIT),
        lambda a: a["status"] != 0,
        True,
    )
    production.simulator.jump(DAY + 60)
    sf.check(
        "sf org refresh sandbox",
        ("org", "refresh", "sandbox", "-o", "prod", "--name", "dev1", *WAIT),
        lambda a: (a["status"], a["result"]["Status"],
                   a["result"]["SandboxOrganization"] != before[:15]),
        (0, "Completed", True),
    )  # fmt: skip
    _ordered_by_another(sf, production)
    _clone_and_delete(sf)


def _organization(sf: CommandLine) -> str:
    return str(sf.run("org", "display", "-o", "dev1").get("result", {}).get("id"))


def _ordered_by_another(sf: CommandLine, production: SimulatedOrg) -> None:
    """What Gatehouse sends; the command line follows the same copy to its end."""
    production.simulator.jump(DAY + 60)
    client = Client(production)
    info = client.rows("SELECT Id, SandboxName FROM SandboxInfo", tooling=True)[0]["Id"]
    order = {"LicenseType": "DEVELOPER", "AutoActivate": True, "SourceId": None}
    answer = client.call("PATCH", f"{INFO}/{info}", json=order)
    sf.check(
        "sf org resume sandbox, ordered by another client",
        ("org", "resume", "sandbox", "-o", "prod", "--name", "dev1", "--wait", "2"),
        lambda a: (answer.status_code, a["status"], a["result"]["Status"], _copies(client, info)),
        (204, 0, "Completed", 3),
    )


def _copies(client: Client, info: str) -> int:
    rows = client.rows("SELECT Id, SandboxInfoId FROM SandboxProcess", tooling=True)
    return sum(row["SandboxInfoId"] == info for row in rows)


def _clone_and_delete(sf: CommandLine) -> None:
    sf.check(
        "sf org create sandbox, clone",
        ("org", "create", "sandbox", "-o", "prod", "--name", "dev2", "--source-sandbox-name",
         "dev1", "--no-prompt", "--async"),
        lambda a: (a["status"], a["result"]["SandboxName"]),
        (68, "dev2"),
    )  # fmt: skip
    sf.check(
        "sf org resume sandbox",
        ("org", "resume", "sandbox", "-o", "prod", "--name", "dev2", "--wait", "2"),
        lambda a: (a["status"], a["result"]["Status"]),
        (0, "Completed"),
    )
    sf.check(
        "sf org delete sandbox",
        ("org", "delete", "sandbox", "-o", "dev1", "--no-prompt"),
        lambda a: a["status"],
        0,
    )
