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


def grant(element: str, child: str, name: str) -> str:
    rest = {
        "objectPermissions": "allowCreate allowDelete allowEdit allowRead modifyAllRecords"
        " viewAllRecords",
        "fieldPermissions": "editable",
        "classAccesses": "enabled",
        "pageAccesses": "enabled",
        "applicationVisibilities": "visible",
        "recordTypeVisibilities": "visible",
        "customPermissions": "enabled",
    }
    flags = "".join(f"<{flag}>true</{flag}>" for flag in rest.get(element, "").split())
    flags += "<visibility>Visible</visibility>" if element == "tabSettings" else ""
    return f"<{element}><{child}>{name}</{child}>{flags}</{element}>"


@pytest.mark.parametrize(
    ("element", "child", "name", "kind"),
    [
        ("objectPermissions", "object", "Gone__c", "CustomObject"),
        ("fieldPermissions", "field", "Thing__c.Gone__c", "CustomField"),
        ("fieldPermissions", "field", "Account.Gone__c", "CustomField"),
        ("classAccesses", "apexClass", "Gone", "ApexClass"),
        ("pageAccesses", "apexPage", "Gone", "ApexPage"),
        ("tabSettings", "tab", "Gone__c", "CustomTab"),
        ("applicationVisibilities", "application", "Gone", "CustomApplication"),
        ("recordTypeVisibilities", "recordType", "Thing__c.Gone", "RecordType"),
        ("customPermissions", "name", "Gone", "CustomPermission"),
    ],
)
@pytest.mark.parametrize(
    ("type_", "path"),
    [("PermissionSet", "permissionsets/P.permissionset"), ("Profile", "profiles/P.profile")],
)
def test_a_grant_on_something_that_is_not_there(
    sandbox: Client, type_: str, path: str, element: str, child: str, name: str, kind: str
) -> None:
    files = {**custom_object("Thing__c"), path: xml(type_, f"\n{grant(element, child, name)}")}
    result = sandbox.deploy(files, {"CustomObject": ["Thing__c"], type_: ["P"]})
    assert problems(result) == [(type_, "P", f"In field: {child} - no {kind} named {name} found")]
    assert result["details"]["componentFailures"][0]["lineNumber"] == 4


@pytest.mark.parametrize(
    ("element", "child", "name"),
    [
        ("objectPermissions", "object", "Account"),
        ("objectPermissions", "object", "Thing__c"),
        ("fieldPermissions", "field", "Account.Industry"),
        ("fieldPermissions", "field", "Thing__c.A__c"),
        ("tabSettings", "tab", "standard-Account"),
        ("applicationVisibilities", "application", "standard__Sales"),
        ("recordTypeVisibilities", "recordType", "Account.Master"),
    ],
)
def test_a_grant_on_what_is_there(sandbox: Client, element: str, child: str, name: str) -> None:
    permission_set = {
        "permissionsets/P.permissionset": xml(
            "PermissionSet", f"{grant(element, child, name)}<label>P</label>"
        )
    }
    files = {**custom_object("Thing__c", "A__c"), **permission_set}
    result = sandbox.deploy(files, {"CustomObject": ["Thing__c"], "PermissionSet": ["P"]})
    assert problems(result) == []


@pytest.mark.parametrize(
    ("body", "problem", "place"),
    [
        ("Gone x;", "Invalid type: Gone", (2, 3)),
        ("Map<Id, List<Gone__c>> x;", "Invalid type: Gone__c", (2, 16)),
        ("void f() { Gone.help(); }", "Variable does not exist: Gone", (2, 14)),
        ("void f() { Integer i = 1 }", "Missing ';' at '}'", (2, 28)),
        ("void f() { g(1,); }", "Unexpected token ','.", (2, 17)),
        (
            "void f(Thing__c t) { t.Gone__c = 'x'; }",
            "Variable does not exist: Gone__c",
            (2, 26),
        ),
        (
            "Object o = new Thing__c(Gone__c = 1);",
            "Field does not exist: Gone__c on Thing__c",
            (2, 27),
        ),
        ("void f(Thing__c t) { g(t.Gone__r); }", "Variable does not exist: Gone__r", (2, 28)),
    ],
)
def test_apex_that_names_what_is_not_there(
    sandbox: Client, body: str, problem: str, place: tuple[int, int]
) -> None:
    files = {
        **custom_object("Thing__c", "A__c"),
        **apex("Foo", f"public class Foo {{\n  {body}\n}}"),
    }
    result = sandbox.deploy(files, {"CustomObject": ["Thing__c"], "ApexClass": ["Foo"]})
    (failure,) = result["details"]["componentFailures"]
    assert failure["problem"] == problem
    assert (failure["lineNumber"], failure["columnNumber"]) == place


