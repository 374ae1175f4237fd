"""Files taken apart into components and put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import xmltree
from simulator.catalogue import parts, registry
from simulator.xmltree import NotWellFormed
from tests.simulator.packages import apex, custom_object, xml


def keys(files: dict[str, str]) -> set[tuple[str, str]]:
    found = parts.split({path: content.encode() for path, content in files.items()})
    return {(part.type, part.name) for part in found}


def test_an_object_file_brings_itself_and_its_children() -> None:
    rule = "<validationRules><fullName>R</fullName><active>true</active></validationRules>"
    view = "<listViews><fullName>All</fullName><label>All</label></listViews>"
    content = xml("CustomObject", f"<label>A</label>{rule}{view}")
    assert keys({"objects/A__c.object": content}) == {
        ("CustomObject", "A__c"),
        ("ValidationRule", "A__c.R"),
        ("ListView", "A__c.All"),
    }


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("classes/A.cls", "ApexClass", "A"),
        ("classes/A.cls-meta.xml", "ApexClass", "A"),
        ("triggers/T.trigger", "ApexTrigger", "T"),
        ("lwc/card/card.js", "LightningComponentBundle", "card"),
        ("lwc/card/__tests__/card.test.js", "LightningComponentBundle", "card"),
        ("aura/App/App.app-meta.xml", "AuraDefinitionBundle", "App"),
        ("layouts/Account-Account Layout.layout", "Layout", "Account-Account Layout"),
        ("reports/F-meta.xml", "ReportFolder", "F"),
        ("reports/F/R.report", "Report", "F/R"),
        ("email/F/T.email-meta.xml", "EmailTemplate", "F/T"),
        ("documents/F/logo.png", "Document", "F/logo.png"),
        ("customMetadata/A.B.md", "CustomMetadata", "A.B"),
        ("settings/Account.settings", "Settings", "Account"),
        ("staticresources/R.resource", "StaticResource", "R"),
        ("labels/CustomLabels.labels", "CustomLabels", "CustomLabels"),
    ],
)
def test_a_path_means_a_component(path: str, kind: str, name: str) -> None:
    identity = registry.identify(path)
    assert identity is not None
    assert (identity.type.name, identity.name) == (kind, name)


@pytest.mark.parametrize("path", ["README.md", "nowhere/x.cls", "classes/notes.txt"])
def test_a_file_of_no_type_means_nothing(path: str) -> None:
    assert registry.identify(path) is None


def test_labels_are_components_without_their_parents_name() -> None:
    label = "<labels><fullName>Hello</fullName><value>Hi</value></labels>"
    found = keys({"labels/CustomLabels.labels": xml("CustomLabels", label)})
    assert ("CustomLabel", "Hello") in found


NAMES = st.lists(st.from_regex(r"[A-Z][a-z]{0,6}__c", fullmatch=True), max_size=8, unique=True)


@given(NAMES)
def test_taking_apart_and_putting_together_keeps_every_child(names: list[str]) -> None:
    content = custom_object("A__c", *names)["objects/A__c.object"].encode()
    parent, *children = parts.split({"objects/A__c.object": content})
    kind = registry.types()["CustomObject"]
    whole = parts.recompose(
        kind,
        parent.files[parent.path],
        [(child.type, child.files[child.path]) for child in reversed(children)],
    )
    again = parts.split({"objects/A__c.object": whole})
    assert {p.name: p.files for p in again} == {p.name: p.files for p in [parent, *children]}
    written = [e.value("fullName") for e in xmltree.parse(whole).all("fields")]
    assert written == sorted(names)


def test_recomposed_files_are_grouped_by_element_and_keep_nil_values() -> None:
    inner = (
        "<validationRules><fullName>B</fullName></validationRules><label>A</label>"
        '<fields xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><fullName>F__c</fullName>'
        '<label xsi:nil="true"/></fields>'
    )
    parent, *children = parts.split({"objects/A__c.object": xml("CustomObject", inner).encode()})
    whole = parts.recompose(
        registry.types()["CustomObject"],
        parent.files[parent.path],
        [(c.type, c.files[c.path]) for c in children],
    )
    root = xmltree.parse(whole)
    assert [child.name for child in root.children] == ["fields", "label", "validationRules"]
    assert b'<label xsi:nil="true"/>' in whole


@pytest.mark.parametrize(
    ("content", "words", "line"),
    [
        ("<a>\n<b></a>", 'element type "b" must be terminated by the matching end-tag "</b>"', 2),
        ("", "Premature end of file", 1),
        ("hello", "Content is not allowed in prolog", 1),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DOCTYPE is disallowed", 1),
        ("<a>&x;</a>", "referenced, but not declared", 1),
    ],
)
def test_faulty_xml_is_refused_with_its_place(content: str, words: str, line: int) -> None:
    with pytest.raises(NotWellFormed) as refused:
        xmltree.parse(content.encode())
    assert words in refused.value.message
    assert refused.value.line == line


def test_the_position_is_behind_the_start_tag() -> None:
    content = b"<Layout>\n            <layoutItems>\n<field>X</field></layoutItems></Layout>"
    element = xmltree.parse(content).children[0]
    assert (element.line, element.column) == (2, 26)


def test_a_class_and_its_meta_file_are_one_component() -> None:
    assert keys(apex("A", "class A {}")) == {("ApexClass", "A")}
