"""Deploy converted projects into an empty org, in this process, and print every complaint.

A project names the packages that it builds on in a file beside its zip (NAME.options.json, the
options of the org), for instance {"namespaces": ["npe01"]}.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from simulator.deploys import planning
from simulator.deploys.options import Options
from simulator.identity import orgs
from simulator.identity.orgs import NewOrg
from simulator.world import World

SHOWN = 25


def main(files: list[str]) -> int:
    """Deploy each; 0 when nothing is complained about."""
    return sum(_one(Path(file)) for file in files)


def _one(file: Path) -> int:
    options = file.with_suffix(".options.json")
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory), speed=1, plain=True)
        new = NewOrg(
            name="empty",
            organization_name="Empty",
            is_sandbox=True,
            users=[{"username": "admin@empty.sim"}],
            options=json.loads(options.read_text()) if options.exists() else {},
        )
        org = orgs.create(world, new)
        began = time.monotonic()
        wanted = Options(rollback_on_error=True, single_package=True)
        plan = planning.make(world, org, wanted, file.read_bytes())
        took = time.monotonic() - began
        errors = plan.component_errors
        warnings = [row["message"] for row in world.store.rows("select message from warning")]
    print_line = sys.stdout.write
    print_line(f"{file.stem:28} {len(plan.counted):6} components {len(errors):5} complaints")
    print_line(f" {len(warnings):3} warnings {took:6.1f} s {plan.error_message}\n")
    for message in errors[:SHOWN]:
        problem = " ".join(message.problem.split())
        print_line(f"    {message.type} {message.name} {message.line}:{message.column} {problem}\n")
    for warning in warnings[:SHOWN]:
        print_line(f"    warning: {warning}\n")
    return len(errors)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