@pytest.mark.parametrize(
    ("query", "words", "place"),
    [
        ("SELECT Id, Gone__c FROM Thing__c", "No such column 'Gone__c' on entity 'Thing__c'.", 12),
        ("SELECT Id FROM Thing__c WHERE Gone__c = 1", "No such column 'Gone__c'", 31),
        ("SELECT Id FROM Gone__c", "sObject type 'Gone__c' is not supported.", 16),
        ("SELECT Gone__r.Name FROM Thing__c", "Didn't understand relationship 'Gone__r'", 8),
        ("SELECT Up__r.Gone__c FROM Thing__c", "No such column 'Gone__c' on entity 'Account'", 8),
    ],
)
def test_a_query_in_apex_that_names_what_is_not_there(
    sandbox: Client, query: str, words: str, place: int
) -> None:
    content = xml("CustomObject", f"<label>T</label>{lookup('Up__c', 'Account')}")
    source = f"public class Foo {{\n  List<SObject> l = [{query}];\n}}"
    files = {"objects/Thing__c.object": content, **apex("Foo", source)}
    result = sandbox.deploy(files, {"CustomObject": ["Thing__c"], "ApexClass": ["Foo"]})
    (failure,) = result["details"]["componentFailures"]
    assert words in failure["problem"]
    assert f"ERROR at Row:1:Column:{place}\n" in failure["problem"]
    assert failure["lineNumber"] == 2


def test_apex_that_names_only_what_is_there(sandbox: Client) -> None:
    source = """public with sharing class Foo extends Base {
        class Inner { }
        enum Colour { RED }
        public static Map<Id, Thing__c> all = new Map<Id, Thing__c>();
        void f(List<Thing__c> things, Schema.SObjectType kind, Messaging.Email mail) {
            for (Thing__c t : [SELECT Id, A__c, Up__r.Name, Owner.Name FROM Thing__c]) {
                t.A__c = 'x'; Base.Other o; Inner i; Shared s = inherited.Name; Colour c;
                Object back = t.Up__r;
            }
            Account a = new Account(Name = 'x');
            for (Thing__c child : a.Things__r) { Database.insert(child); }
            Thing__Share share = new Thing__Share(ParentId = a.Id);
            System.debug(UserInfo.getUserId() + Label.Hello + Thing__c.SObjectType);
        }
    }"""
    base = (
        "public virtual class Base { public class Other { } public class Shared { }"
        " Account inherited; }"
    )
    field = (
        "<fields><fullName>Up__c</fullName><label>L</label><referenceTo>Account</referenceTo>"
        "<relationshipName>Things</relationshipName><type>Lookup</type></fields>"
    )
    content = xml("CustomObject", f"<label>T</label>{field}{text_field('A__c')}")
    files = {"objects/Thing__c.object": content, **apex("Foo", source), **apex("Base", base)}
    result = sandbox.deploy(files, {"CustomObject": ["Thing__c"], "ApexClass": ["*"]})
    assert problems(result) == []


def test_a_class_that_needs_a_broken_one(sandbox: Client) -> None:
    files = {
        **apex("A", "public class A { void f() { } "),
        **apex("B", "public class B { A a; }"),
        **apex("C", "public class C { B b; }"),
    }
    result = sandbox.deploy(files, {"ApexClass": ["*"]})
    first = "Expecting '}' but was: '<EOF>'"
    second = f"Dependent class is invalid and needs recompilation:\n Class A : {first}"
    third = f"Dependent class is invalid and needs recompilation:\n Class B : {second}"
    assert problems(result) == [
        ("ApexClass", "A", first),
        ("ApexClass", "B", second),
        ("ApexClass", "C", third),
    ]


