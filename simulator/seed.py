"""Fill an empty simulator from a JSON description; orgs that are there already are left alone."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from simulator.catalogue import archive, holdings
from simulator.identity import orgs
from simulator.identity.orgs import Unusable
from simulator.world import Org, World


def load(world: World, path: Path) -> list[Org]:
    """Make the orgs of a seed file that do not exist yet; Unusable says what is wrong."""
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unusable(f"The seed {path} cannot be read: {error}") from error
    made = []
    for entry in described.get("orgs", []):
        if world.org_named(str(entry.get("name", ""))) is None:
            made.append(create(world, entry, path.parent))
    return made


def create(world: World, entry: dict[str, Any], base: Path | None) -> Org:
    """Make one org with its metadata; `metadata_dir` is read relative to `base`."""
    files = _files(entry, base)
    with world.store.transaction():
        org = orgs.create(world, orgs.parse(entry))
        if files:
            load_metadata(world, org, files)
        if entry.get("metadata_of"):
            _copy_metadata(world, org, str(entry["metadata_of"]))
    return org


def _copy_metadata(world: World, org: Org, name: str) -> None:
    """Give an org everything that another one holds; the contents are kept once."""
    source = world.org_named(name)
    if source is None:
        raise Unusable(f"There is no org called {name} whose metadata could be copied.")
    holdings.copy(world, source.id, org.id)


def load_metadata(world: World, org: Org, files: dict[str, bytes]) -> int:
    """Put files into an org without checks and without a deployment; count what changed."""
    person = orgs.first_person(world, org)
    try:
        return holdings.load_files(world, org.id, person.id, files)
    except ValueError as error:
        raise Unusable(f"The metadata cannot be loaded: {error}") from error


def _files(entry: dict[str, Any], base: Path | None) -> dict[str, bytes]:
    if entry.get("metadata_zip_base64"):
        return unzipped(str(entry["metadata_zip_base64"]))
    if not entry.get("metadata_dir"):
        return {}
    if base is None:
        raise Unusable("metadata_dir is for seed files; send metadata_zip_base64 instead.")
    root = base / str(entry["metadata_dir"])
    if not root.is_dir():
        raise Unusable(f"The metadata directory {root} does not exist.")
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    return without_manifests(found)


def unzipped(text: str) -> dict[str, bytes]:
    """Return the files of a base64 zip, without its top directory and its manifests."""
    try:
        files = archive.unzip(base64.b64decode(text, validate=True))
    except (binascii.Error, archive.BadArchive) as error:
        raise Unusable(f"The metadata zip cannot be read: {error}") from error
    found = archive.packages(files, single=True)
    return found[0].files if found else files


def without_manifests(files: dict[str, bytes]) -> dict[str, bytes]:
    """Drop package.xml and the destructive manifests."""
    names = (archive.MANIFEST, *archive.DESTRUCTIVE)
    return {path: data for path, data in files.items() if path not in names}
