"""The calls that change one component at a time, through zeep on Salesforce's WSDL."""

from typing import Any

import pytest
from zeep.exceptions import Fault

from tests.simulator.packages import class_with_test, custom_object, zipped
from tests.simulator.test_soap import Metadata
from tests.support.simulator import SimulatedOrg, SimulatorProcess

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


@pytest.fixture
def org(simulator: SimulatorProcess) -> SimulatedOrg:
    return simulator.org(is_sandbox=True)


@pytest.fixture
def metadata(org: SimulatedOrg) -> Metadata:
    return Metadata(org)


def element_type(metadata: Metadata, name: str) -> Any:
    client: Any = metadata.client
    return client.get_type(f"{NAMESPACE}{name}")


def field(metadata: Metadata, name: str, **values: Any) -> Any:
    make = element_type(metadata, "CustomField")
    return make(fullName=name, label="L", type="Text", length=20, **values)


def thing(metadata: Metadata, label: str = "Thing") -> Any:
    make = element_type(metadata, "CustomObject")
    return make(fullName="Thing__c", label=label, pluralLabel="Things")


def test_created_components_can_be_read_and_are_in_the_org(
    metadata: Metadata, org: SimulatedOrg
) -> None:
    (made,) = metadata.call("createMetadata", metadata=[thing(metadata)])
    assert (made.success, made.fullName, made.errors) == (True, "Thing__c", [])
    (made,) = metadata.call("createMetadata", metadata=[field(metadata, "Thing__c.A__c")])
    assert made.success
    assert org.components() == {"CustomObject:Thing__c", "CustomField:Thing__c.A__c"}
    found = metadata.call("readMetadata", type="CustomObject", fullNames=["Thing__c", "Gone__c"])
    first, second = found
    assert (first.fullName, first.label, [f.fullName for f in first.fields]) == (
        "Thing__c",
        "Thing",
        ["A__c"],
    )
    assert second.fullName is None  # what zeep makes of a record that is nil


def test_a_second_creation_and_an_update_of_nothing_are_refused(metadata: Metadata) -> None:
    metadata.call("createMetadata", metadata=[thing(metadata)])
    (again,) = metadata.call("createMetadata", metadata=[thing(metadata)])
    assert again.errors[0].statusCode == "DUPLICATE_DEVELOPER_NAME"
    (update,) = metadata.call("updateMetadata", metadata=[field(metadata, "Thing__c.Gone__c")])
    assert update.errors[0].message == "no CustomField named Thing__c.Gone__c found"


def test_an_upsert_tells_which_it_was(metadata: Metadata) -> None:
    first, second = (
        metadata.call("upsertMetadata", metadata=[thing(metadata, label)])[0]
        for label in ("Thing", "Other")
    )
    assert (first.created, second.created, second.success) == (True, False, True)
    (read,) = metadata.call("readMetadata", type="CustomObject", fullNames=["Thing__c"])
    assert read.label == "Other"


def test_the_checks_of_a_deployment_apply(metadata: Metadata, org: SimulatedOrg) -> None:
    (result,) = metadata.call("createMetadata", metadata=[field(metadata, "Gone__c.A__c")])
    assert "bad value for restricted picklist field: Gone__c" in result.errors[0].message
    assert org.components() == set()


def test_deletions_take_children_and_name_what_is_not_there(
    metadata: Metadata, org: SimulatedOrg
) -> None:
    org.load_zip(zipped(custom_object("Thing__c", "A__c")))
    done, missing = metadata.call(
        "deleteMetadata", type="CustomObject", fullNames=["Thing__c", "Gone__c"]
    )
    assert (done.success, missing.success) == (True, False)
    assert org.components() == set()


def test_apex_and_too_many_at_once_are_refused(metadata: Metadata, org: SimulatedOrg) -> None:
    org.load_zip(zipped(class_with_test("Foo")))
    with pytest.raises(Fault, match="INVALID_TYPE"):
        metadata.call("readMetadata", type="ApexClass", fullNames=["Foo"])
    with pytest.raises(Fault, match="At most 10 components"):
        metadata.call("readMetadata", type="CustomObject", fullNames=["A__c"] * 11)
