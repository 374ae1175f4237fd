"""The Metadata API over SOAP, judged by zeep on the WSDL that simple-salesforce ships.

zeep parses every answer strictly: an element that the schema does not have, or in the wrong
place, fails the test.
"""

import base64
import io
import time
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import simple_salesforce
from simple_salesforce.api import Salesforce
from zeep import Client as Zeep
from zeep import Settings
from zeep.exceptions import Fault
from zeep.transports import Transport

from tests.simulator.packages import (
    Client,
    class_with_test,
    custom_object,
    manifest,
    text_field,
    xml,
    zipped,
)
from tests.support.simulator import SimulatedOrg, SimulatorProcess

WSDL = Path(simple_salesforce.__file__).parent / "metadata.wsdl"
CLASSES = {"ApexClass": ["*"]}


@cache
def zeep(session: requests.Session) -> Zeep:
    transport = Transport(session=session)  # type: ignore[no-untyped-call]
    settings = Settings(strict=True)
    return Zeep(str(WSDL), settings=settings, transport=transport)  # type: ignore[no-untyped-call]


class Metadata:
    """A strict client of one org."""

    def __init__(self, org: SimulatedOrg, token: str = "", version: str = "64.0") -> None:
        client = zeep(org.simulator.http)
        binding = "{http://soap.sforce.com/2006/04/metadata}MetadataBinding"
        address = f"{org.url}/services/Soap/m/{version}"
        self._service = client.create_service(binding, address)  # type: ignore[no-untyped-call]
        name = "{http://soap.sforce.com/2006/04/metadata}SessionHeader"
        header = client.get_element(name)  # type: ignore[no-untyped-call]
        self._header = header(sessionId=token or org.token())
        self.client = client

    def call(self, operation: str, **arguments: Any) -> Any:
        answer = getattr(self._service, operation)(_soapheaders=[self._header], **arguments)
        # Operations whose answer may carry a header come with both.
        return answer.body.result if hasattr(answer, "body") else answer

    def deploy(self, content: bytes, **options: Any) -> Any:
        given = {
            "allowMissingFiles": False, "autoUpdatePackage": False, "checkOnly": False,
            "ignoreWarnings": False, "performRetrieve": False, "purgeOnDelete": False,
            "rollbackOnError": True, "singlePackage": True, "testLevel": "NoTestRun", **options,
        }  # fmt: skip
        started = self.call("deploy", ZipFile=content, DeployOptions=given)
        return self.wait(started.id)

    def wait(self, identifier: str) -> Any:
        end = time.monotonic() + 20
        while True:
            result = self.call("checkDeployStatus", asyncProcessId=identifier, includeDetails=True)
            if result.done:
                return result
            assert time.monotonic() < end
            time.sleep(0.01)

    def retrieve(self, types: dict[str, list[str]], **request: Any) -> Any:
        listed = [{"name": kind, "members": members} for kind, members in types.items()]
        asked = {
            "apiVersion": 64.0,
            "singlePackage": False,
            "unpackaged": {"types": listed, "version": "64.0"},
            **request,
        }
        started = self.call("retrieve", retrieveRequest=asked)
        while True:
            result = self.call("checkRetrieveStatus", asyncProcessId=started.id, includeZip=True)
            if result.done:
                return result
            time.sleep(0.01)


@pytest.fixture
def org(simulator: SimulatorProcess) -> SimulatedOrg:
    return simulator.org(is_sandbox=True)


@pytest.fixture
def metadata(org: SimulatedOrg) -> Metadata:
    return Metadata(org)


def files_of(result: Any) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(result.zipFile)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def package(files: dict[str, str], members: dict[str, list[str]]) -> bytes:
    return zipped({"package.xml": manifest(members), **files})


