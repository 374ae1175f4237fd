"""Keep artefacts: the zip in the blob store, identity and components in the database."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from core import blobs
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from metadata.package import build, read_zip
from releases.models import Artefact, ArtefactComponent

API_VERSION = "64.0"


def keep(
    form: NormalForm, removed: Sequence[ComponentKey] = (), api_version: str = API_VERSION
) -> Artefact:
    """Build the package of a normal form and keep it once; equal contents give the same row.

    The blob is written before the row, so a row never names a blob that is not there.
    """
    package = build(form, api_version, removed)
    known = Artefact.objects.filter(digest=package.digest).first()
    if known is not None:
        return known
    blob = blobs.put(package.zip_bytes)
    with transaction.atomic():
        artefact, created = Artefact.objects.get_or_create(
            digest=package.digest,
            defaults={
                "blob": blob,
                "zip_size": len(package.zip_bytes),
                "unzipped_size": sum(size for _path, size, _sha in package.listing),
                "file_count": len(package.listing),
                "component_count": len(package.components) + len(removed),
                "api_version": api_version,
                "manifest": package.manifest,
                "removes": [list(key) for key in sorted(removed)],
            },
        )
        if created:
            ArtefactComponent.objects.bulk_create(
                (
                    ArtefactComponent(
                        artefact=artefact, type=key.type, name=key.name, digest=digest
                    )
                    for key, digest in sorted(form.component_digests().items())
                ),
                batch_size=1000,
            )
    return artefact


def form_of(artefact: Artefact) -> NormalForm:
    """The normal form of a kept artefact, read back from its zip."""
    return read_zip(blobs.get(artefact.blob))


def digests_of(artefact: Artefact) -> dict[tuple[str, str], str]:
    """Type and name of every component with the SHA-256 of its normal form."""
    rows = artefact.components.values_list("type", "name", "digest")
    return {(type_name, name): digest for type_name, name, digest in rows}
