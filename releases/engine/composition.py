"""What a release was composed against, compared with what production holds when it is prepared.

People are shown the changes against the snapshot that the composition merged over, and what is "as
in production" there goes to production too. So that snapshot is where the baseline begins: a
preparation that finds anything else sends the release back to be composed again.
"""

from __future__ import annotations

from core import blobs
from environments.models import Snapshot
from environments.states import SnapshotState
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from metadata.package import read_zip
from releases.models import Deployment
from releases.services import deployments
from releases.states import Purpose

SHOWN = 5
_OF_PRODUCTION = (Purpose.PREPARE, Purpose.RELEASE)


def asked(deployment: Deployment) -> dict[str, list[str]]:
    """The manifest of a deployment's snapshot.

    What an org says of a profile depends on what else it is asked for; so everything that the
    composition asked for is asked for each time, and answers can be compared.
    """
    touched = deployment.artefact.touched
    base = _base(deployment)
    if base is None or deployment.purpose not in _OF_PRODUCTION:
        return touched
    return {
        name: sorted({*touched.get(name, ()), *base.manifest.get(name, ())})
        for name in sorted({*touched, *base.manifest})
    }


def problem(deployment: Deployment, now: dict[str, str]) -> str:
    """Why a preparation does not fit what its release was composed against; empty when it does.

    ``now`` are the digests of the touched components. A rollback was composed against nothing:
    people are shown all of it.
    """
    release = deployment.release
    if deployment.purpose != Purpose.PREPARE or release is None or release.restores_id is not None:
        return ""
    base = _base(deployment)
    if base is None or base.state != SnapshotState.DONE:
        return f"{release.public_id} is not composed against production. Compose it again."
    before = digests(read_zip(blobs.get(base.blob)), now)
    changed = [key for key in sorted(now) if now[key] != before[key]]
    if not changed:
        return ""
    name = deployment.environment.name
    last = deployments.last_write(deployment.environment_id)
    since = last is not None and last.finished_at and last.finished_at >= base.created_at
    by = f"by {last.public_id}" if last is not None and since else "outside Gatehouse"
    return (
        f"{name} changed since {release.public_id} was composed: {named(changed)}, {by}. "
        "Compose the release again."
    )


def digests(form: NormalForm, names: dict[str, str] | list[str]) -> dict[str, str]:
    """The digest of each named component (``Type:name``); an empty one where it is absent."""
    keys = {name: ComponentKey(*name.split(":", 1)) for name in names}
    return {name: form.component_digest(key) if key in form else "" for name, key in keys.items()}


def named(changed: list[str]) -> str:
    """The first of these components, as a sentence names them."""
    shown = ", ".join(key.replace(":", " ", 1) for key in changed[:SHOWN])
    return f"{shown} and {len(changed) - SHOWN} more" if len(changed) > SHOWN else shown


def _base(deployment: Deployment) -> Snapshot | None:
    return deployment.release.base_snapshot if deployment.release else None