def test_a_deployment_with_all_kinds_of_details(metadata: Metadata, org: SimulatedOrg) -> None:
    bad = "@isTest class BarTest { @isTest static void m() { Assert.fail('x'); } }"
    files = {**class_with_test("Foo"), **class_with_test("Bar"), "classes/BarTest.cls": bad}
    result = metadata.deploy(package(files, CLASSES), testLevel="RunLocalTests")
    assert (result.status, result.success, result.done) == ("Failed", False, True)
    assert (result.numberTestsCompleted, result.numberTestErrors) == (1, 1)
    tests = result.details.runTestResult
    assert [f.methodName for f in tests.failures] == ["m"]
    assert [(c.name, c.numLocationsNotCovered) for c in tests.codeCoverage] == [
        ("Bar", 1),
        ("Foo", 0),
    ]
    names = {m.fullName for m in result.details.componentSuccesses}
    assert names == {"package.xml", "Foo", "FooTest", "Bar", "BarTest"}


def test_component_failures_carry_line_and_column(metadata: Metadata) -> None:
    files = {**class_with_test("Foo"), "classes/Foo.cls": "public class Foo {"}
    failures = metadata.deploy(package(files, CLASSES)).details.componentFailures
    failure = next(f for f in failures if f.fullName == "Foo")
    assert (failure.lineNumber, failure.columnNumber) == (1, 19)
    assert failure.problemType == "Error"


def test_quick_deploy_and_cancel(simulator: SimulatorProcess) -> None:
    metadata = Metadata(simulator.org())
    content = package(class_with_test("Foo"), CLASSES)
    validated = metadata.deploy(content, checkOnly=True, testLevel="RunLocalTests")
    quick = metadata.call("deployRecentValidation", validationId=validated.id)
    assert metadata.wait(quick).success
    simulator.set_speed(2)
    metadata.call("deploy", ZipFile=content, DeployOptions=_options())
    waiting = metadata.call("deploy", ZipFile=content, DeployOptions=_options())
    cancelled = metadata.call("cancelDeploy", String=waiting.id)
    assert (cancelled.id, cancelled.done) == (waiting.id, True)
    assert metadata.wait(waiting.id).status == "Canceled"
    with pytest.raises(Fault, match="INVALID_ID_FIELD"):
        metadata.call("cancelDeploy", String=waiting.id)


def _options() -> dict[str, object]:
    names = [
        *("allowMissingFiles", "autoUpdatePackage", "checkOnly", "ignoreWarnings"),
        *("performRetrieve", "purgeOnDelete", "singlePackage"),
    ]
    wanted = {"rollbackOnError": True, "singlePackage": True, "testLevel": "RunLocalTests"}
    return {**dict.fromkeys(names, False), **wanted}


def test_a_retrieve_by_manifest(metadata: Metadata, org: SimulatedOrg) -> None:
    org.load_zip(zipped({**class_with_test("Foo"), **custom_object("Thing__c", "B__c", "A__c")}))
    field = xml("CustomObject", text_field("Tier__c"))
    org.change("objects/Account.object", field)
    result = metadata.retrieve(
        {
            "ApexClass": ["*"],
            "CustomObject": ["Thing__c", "Account", "Gone__c"],
            "CustomField": ["Thing__c.A__c", "Account.Nope__c"],
        }
    )
    files = files_of(result)
    assert set(files) == {
        "unpackaged/package.xml",
        "unpackaged/classes/Foo.cls",
        "unpackaged/classes/Foo.cls-meta.xml",
        "unpackaged/classes/FooTest.cls",
        "unpackaged/classes/FooTest.cls-meta.xml",
        "unpackaged/objects/Thing__c.object",
        "unpackaged/objects/Account.object",
    }
    assert files["unpackaged/classes/Foo.cls"] == class_with_test("Foo")["classes/Foo.cls"]
    thing = files["unpackaged/objects/Thing__c.object"]
    assert thing.index("A__c") < thing.index("B__c") < thing.index("<label>Thing</label>")
    assert "Tier__c" in files["unpackaged/objects/Account.object"]
    assert [m.problem for m in result.messages] == [
        "Entity of type 'CustomObject' named 'Gone__c' cannot be found",
        "Entity of type 'CustomField' named 'Account.Nope__c' cannot be found",
    ]
    listed = {(p.type, p.fullName, p.fileName) for p in result.fileProperties}
    assert ("CustomField", "Thing__c.A__c", "unpackaged/objects/Thing__c.object") in listed


