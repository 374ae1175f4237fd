"""Install and uninstall packages in orgs: PackageInstallRequest, what is installed, who subscribes.

Versions live in the org that publishes them (MetadataPackageVersion) and can be installed in any
other org of this simulator by their id. An installed package gives its namespace to the org, so
that names in it are taken as there; its components themselves are not modelled.
"""

from typing import Any

from simulator import ids, xmltree
from simulator.catalogue import holdings, parts
from simulator.context import Context
from simulator.rest import store
from simulator.rest.store import Record
from simulator.transport.messages import Refused, Response, as_json
from simulator.world import Org, World
from simulator.xmltree import Element

RUNNING = "IN_PROGRESS"
SUCCESS = "SUCCESS"
ERROR = "ERROR"
SECONDS = 5.0
INSTALLED = "InstalledSubscriberPackage"
INSTALL = "PackageInstallRequest"
UNINSTALL = "SubscriberPackageVersionUninstallRequest"
FINE = "NO_ERRORS_DETECTED"
_INSTALL_DEFAULTS = {
    "Password": None, "ApexCompileType": "all", "EnableRss": False, "SecurityType": "None",
    "NameConflictResolution": "Block", "PackageInstallSource": "U", "SkipHandlers": None,
    "UpgradeType": "mixed-mode",
}  # fmt: skip


def version_of(world: World, identifier: str) -> Record | None:
    """Return a published version by its id, wherever it is published."""
    found = store.everywhere(world, "MetadataPackageVersion")
    return next((record for record in found if ids.same_id(record.id, identifier)), None)


def package_of(world: World, version: Record) -> Record:
    """Return the package of a version."""
    identifier = version.fields["MetadataPackageId"]
    found = store.one(world, version.org, "MetadataPackage", identifier)
    if found is None:
        raise LookupError(identifier)
    return found


def number(version: Record) -> tuple[int, ...]:
    """Return a version's number for comparison."""
    names = ("MajorVersion", "MinorVersion", "PatchVersion", "BuildNumber")
    return tuple(int(version.fields[name] or 0) for name in names)


def numbered(world: World, namespace: str, text: str) -> Record | None:
    """Return the newest build of a version like 1.2 of the package with a namespace."""
    wanted = tuple(int(part) for part in text.split(".") if part.isdigit())
    found = [
        version
        for version in store.everywhere(world, "MetadataPackageVersion")
        if str(package_of(world, version).fields["NamespacePrefix"]).lower() == namespace.lower()
        and wanted
        and number(version)[:3] == (*wanted, 0, 0)[:3]
    ]
    return max(found, key=number, default=None)


def installed(world: World, org: Org, package: str) -> Record | None:
    """Return the installation of a package in an org."""
    found = store.of_kind(world, org.id, INSTALLED)
    return next((r for r in found if r.fields["SubscriberPackageId"] == package), None)


def validation(world: World, org: Org, version: Record) -> str:
    """Return SubscriberPackageVersion.InstallValidationStatus for this org."""
    beta = version.fields["ReleaseState"] == "Beta"
    if version.fields["IsDeprecated"]:
        return "DEPRECATED_INSTALL_PACKAGE"
    if beta and not org.is_sandbox and org.trial_ends_at is None:
        return "BETA_INSTALL_INTO_PRODUCTION_ORG"
    held = installed(world, org, version.fields["MetadataPackageId"])
    if held is None:
        namespace = package_of(world, version).fields["NamespacePrefix"]
        taken = [str(n).lower() for n in org.options.get("namespaces", [])]
        own = str(org.options.get("namespace") or "").lower()
        clash = namespace and str(namespace).lower() in (*taken, own)
        return "NAMESPACE_COLLISION" if clash else FINE
    current = version_of(world, held.fields["SubscriberPackageVersionId"])
    if current is None:
        return FINE
    if current.fields["ReleaseState"] == "Beta" and current.id != version.id:
        return "CANNOT_UPGRADE_BETA"
    return "CANNOT_INSTALL_EARLIER_VERSION" if number(version) < number(current) else FINE


def create_install(context: Context, given: dict[str, Any]) -> Response:
    """Insert a PackageInstallRequest; the engine carries it out."""
    key = str(given.get("SubscriberPackageVersionKey") or "")
    if version_of(context.world, key) is None:
        message = f"Invalid package version id: {key}"
        raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", message, ["SubscriberPackageVersionKey"])
    return _made(context, INSTALL, {**_INSTALL_DEFAULTS, **given})


def create_uninstall(context: Context, given: dict[str, Any]) -> Response:
    """Insert a SubscriberPackageVersionUninstallRequest."""
    key = str(given.get("SubscriberPackageVersionId") or "")
    version = version_of(context.world, key)
    org = context.caller.org
    package = "" if version is None else version.fields["MetadataPackageId"]
    if version is None or installed(context.world, org, package) is None:
        message = "The package is not installed in this org."
        raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", message, ["SubscriberPackageVersionId"])
    return _made(context, UNINSTALL, {"SubscriberPackageVersionId": version.id})


