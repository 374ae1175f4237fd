"""What packages contain, for retrieves by package name, and the metadata form of installations.

A version may be described with its metadata (`metadata_zip_base64`); a retrieve by the package's
name gives that to the org that publishes it and to those that have it installed. Installed packages
with a namespace are components of type InstalledPackage: a deployment of one installs it.
"""

from typing import Any

from simulator import xmltree
from simulator.catalogue import archive, parts, registry
from simulator.clock import soap_time
from simulator.packages import install
from simulator.rest import store
from simulator.rest.store import Record
from simulator.world import Org, World


def version_named(world: World, org: Org, name: str) -> Record | None:
    """Return the version of a package that an org has installed, or the newest that it made."""
    for held in store.of_kind(world, org.id, install.INSTALLED):
        version = install.version_of(world, held.fields["SubscriberPackageVersionId"])
        if version is not None and install.package_of(world, version).fields["Name"] == name:
            return version
    own = [
        version
        for version in store.of_kind(world, org.id, "MetadataPackageVersion")
        if install.package_of(world, version).fields["Name"] == name
    ]
    return max(own, key=install.number, default=None)


def retrieved(
    world: World, version: Record, name: str, prefix: str, api: str
) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """Return a package's files below a prefix, with its package.xml, and their properties."""
    kept = version.fields.get("_content")
    content = archive.unzip(world.store.get(kept)) if kept else {}
    found = parts.split(content)
    listed: dict[str, list[str]] = {}
    for part in found:
        listed.setdefault(registry.manifest_type(part.type), []).append(part.name)
    files = {**content, archive.MANIFEST: archive.write_manifest(listed, api, name)}
    person = world.person(version.modified_by)
    by = {"Id": version.modified_by, "Name": person.full_name if person else ""}
    at = soap_time(version.created_at)
    properties = [
        {
            "createdById": by["Id"],
            "createdByName": by["Name"],
            "createdDate": at,
            "fileName": prefix + part.path,
            "fullName": part.name,
            "id": "",
            "lastModifiedById": by["Id"],
            "lastModifiedByName": by["Name"],
            "lastModifiedDate": at,
            "manageableState": "installed",
            "type": registry.manifest_type(part.type),
        }
        for part in found
    ]
    return {prefix + path: data for path, data in files.items()}, properties


def install_by_file(world: World, org: Org, person: str, namespace: str, content: bytes) -> None:
    """Carry out what a deployed InstalledPackage asks for; the deployment has checked it."""
    version = install.numbered(world, namespace, xmltree.parse(content).value("versionNumber"))
    if version is not None:
        install.put(world, org, version, person)
