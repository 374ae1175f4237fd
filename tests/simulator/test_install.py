"""Packages are installed, upgraded and removed as `sf package install` asks for it."""

import time
from typing import Any

import pytest

from tests.simulator.packages import Client, problems, xml
from tests.support.simulator import SimulatorProcess

VERSIONS = [
    {"number": "1.0.0.1"},
    {"number": "1.1.0.1", "installation_key": "open"},
    {"number": "1.2.0.1", "state": "Beta"},
    {"number": "1.3.0.1", "install_error": "System.NullPointerException: in onInstall"},
]


class Shop:
    """A packaging org with one package, and an org that installs it."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        publisher = simulator.org()
        self.namespace = f"t{publisher.name.partition('-')[0]}"
        body = {"name": "Tools", "namespace": self.namespace, "versions": VERSIONS}
        made = simulator.admin("POST", f"/orgs/{publisher.name}/packages", body)
        self.package: str = made["id"]
        self.versions: list[str] = made["versions"]
        self.publisher = Client(publisher)
        self.client = Client(simulator.org())

    def request(self, sobject: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Create a request and wait for its end."""
        made = self.client.call("POST", f"tooling/sobjects/{sobject}", json=fields)
        assert made.status_code == 201, made.text
        for _ in range(100):
            path = f"tooling/sobjects/{sobject}/{made.json()['id']}"
            found: dict[str, Any] = self.client.call("GET", path).json()
            if found["Status"] != "IN_PROGRESS":
                return found
            time.sleep(0.05)
        raise AssertionError("the request did not end")

    def install(self, index: int, **fields: Any) -> dict[str, Any]:
        """Install one of the versions."""
        key = {"SubscriberPackageVersionKey": self.versions[index]}
        return self.request("PackageInstallRequest", {**key, **fields})

    def push(self, index: int) -> str:
        """Push one of the versions and return how that ended."""
        version = {"PackageVersionId": self.versions[index]}
        made = self.publisher.call("POST", "sobjects/PackagePushRequest", json=version)
        request = made.json()["id"]
        job = {"PackagePushRequestId": request, "SubscriberOrganizationKey": self.client.org.id}
        assert self.publisher.call("POST", "sobjects/PackagePushJob", json=job).status_code == 201
        path = f"sobjects/PackagePushRequest/{request}"
        self.publisher.call("PATCH", path, json={"Status": "Pending"})
        for _ in range(100):
            status = str(self.publisher.call("GET", path).json()["Status"])
            if status in ("Succeeded", "Failed"):
                return status
            time.sleep(0.05)
        raise AssertionError("the push did not end")

    def status(self, index: int) -> str:
        """Return how the platform looks at an installation beforehand."""
        soql = "SELECT InstallValidationStatus FROM SubscriberPackageVersion WHERE Id = '{}'"
        (row,) = self.client.rows(soql.format(self.versions[index]), tooling=True)
        return str(row["InstallValidationStatus"])


@pytest.fixture
def shop(simulator: SimulatorProcess) -> Shop:
    return Shop(simulator)


def test_install_upgrade_and_remove(shop: Shop) -> None:
    assert shop.status(0) == "NO_ERRORS_DETECTED"
    assert shop.install(0)["Status"] == "SUCCESS"
    assert shop.status(2) == "BETA_INSTALL_INTO_PRODUCTION_ORG"
    wrong = shop.install(1)
    assert wrong["Errors"] == {"errors": [{"message": "Invalid installation key."}]}
    assert shop.install(1, Password="open")["Status"] == "SUCCESS"
    assert shop.status(0) == "CANNOT_INSTALL_EARLIER_VERSION"
    columns = "SubscriberPackage.Name, SubscriberPackageVersion.MinorVersion"
    held = f"SELECT {columns} FROM InstalledSubscriberPackage"  # noqa: S608 - SOQL
    (row,) = shop.client.rows(held, tooling=True)
    assert row["SubscriberPackage"]["Name"] == "Tools"
    assert row["SubscriberPackageVersion"]["MinorVersion"] == 1
    subscriber = shop.publisher.rows("SELECT OrgKey, InstalledStatus FROM PackageSubscriber")
    assert subscriber == [{"OrgKey": shop.client.org.id[:15], "InstalledStatus": "i"}]
    removal = {"SubscriberPackageVersionId": shop.versions[1]}
    gone = shop.request("SubscriberPackageVersionUninstallRequest", removal)
    assert gone["Status"] == "SUCCESS"
    assert shop.client.rows(held, tooling=True) == []


def test_an_install_handler_that_throws(shop: Shop) -> None:
    failed = shop.install(3)
    assert failed["Status"] == "ERROR"
    (error,) = failed["Errors"]["errors"]
    assert error["message"].endswith("System.NullPointerException: in onInstall")


def test_a_push_reaches_the_org_that_installed_it(shop: Shop) -> None:
    shop.install(0)
    assert shop.push(1) == "Succeeded"
    soql = "SELECT SubscriberPackageVersionId FROM InstalledSubscriberPackage"
    assert shop.client.rows(soql, tooling=True) == [
        {"SubscriberPackageVersionId": shop.versions[1]}
    ]


def test_a_push_fails_where_the_install_handler_throws(shop: Shop) -> None:
    shop.install(0)
    assert shop.push(3) == "Failed"
    (error,) = shop.publisher.rows("SELECT ErrorTitle, ErrorMessage FROM PackagePushError")
    assert error["ErrorTitle"] == "Post install script failed"
    assert error["ErrorMessage"].endswith("in onInstall")
    soql = "SELECT SubscriberPackageVersionId FROM InstalledSubscriberPackage"
    (held,) = shop.client.rows(soql, tooling=True)
    assert held["SubscriberPackageVersionId"] == shop.versions[0]


class TestMetadataForm:
    """Packages as the Metadata API shows them."""

    def test_a_deployed_installed_package_installs(self, shop: Shop) -> None:
        path = f"installedPackages/{shop.namespace}.installedPackage"
        members = {"InstalledPackage": [shop.namespace]}

        def deploy(number: str) -> dict[str, Any]:
            inner = f"<activateRSS>true</activateRSS><versionNumber>{number}</versionNumber>"
            return shop.client.deploy({path: xml("InstalledPackage", inner)}, members)

        words = "InstalledPackage version number : 9.9 does not exist!"
        assert problems(deploy("9.9")) == [("InstalledPackage", shop.namespace, words)]
        assert deploy("1.0")["success"]
        soql = "SELECT SubscriberPackageVersionId FROM InstalledSubscriberPackage"
        (held,) = shop.client.rows(soql, tooling=True)
        assert held["SubscriberPackageVersionId"] == shop.versions[0]

    def test_an_installed_package_is_listed_until_it_is_removed(self, shop: Shop) -> None:
        shop.install(0)
        assert shop.client.org.components() == {f"InstalledPackage:{shop.namespace}"}
        removal = {"SubscriberPackageVersionId": shop.versions[0]}
        shop.request("SubscriberPackageVersionUninstallRequest", removal)
        assert shop.client.org.components() == set()
