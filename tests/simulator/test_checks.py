"""Faults in packages are reported at the right component, in the platform's words."""

import pytest

from tests.simulator.packages import (
    Client,
    apex,
    class_with_test,
    custom_object,
    manifest,
    problems,
    text_field,
    xml,
    zipped,
)
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def sandbox(simulator: SimulatorProcess) -> Client:
    return Client(simulator.org(is_sandbox=True))


def layout(*fields: str) -> str:
    items = "".join(
        f"\n<layoutItems><behavior>Edit</behavior><field>{name}</field></layoutItems>"
        for name in fields
    )
    columns = f"<layoutColumns>{items}\n</layoutColumns>"
    return xml("Layout", f"<layoutSections>{columns}<style>OneColumn</style></layoutSections>")


def lookup(name: str, target: str) -> str:
    return (
        f"<fields><fullName>{name}</fullName><label>L</label><referenceTo>{target}</referenceTo>"
        "<type>Lookup</type></fields>"
    )


def test_xml_that_is_not_well_formed(sandbox: Client) -> None:
    broken = custom_object("Thing__c")["objects/Thing__c.object"].replace("</label>", "")
    result = sandbox.deploy({"objects/Thing__c.object": broken}, {"CustomObject": ["Thing__c"]})
    (failure,) = result["details"]["componentFailures"]
    assert failure["problem"].startswith("Error parsing file: The element type")
    assert (failure["componentType"], failure["fileName"]) == (
        "CustomObject",
        "objects/Thing__c.object",
    )
    assert failure["lineNumber"] == 5


def test_a_field_of_an_object_that_is_not_there(sandbox: Client) -> None:
    files = {"objects/Gone__c.object": xml("CustomObject", text_field("A__c"))}
    result = sandbox.deploy(files, {"CustomField": ["Gone__c.A__c"]})
    assert problems(result) == [
        (
            "CustomField",
            "Gone__c.A__c",
            "Entity Enumeration Or ID: bad value for restricted picklist field: Gone__c",
        )
    ]


def test_a_new_object_without_label(sandbox: Client) -> None:
    files = custom_object("Thing__c", label="")
    result = sandbox.deploy(files, {"CustomObject": ["Thing__c"]})
    assert problems(result) == [
        ("CustomObject", "Thing__c", "Must specify a non-empty label for the CustomObject")
    ]


def test_a_layout_that_names_a_field_that_is_not_there(sandbox: Client) -> None:
    files = {
        **custom_object("Thing__c", "A__c"),
        "layouts/Thing__c-Thing Layout.layout": layout("A__c", "Name", "B__c"),
    }
    members = {"CustomObject": ["Thing__c"], "Layout": ["Thing__c-Thing Layout"]}
    result = sandbox.deploy(files, members)
    (failure,) = result["details"]["componentFailures"]
    assert failure["problem"] == "In field: field - no CustomField named Thing__c.B__c found"
    assert (failure["lineNumber"], failure["columnNumber"]) == (6, 14)


def test_a_layout_of_an_object_that_fails(sandbox: Client) -> None:
    files = {**custom_object("Thing__c", label=""), "layouts/Thing__c-L.layout": layout("Name")}
    result = sandbox.deploy(files, {"CustomObject": ["Thing__c"], "Layout": ["Thing__c-L"]})
    assert ("Layout", "Thing__c-L", "Parent entity failed to deploy") in problems(result)


def test_a_lookup_without_its_target(sandbox: Client) -> None:
    content = xml("CustomObject", f"<label>T</label>{lookup('Other__c', 'Nothing__c')}")
    result = sandbox.deploy({"objects/Thing__c.object": content}, {"CustomObject": ["Thing__c"]})
    assert problems(result) == [
        (
            "CustomField",
            "Thing__c.Other__c",
            "referenceTo value of 'Nothing__c' does not resolve to a valid sObject type",
        )
    ]


def test_a_lookup_to_an_object_of_the_same_package_is_fine(sandbox: Client) -> None:
    files = {
        "objects/A__c.object": xml("CustomObject", f"<label>A</label>{lookup('B__c', 'B__c')}"),
        **custom_object("B__c"),
    }
    assert sandbox.deploy(files, {"CustomObject": ["A__c", "B__c"]})["success"]


@pytest.mark.parametrize(
    ("source", "problem", "line", "column"),
    [
        ("public class Foo {\n  void f() {\n}", "Expecting '}' but was: '<EOF>'", 3, 2),
        ("public class Bar { }", "Invalid name: the file is called Foo, the class Bar", 1, 14),
        ("hello", "Unexpected token 'hello'.", 1, 1),
    ],
)
def test_faulty_apex(sandbox: Client, source: str, problem: str, line: int, column: int) -> None:
    result = sandbox.deploy(apex("Foo", source), {"ApexClass": ["Foo"]})
    (failure,) = result["details"]["componentFailures"]
    assert (failure["problem"], failure["lineNumber"], failure["columnNumber"]) == (
        problem,
        line,
        column,
    )


def test_a_trigger_on_an_object_that_is_not_there(sandbox: Client) -> None:
    files = apex("T", "trigger T on Gone__c (before insert) { }", "triggers", "trigger")
    result = sandbox.deploy(files, {"ApexTrigger": ["T"]})
    assert problems(result) == [("ApexTrigger", "T", "SObject type does not exist: Gone__c")]


def test_a_named_component_without_its_file(sandbox: Client) -> None:
    result = sandbox.deploy(class_with_test("Foo"), {"ApexClass": ["Foo", "FooTest", "Bar"]})
    assert problems(result) == [
        (
            "",
            "Bar",
            (
                "An object 'Bar' of type ApexClass was named in package.xml,"
                " but was not found in zipped directory"
            ),
        )
    ]


def test_a_class_without_its_meta_file(sandbox: Client) -> None:
    files = {"classes/Foo.cls": "public class Foo { }"}
    result = sandbox.deploy(files, {"ApexClass": ["Foo"]})
    assert [name for _, name, _ in problems(result)] == ["Foo"]
    assert "was not found in zipped directory" in problems(result)[0][2]


def test_a_file_that_the_manifest_does_not_name(sandbox: Client) -> None:
    result = sandbox.deploy(class_with_test("Foo"), {"ApexClass": ["Foo"]})
    assert problems(result) == [("ApexClass", "FooTest", "Not in package.xml")]


def test_an_unknown_type(sandbox: Client) -> None:
    result = sandbox.deploy({}, {"ApexKlass": ["Foo"]})
    assert problems(result) == [
        ("", "package.xml", "Unknown type name 'ApexKlass' specified in package.xml")
    ]


def test_a_zip_without_manifest(sandbox: Client) -> None:
    answer = sandbox.post(zipped({"classes/Foo.cls": "x"}))
    result = sandbox.wait(answer.json()["id"])
    assert problems(result) == [("", "package.xml", "No package.xml found")]


def test_a_package_below_one_directory_is_found(sandbox: Client) -> None:
    files = {f"zip/{path}": text for path, text in class_with_test("Foo").items()}
    content = zipped({"zip/package.xml": manifest({"ApexClass": ["*"]}), **files})
    result = sandbox.wait(sandbox.post(content, singlePackage=False).json()["id"])
    assert result["success"]
    names = [m["fileName"] for m in result["details"]["componentSuccesses"]]
    assert "zip/classes/Foo.cls" in names