def component(script: str) -> dict[str, str]:
    return {
        "lwc/card/card.js": script,
        "lwc/card/card.js-meta.xml": xml(
            "LightningComponentBundle", "<apiVersion>64.0</apiVersion>"
        ),
    }


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (
            "import f from '@salesforce/apex/Gone.find';",
            "Unable to find Apex action class referenced as 'Gone'.",
        ),
        (
            "import F from '@salesforce/schema/Account.Gone__c';",
            "Invalid reference Account.Gone__c of type sobjectField in file card.js",
        ),
        (
            "import O from '@salesforce/schema/Gone__c';",
            "Invalid reference Gone__c of type sobject in file card.js",
        ),
        (
            "import l from '@salesforce/label/c.Gone';",
            "Invalid reference c.Gone of type label in file card.js",
        ),
    ],
)
def test_a_component_that_imports_what_is_not_there(
    sandbox: Client, script: str, problem: str
) -> None:
    result = sandbox.deploy(
        component(f"import {{ a }} from 'lwc';\n{script}"), {"LightningComponentBundle": ["card"]}
    )
    (failure,) = result["details"]["componentFailures"]
    assert (failure["problem"], failure["lineNumber"]) == (problem, 2)
    assert failure["fileName"] == "lwc/card/card.js"


def test_flows_tabs_applications_and_pages_that_name_what_is_not_there(sandbox: Client) -> None:
    files = {
        "flows/F.flow": xml(
            "Flow",
            "<recordLookups><name>Get</name><object>Gone__c</object></recordLookups>"
            "<actionCalls><name>Call</name><actionName>Gone</actionName>"
            "<actionType>apex</actionType></actionCalls>",
        ),
        "tabs/Gone__c.tab": xml("CustomTab", "<customObject>true</customObject>"),
        "applications/App.app": xml("CustomApplication", "<label>A</label><tabs>Lost</tabs>"),
        "pages/P.page": '<apex:page controller="Gone" extensions="Lost, Gone"></apex:page>',
        "pages/P.page-meta.xml": xml("ApexPage", "<label>P</label>"),
    }
    members = {
        "Flow": ["F"],
        "CustomTab": ["Gone__c"],
        "CustomApplication": ["App"],
        "ApexPage": ["P"],
    }
    found = problems(sandbox.deploy(files, members))
    assert ("Flow", "F", 'Get - The object "Gone__c" can\'t be found in this org.') in found
    assert any(name == "F" and "We can't find an action" in text for _, name, text in found)
    assert ("CustomApplication", "App", "In field: tab - no CustomTab named Lost found") in found
    assert ("ApexPage", "P", "Apex class 'Lost' does not exist") in found
    assert [name for kind, name, _ in found if kind == "CustomTab"] == ["Gone__c"]


def test_names_of_installed_packages_are_not_checked(simulator: SimulatorProcess) -> None:
    client = Client(simulator.org(is_sandbox=True, options={"namespaces": ["npsp"]}))
    source = (
        "public class Foo { npsp__Thing__c t; void f() { npsp.Api.call(); t.npsp__A__c = 1; } }"
    )
    assert client.deploy(apex("Foo", source), {"ApexClass": ["Foo"]})["success"]


def test_a_document_may_be_listed_without_its_suffix(sandbox: Client) -> None:
    files = {
        "documents/F-meta.xml": xml(
            "DocumentFolder",
            "<accessType>Public</accessType><name>F</name>"
            "<publicFolderAccess>ReadOnly</publicFolderAccess>",
        ),
        "documents/F/logo.png": "x",
        "documents/F/logo.png-meta.xml": xml(
            "Document",
            "<internalUseOnly>false</internalUseOnly><name>logo</name><public>true</public>",
        ),
    }
    assert sandbox.deploy(files, {"Document": ["F", "F/logo"]})["success"]
    assert "Document:F/logo.png" in sandbox.org.components()
