"""The objects that show packages to an org that installs them."""

from simulator.packages import install
from simulator.rest import store
from simulator.rest.select import Record, Table
from simulator.world import Org, World

_VERSION = {
    "Id": "id", "Name": "string", "Description": "string", "PublisherName": "string",
    "SubscriberPackageId": "id", "MajorVersion": "int", "MinorVersion": "int",
    "PatchVersion": "int", "BuildNumber": "int", "ReleaseState": "string", "IsBeta": "boolean",
    "IsDeprecated": "boolean", "IsManaged": "boolean", "IsOrgDependent": "boolean",
    "IsPasswordProtected": "boolean", "IsSecurityReviewed": "boolean",
    "Package2ContainerOptions": "string", "InstallValidationStatus": "string",
    "InstallationKey": "string", "AppExchangeDescription": "string", "AppExchangeLogoUrl": "string",
    "AppExchangePackageName": "string", "AppExchangePublisherName": "string",
    "CspTrustedSites": "json", "Dependencies": "json", "PostInstallUrl": "string",
    "Profiles": "json", "ReleaseNotesUrl": "string", "RemoteSiteSettings": "json",
}  # fmt: skip
_PACKAGE = {
    "Id": "id", "Name": "string", "NamespacePrefix": "string", "Description": "string",
    "IsPackageValid": "boolean",
}  # fmt: skip
_LICENSE = {
    "Id": "id", "NamespacePrefix": "string", "Status": "string", "AllowedLicenses": "int",
    "UsedLicenses": "int",
}  # fmt: skip


def find(world: World, org: Org, key: str) -> Table | None:
    """Return the table of that lower-case name, if it is one of these."""
    match key:
        case "subscriberpackageversion":
            return Table("SubscriberPackageVersion", _VERSION, lambda: _versions(world, org),
                         tooling=True)  # fmt: skip
        case "subscriberpackage":
            return Table("SubscriberPackage", _PACKAGE, lambda: _packages(world), tooling=True)
        case "packagelicense":
            return Table("PackageLicense", _LICENSE, lambda: _licenses(world, org))
    return None


def _versions(world: World, org: Org) -> list[Record]:
    return [_version(world, org, record) for record in store.everywhere(world, _PUBLISHED)]


_PUBLISHED = "MetadataPackageVersion"


def _version(world: World, org: Org, version: store.Record) -> Record:
    package = install.package_of(world, version)
    managed = bool(package.fields["NamespacePrefix"])
    own = ("Name", "MajorVersion", "MinorVersion", "PatchVersion", "BuildNumber", "ReleaseState",
           "IsDeprecated")  # fmt: skip
    return {
        **{name: version.fields[name] for name in own},
        "Id": version.id,
        "SubscriberPackageId": package.id,
        "IsBeta": version.fields["ReleaseState"] == "Beta",
        "IsManaged": managed,
        "IsOrgDependent": False,
        "IsPasswordProtected": bool(version.fields.get("_key")),
        "IsSecurityReviewed": managed,
        "Package2ContainerOptions": "Managed" if managed else "Unlocked",
        "InstallValidationStatus": install.validation(world, org, version),
        "InstallationKey": version.fields.get("_key"),
        "Dependencies": None,
        "RemoteSiteSettings": {"settings": []},
        "CspTrustedSites": {"settings": []},
    }


def _packages(world: World) -> list[Record]:
    return [
        {
            "Id": record.id,
            "Name": record.fields["Name"],
            "NamespacePrefix": record.fields["NamespacePrefix"],
            "IsPackageValid": True,
        }
        for record in store.everywhere(world, "MetadataPackage")
    ]


def _licenses(world: World, org: Org) -> list[Record]:
    names = {record.id: record.fields["NamespacePrefix"] for record in store.everywhere(
        world, "MetadataPackage")}  # fmt: skip
    return [
        {
            "Id": record.id,
            "NamespacePrefix": names.get(record.fields["SubscriberPackageId"]),
            "Status": "Active",
            "AllowedLicenses": -1,
            "UsedLicenses": 0,
        }
        for record in store.of_kind(world, org.id, install.INSTALLED)
        if names.get(record.fields["SubscriberPackageId"])
    ]