def test_a_retrieve_of_one_field_gives_only_that_field(
    metadata: Metadata, org: SimulatedOrg
) -> None:
    org.load_zip(zipped(custom_object("Thing__c", "A__c", "B__c")))
    files = files_of(metadata.retrieve({"CustomField": ["Thing__c.A__c"]}, singlePackage=True))
    assert set(files) == {"package.xml", "objects/Thing__c.object"}
    assert "A__c" in files["objects/Thing__c.object"]
    assert "B__c" not in files["objects/Thing__c.object"]
    assert "<label>Thing</label>" not in files["objects/Thing__c.object"]


def test_what_was_retrieved_can_be_deployed_elsewhere(
    metadata: Metadata, org: SimulatedOrg, simulator: SimulatorProcess
) -> None:
    org.load_zip(zipped({**class_with_test("Foo"), **custom_object("Thing__c", "A__c")}))
    result = metadata.retrieve({"ApexClass": ["*"], "CustomObject": ["*"]}, singlePackage=True)
    other = simulator.org(is_sandbox=True)
    assert Metadata(other).deploy(result.zipFile).success
    assert other.components() == org.components()


def test_listing_and_describing(metadata: Metadata, org: SimulatedOrg) -> None:
    org.load_zip(zipped(class_with_test("Foo")))
    listed = metadata.call("listMetadata", queries=[{"type": "ApexClass"}], asOfVersion=64.0)
    assert sorted(entry.fullName for entry in listed) == ["Foo", "FooTest"]
    described = metadata.call("describeMetadata", asOfVersion=64.0)
    kinds = {entry.xmlName: entry for entry in described.metadataObjects}
    assert kinds["ApexClass"].metaFile
    assert "CustomField" in kinds["CustomObject"].childXmlNames
    assert described.testRequired is False
    with pytest.raises(Fault, match="INVALID_TYPE"):
        metadata.call("listMetadata", queries=[{"type": "Nope"}], asOfVersion=64.0)


def test_a_dead_session_is_a_fault_in_the_platforms_form(org: SimulatedOrg) -> None:
    with pytest.raises(Fault, match="INVALID_SESSION_ID") as refused:
        Metadata(org, "00Dxx!nothing").call("describeMetadata", asOfVersion=64.0)
    assert refused.value.code == "sf:INVALID_SESSION_ID"


DIALECTS = {
    "jsforce": "<cancelDeploy xmlns='{ns}'><id>{id}</id></cancelDeploy>",
    "wsdl": "<m:cancelDeploy xmlns:m='{ns}'><m:String>{id}</m:String></m:cancelDeploy>",
    "no namespace": "<cancelDeploy><x>{id}</x></cancelDeploy>",
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "path", ["64.0", "64.0/", "64.0/deployRequest/0Af", "64.0/00D000000000001"]
)
def test_requests_are_read_by_place_not_by_name(org: SimulatedOrg, dialect: str, path: str) -> None:
    namespace = "http://soap.sforce.com/2006/04/metadata"
    call = DIALECTS[dialect].format(ns=namespace, id="0Af000000000001AAA")
    envelope = (
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Header>"
        f"<SessionHeader xmlns='{namespace}'><sessionId>{org.token()}</sessionId></SessionHeader>"
        f"</e:Header><e:Body>{call}</e:Body></e:Envelope>"
    )
    answer = org.simulator.http.post(
        f"{org.url}/services/Soap/m/{path}",
        data=envelope.encode(),
        headers={"Content-Type": "text/xml", "SOAPAction": "whatever"},
        timeout=10,
    )
    assert answer.status_code == 500
    assert "<faultcode>sf:INVALID_ID_FIELD</faultcode>" in answer.text


