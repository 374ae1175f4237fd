"""The package of one call: the whole artefact, or only what the org lacks of it.

Builds of a team may carry only what differs from the artefact that its CI org holds. What the org
holds is read here, when the deployment has the org to itself, so no other one comes between.
"""

from __future__ import annotations

from dataclasses import dataclass

from core import blobs
from core.errors import ExternalFault
from metadata import delta
from metadata.components import ComponentKey
from metadata.package import build, listing_digest_of_zip, read_zip
from releases.models import Artefact, Deployment
from releases.services import deployments, packaging
from releases.states import DeploymentState, Purpose


@dataclass(frozen=True, slots=True)
class Parcel:
    """The bytes to send, how many components they name, and what they come on top of."""

    content: bytes
    components: int
    base: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the org holds all of it already."""
        return not self.components


def of(deployment: Deployment) -> Parcel:
    """The package of a deployment; raises ``artefact.mismatch``."""
    artefact = deployment.artefact
    content = verified_zip(artefact)
    base = _base(deployment)
    if base is None:
        return Parcel(content, artefact.component_count)
    held = {ComponentKey(*key): digest for key, digest in packaging.digests_of(base).items()}
    form = read_zip(content)
    lacks = delta.against(held, form, artefact.api_version)
    number = len(lacks.changed) + len(lacks.removed)
    if not number:
        return Parcel(b"", 0, str(base))
    package = build(form.only(lacks.changed), artefact.api_version, lacks.removed)
    return Parcel(package.zip_bytes, number, str(base))


def _base(deployment: Deployment) -> Artefact | None:
    """What the org holds when that is sure and the build is to carry only the rest."""
    if deployment.purpose != Purpose.BUILD or deployment.plan.get("package") != "delta":
        return None
    last = deployments.last_write(deployment.environment_id)
    if last is None or last.state != DeploymentState.SUCCEEDED:
        return None
    # A refreshed sandbox is another organisation, whatever was recorded about the one before.
    wrote = (last.artefact.digest, last.organization_id)
    held = (deployment.environment.holds_digest, deployment.organization_id)
    return last.artefact if wrote == held else None


def verified_zip(artefact: Artefact) -> bytes:
    """The artefact's zip, its bytes and its canonical listing checked against the row.

    Raises ExternalFault ``artefact.mismatch`` when either differs.
    """
    package = blobs.get(artefact.blob)
    if listing_digest_of_zip(package) != artefact.digest:
        raise ExternalFault(
            "artefact.mismatch",
            f"The stored package is not {artefact}; nothing was sent. An admin has to look.",
            retryable=False,
        )
    return package
