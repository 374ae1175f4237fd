"""Make packages with versions and subscribers, as the operator describes them."""

from typing import Any

from simulator import ids, seed
from simulator.catalogue import archive
from simulator.identity import orgs
from simulator.identity.orgs import Unusable
from simulator.packages.push import ERROR_TYPES
from simulator.rest import store
from simulator.world import Org, World


def add(world: World, org: Org, described: dict[str, Any]) -> dict[str, Any]:
    """Make one package; return the ids of the package, its versions and its subscribers.

    {"name", "namespace", "versions": [{"number": "1.2.0.1", "state": "Released"|"Beta",
    "deprecated", "installation_key",
    "install_error", "metadata_zip_base64"}], "subscribers": [{"org_key"?, "name", "type", "status",
    "version": index, "push_error"?: {"ErrorType", "ErrorMessage"}}]}
    """
    person = orgs.first_person(world, org).id
    name = str(described.get("name") or "")
    if not name:
        raise Unusable("A package needs a name.")
    with world.store.transaction():
        package = store.add(
            world,
            org.id,
            person,
            "MetadataPackage",
            {
                "Name": name,
                "NamespacePrefix": described.get("namespace"),
                "PackageCategory": "Package",
            },
        )
        versions = [
            _version(world, org, person, package, entry) for entry in described.get("versions", [])
        ]
        subscribers = [
            _subscriber(world, org, person, package, versions, entry)
            for entry in described.get("subscribers", [])
        ]
    return {"id": package, "versions": versions, "subscribers": subscribers}


def _version(world: World, org: Org, person: str, package: str, entry: dict[str, Any]) -> str:
    numbers = str(entry.get("number", "1.0.0.1")).split(".")
    if len(numbers) != 4 or not all(part.isdigit() for part in numbers):
        raise Unusable(f"{entry.get('number')} is no version; write it as 1.2.0.4.")
    fields = {
        "MetadataPackageId": package,
        "Name": str(entry.get("name", "ver " + ".".join(numbers[:2]))),
        **dict(
            zip(
                ("MajorVersion", "MinorVersion", "PatchVersion", "BuildNumber"),
                map(int, numbers),
                strict=True,
            )
        ),
        "ReleaseState": str(entry.get("state", "Released")),
        "IsDeprecated": bool(entry.get("deprecated", False)),
        "_key": entry.get("installation_key"),
        "_install_error": entry.get("install_error"),
        "_content": _content(world, entry),
    }
    return store.add(world, org.id, person, "MetadataPackageVersion", fields)


def _content(world: World, entry: dict[str, Any]) -> str | None:
    text = entry.get("metadata_zip_base64")
    return world.store.put(archive.zip_files(seed.unzipped(str(text)))) if text else None


def _subscriber(
    world: World, org: Org, person: str, package: str, versions: list[str], entry: dict[str, Any]
) -> str:
    key = str(entry.get("org_key") or world.store.new_id(ids.ORGANIZATION))[:15]
    error = entry.get("push_error")
    if error and error.get("ErrorType") not in ERROR_TYPES:
        raise Unusable(f"A push fails by one of {', '.join(ERROR_TYPES)}.")
    fields = {
        "OrgKey": key,
        "OrgName": str(entry.get("name", key)),
        "OrgType": str(entry.get("type", "Production")),
        "OrgStatus": str(entry.get("status", "Active")),
        "InstalledStatus": "i",
        "InstanceName": "SIM1",
        "MetadataPackageId": package,
        "MetadataPackageVersionId": versions[int(entry.get("version", 0))],
        "ParentOrg": None,
        "_push_error": error,
    }
    store.add(world, org.id, person, "PackageSubscriber", fields)
    return key