def test_simple_salesforce_deploys_and_polls(org: SimulatedOrg, tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    archive.write_bytes(package(class_with_test("Foo"), CLASSES))
    sf = Salesforce(
        session_id=org.token(), instance_url=org.url, version="63.0", session=org.simulator.http
    )
    identifier, state = str(sf.deploy(str(archive), sandbox=True)["asyncId"]), ""
    end = time.monotonic() + 20
    while state not in ("Succeeded", "Failed"):
        assert time.monotonic() < end
        state = str(sf.checkDeployStatus(identifier)["state"])
    assert state == "Succeeded"
    assert sf.query("SELECT Name FROM ApexClass")["totalSize"] == 2


def test_login_is_off_unless_the_org_allows_it_and_gone_at_65(
    simulator: SimulatorProcess,
) -> None:
    person = {"username": "soap@login.test", "password": "pw"}
    org = simulator.org(users=[person], username="soap@login.test")
    assert _login(org, "64.0", "pw").status_code == 500
    simulator.admin("POST", f"/orgs/{org.name}/options", {"soap_login": True})
    good = _login(org, "64.0", "pw")
    assert good.status_code == 200
    token = good.text.partition("<sessionId>")[2].partition("<")[0]
    assert Client(org, token).rows("SELECT Id FROM Organization") == [{"Id": org.id}]
    assert "INVALID_LOGIN" in _login(org, "64.0", "wrong").text
    assert "INVALID_OPERATION" in _login(org, "65.0", "pw").text


def _login(org: SimulatedOrg, version: str, password: str) -> Any:
    body = (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
        '<n1:login xmlns:n1="urn:partner.soap.sforce.com">'
        f"<n1:username>{org.username}</n1:username><n1:password>{password}</n1:password>"
        "</n1:login></env:Body></env:Envelope>"
    )
    url = f"{org.url}/services/Soap/u/{version}"
    return org.simulator.http.post(url, data=body, headers={"SOAPAction": "login"}, timeout=10)


def test_a_zip_that_is_no_base64_is_refused(org: SimulatedOrg) -> None:
    namespace = "http://soap.sforce.com/2006/04/metadata"
    call = f"<deploy xmlns='{namespace}'><ZipFile>***</ZipFile><DeployOptions/></deploy>"
    envelope = (
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Header>"
        f"<SessionHeader xmlns='{namespace}'><sessionId>{org.token()}</sessionId></SessionHeader>"
        f"</e:Header><e:Body>{call}</e:Body></e:Envelope>"
    )
    answer = org.simulator.http.post(
        f"{org.url}/services/Soap/m/64.0", data=envelope.encode(), timeout=10
    )
    assert "ZipFile is no base64" in answer.text
    assert org.deploys() == []


def test_a_retrieve_by_package(simulator: SimulatorProcess, org: SimulatedOrg) -> None:
    content = base64.b64encode(package(class_with_test("Foo"), CLASSES)).decode()
    version = {"number": "1.0.0.1", "metadata_zip_base64": content}
    body = {"name": "Tools", "versions": [version]}
    simulator.admin("POST", f"/orgs/{org.name}/packages", body)
    metadata = Metadata(org)
    result = metadata.retrieve({}, packageNames=["Tools", "Gone"])
    assert [m.problem for m in result.messages] == ["No package named 'Gone' found"]
    files = files_of(result)
    assert "<fullName>Tools</fullName>" in files["Tools/package.xml"]
    assert {"Tools/classes/Foo.cls", "Tools/classes/FooTest.cls-meta.xml"} <= set(files)
    named = {(p.fullName, p.manageableState) for p in result.fileProperties}
    assert named == {("Foo", "installed"), ("FooTest", "installed")}