def _made(context: Context, sobject: str, fields: dict[str, Any]) -> Response:
    world, org = context.world, context.caller.org
    ends = world.clock.now() + world.clock.scaled(SECONDS)
    fields = {**fields, "Status": RUNNING, "Errors": None, "_ends": ends}
    identifier = store.add(world, org.id, context.caller.person.id, sobject, fields)
    world.wake()
    answer = {"id": identifier, "success": True, "errors": [], "warnings": [], "infos": []}
    return as_json(answer, 201, effect=f"{sobject} {identifier} created")


def advance(world: World) -> float | None:
    """End the requests that are due; return when the next one is."""
    due = []
    for sobject, act in ((INSTALL, _install), (UNINSTALL, _uninstall)):
        for request in store.everywhere(world, sobject):
            if request.fields["Status"] != RUNNING:
                continue
            if float(request.fields["_ends"]) > world.clock.now():
                due.append(float(request.fields["_ends"]))
                continue
            with world.store.transaction():
                problem = act(world, request)
                errors = {"errors": [{"message": problem}]} if problem else None
                status = ERROR if problem else SUCCESS
                store.change(world, request, Status=status, Errors=errors)
    return min(due, default=None)


def _install(world: World, request: Record) -> str:
    """Carry out an installation; return why it failed, or nothing."""
    org = world.org(request.org)
    version = version_of(world, request.fields["SubscriberPackageVersionKey"])
    if org is None or version is None:
        return "The package version is not available."
    if version.fields.get("_key") and version.fields["_key"] != request.fields["Password"]:
        return "Invalid installation key."
    status = validation(world, org, version)
    if status != FINE:
        return f"The package cannot be installed: {status}"
    handler = version.fields.get("_install_error")
    if handler and not request.fields["SkipHandlers"]:
        return f"The post install script failed. {handler}"
    put(world, org, version, request.modified_by)
    return ""


def put(world: World, org: Org, version: Record, person: str) -> None:
    """Write an installation: what is installed, the namespace, the subscriber, the audit trail."""
    package = package_of(world, version)
    held = installed(world, org, package.id)
    fields = {"SubscriberPackageId": package.id, "SubscriberPackageVersionId": version.id}
    if held is None:
        store.add(world, org.id, person, INSTALLED, fields)
    else:
        store.change(world, held, **fields)
    _namespaces(world, org, package, there=True)
    _component(world, org, version, person)
    _subscribe(world, org, version)
    # The installation of a package voids every earlier validation of the org.
    world.store.run(
        "update deploy set voided_at = ? where org = ? and voided_at is null",
        world.clock.now(),
        org.id,
    )
    name = f"{package.fields['Name']} {'.'.join(map(str, number(version)))}"
    world.audit(org.id, person, "packageInstall", "Installed Packages", f"Installed {name}")


def _uninstall(world: World, request: Record) -> str:
    org = world.org(request.org)
    version = version_of(world, request.fields["SubscriberPackageVersionId"])
    if org is None or version is None:
        return "The package version is not available."
    package = package_of(world, version)
    held = installed(world, org, package.id)
    if held is None:
        return "The package is not installed in this org."
    store.remove(world, held)
    _namespaces(world, org, package, there=False)
    namespace = str(package.fields["NamespacePrefix"] or "")
    holdings.delete(world, org.id, request.modified_by, "InstalledPackage", namespace)
    subscriber = _subscriber(world, org, package)
    if subscriber is not None:
        store.remove(world, subscriber)
    text = f"Uninstalled {package.fields['Name']}"
    world.audit(org.id, request.modified_by, "packageDelete", "Installed Packages", text)
    return ""


def _namespaces(world: World, org: Org, package: Record, *, there: bool) -> None:
    namespace = package.fields["NamespacePrefix"]
    if not namespace:
        return
    kept = [n for n in org.options.get("namespaces", []) if n != namespace]
    world.set_options(org, {"namespaces": [*kept, namespace] if there else kept})


def _component(world: World, org: Org, version: Record, person: str) -> None:
    """Show an installed package among the org's metadata."""
    namespace = package_of(world, version).fields["NamespacePrefix"]
    if not namespace:
        return
    shown = ".".join(map(str, number(version)[:2]))
    children = [Element("activateRSS", text="false"), Element("versionNumber", text=shown)]
    path = f"installedPackages/{namespace}.installedPackage"
    files = {path: xmltree.document("InstalledPackage", children)}
    holdings.put(world, org.id, person, parts.split(files))


def _subscriber(world: World, org: Org, package: Record) -> Record | None:
    found = store.of_kind(world, package.org, "PackageSubscriber")
    return next(
        (
            record
            for record in found
            if ids.same_id(record.fields["OrgKey"], org.id)
            and record.fields["MetadataPackageId"] == package.id
        ),
        None,
    )


def _subscribe(world: World, org: Org, version: Record) -> None:
    package = package_of(world, version)
    known = _subscriber(world, org, package)
    if known is not None:
        store.change(world, known, MetadataPackageVersionId=version.id)
        return
    fields = {
        "OrgKey": org.id[:15], "OrgName": org.organization_name,
        "OrgType": "Sandbox" if org.is_sandbox else "Production",
        "OrgStatus": "Active", "InstalledStatus": "i", "InstanceName": org.instance_name,
        "MetadataPackageId": package.id, "MetadataPackageVersionId": version.id,
        "ParentOrg": None, "_push_error": None,
    }  # fmt: skip
    store.add(world, package.org, package.modified_by, "PackageSubscriber", fields)
