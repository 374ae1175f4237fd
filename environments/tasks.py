"""Work of environments, found by name: jobs carry a kind and an id, nothing else."""

from __future__ import annotations

from environments.services import checks, history, imports, orgs, snapshots
from environments.services.sandboxes import executing, inventory
from environments.services.sandboxes import requests as sandbox_requests
from jobs import periodic
from jobs.registry import register

register(orgs.CHECK_KIND, "deploy", checks.run)
register(snapshots.KIND, "deploy", snapshots.advance)
register(snapshots.HISTORY_KIND, "build", history.keep)
register(imports.KIND, "build", imports.run)
register(inventory.KIND, "deploy", inventory.advance)
register(inventory.SWEEP_KIND, "deploy", inventory.sweep)
periodic.register(
    "environments.sandboxes",
    inventory.EVERY_SECONDS,
    inventory.SWEEP_KIND,
    inventory.SWEEP_SUBJECT,
)
register(sandbox_requests.WORK, "deploy", executing.advance)
