"""Planted mistakes of each kind are reported at the right component and line; sound content passes.

In the process: a plan is what a deployment would do, so no server is needed.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from simulator.catalogue import holdings
from simulator.deploys import planning
from simulator.deploys.options import Options
from simulator.deploys.plan import Plan
from simulator.identity import orgs
from simulator.identity.orgs import NewOrg
from simulator.world import Org, World
from tests.simulator.packages import (
    NAMESPACE,
    apex,
    custom_object,
    manifest,
    text_field,
    xml,
    zipped,
)

OPTIONS = Options(rollback_on_error=True, single_package=True)


class Scratch:
    """An org without a server."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory, speed=1, plain=True)
        new = NewOrg(name="x", organization_name="X", is_sandbox=True, users=[{"username": "a@x"}])
        self.org: Org = orgs.create(self.world, new)

    def hold(self, files: Mapping[str, str]) -> None:
        """Put files into the org without a check."""
        content = {path: text.encode() for path, text in files.items()}
        person = orgs.first_person(self.world, self.org).id
        holdings.load_files(self.world, self.org.id, person, content)

    def plan(self, files: Mapping[str, str], members: dict[str, list[str]]) -> Plan:
        """Plan a deployment; members without version 64 of the manifest's helper."""
        content = zipped({"package.xml": manifest(members), **files})
        return planning.make(self.world, self.org, OPTIONS, content)

    def faults(
        self, files: Mapping[str, str], members: dict[str, list[str]]
    ) -> list[tuple[str, str, int, str]]:
        """Return what a deployment would complain about."""
        errors = self.plan(files, members).component_errors
        return [(m.type, m.name, m.line, m.problem) for m in errors]

    def warnings(self) -> list[str]:
        """Return what the operator is told."""
        return [row["message"] for row in self.world.store.rows("select message from warning")]


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


def thing(*inner: str) -> dict[str, str]:
    return {"objects/Thing__c.object": xml("CustomObject", "<label>T</label>\n" + "\n".join(inner))}


THING = {"CustomObject": ["Thing__c"]}


@pytest.mark.parametrize(
    ("inner", "name", "line", "problem"),
    [
        (
            "<fields><fullName>A__c</fullName><labell>A</labell><type>Checkbox</type></fields>",
            "Thing__c.A__c",
            4,
            (
                f"Error parsing file: Element {{{NAMESPACE}}}labell invalid"
                " at this location in type CustomField"
            ),
        ),
        (
            "<fields><fullName>A__c</fullName><label>A</label><type>Checkboxx</type></fields>",
            "Thing__c.A__c",
            4,
            "Error parsing file: 'Checkboxx' is not a valid value for the enum 'FieldType'",
        ),
        (
            (
                "<fields><fullName>A__c</fullName><label>A</label><label>B</label>"
                "<type>Checkbox</type></fields>"
            ),
            "Thing__c.A__c",
            4,
            "Error parsing file: Element label is duplicated at this location in type CustomField",
        ),
        (
            (
                "<fields><fullName>A__c</fullName><externalId>maybe</externalId><label>A</label>"
                "<type>Checkbox</type></fields>"
            ),
            "Thing__c.A__c",
            4,
            "Error parsing file: 'maybe' is not a valid value for the type xsd:boolean",
        ),
        (
            (
                "<fields><fullName>A__b_c__c</fullName><label>A</label><type>Checkbox</type></fields>\n"
                "<fields><fullName>9A__c</fullName><label>A</label><type>Checkbox</type></fields>"
            ),
            "Thing__c.9A__c",
            5,
            (
                "The Custom Field Name field can only contain underscores and alphanumeric"
                " characters. It must be unique, begin with a letter, not include spaces, not end"
                " with an underscore, and not contain two consecutive underscores."
            ),
        ),
        (
            text_field("A__c") + text_field("A__c"),
            "Thing__c.A__c",
            5,
            "Duplicate name specified: CustomField Thing__c.A__c",
        ),
        (
            (
                "<validationRules><fullName>V</fullName><active>true</active><errorConditionFormula>"
                "AND(Gone__c = 1, \"Not__c\" = 'x')</errorConditionFormula>"
                "<errorMessage>no</errorMessage></validationRules>"
            ),
            "Thing__c.V",
            4,
            "Field Gone__c does not exist. Check spelling.",
        ),
        (
            (
                "<validationRules><fullName>V</fullName><active>true</active><errorConditionFormula>"
                "AND(1 = 1</errorConditionFormula><errorMessage>no</errorMessage></validationRules>"
            ),
            "Thing__c.V",
            4,
            "Syntax error. Missing ')'",
        ),
        (
            (
                "<validationRules><fullName>V</fullName><errorConditionFormula>true"
                "</errorConditionFormula><errorMessage>no</errorMessage></validationRules>"
            ),
            "Thing__c.V",
            4,
            "Required field is missing: active",
        ),
    ],
)
def test_a_planted_mistake(
    scratch: Scratch, inner: str, name: str, line: int, problem: str
) -> None:
    found = scratch.faults(thing(inner), THING)
    assert [entry[1:] for entry in found if entry[1] == name] == [(name, line, problem)]


def test_two_lookups_with_one_child_relationship(scratch: Scratch) -> None:
    def lookup(name: str) -> str:
        return (
            f"<fields><fullName>{name}</fullName><label>L</label><referenceTo>Account</referenceTo>"
            "<relationshipName>Things</relationshipName><type>Lookup</type></fields>"
        )

    scratch.hold(thing(lookup("A__c")))
    found = scratch.faults(thing(lookup("B__c")), THING)
    text = "There is already a Child Relationship named Things on Account."
    assert found == [("CustomField", "Thing__c.B__c", 4, text)]


def test_a_flow_that_names_a_missing_field(scratch: Scratch) -> None:
    scratch.hold(custom_object("Thing__c", "A__c"))
    inner = (
        "<label>F</label>\n<recordLookups><name>Find</name><label>F</label><locationX>0</locationX>"
        "<locationY>0</locationY><object>Thing__c</object>\n<queriedFields>A__c</queriedFields>\n"
        "<queriedFields>B__c</queriedFields></recordLookups>"
    )
    found = scratch.faults({"flows/F.flow": xml("Flow", inner)}, {"Flow": ["F"]})
    text = 'Find - The field "B__c" for the object "Thing__c" doesn\'t exist.'
    assert found == [("Flow", "F", 6, text)]


BUNDLE_META = xml("LightningComponentBundle", "<isExposed>true</isExposed>")


def bundle(script: str, template: str) -> dict[str, str]:
    return {
        "lwc/tile/tile.js": script,
        "lwc/tile/tile.html": template,
        "lwc/tile/tile.js-meta.xml": BUNDLE_META,
    }


GOOD_SCRIPT = "import { LightningElement, api } from 'lwc';\nexport default class T extends LightningElement {\n    @api x;\n}\n"  # noqa: E501
GOOD_TEMPLATE = (
    '<template>\n  <c-part onclick={go}></c-part><svg><path d="M"/></svg><br>\n</template>'
)


@pytest.mark.parametrize(
    ("script", "template", "line", "problem"),
    [
        (GOOD_SCRIPT, "<template>\n<div><p>x</div>\n</template>", 2,
         "LWC1078: <p> has no matching closing tag."),
        (GOOD_SCRIPT, "<div>x</div>", 1,
         "LWC1079: Expected root tag to be template, found div"),
        (GOOD_SCRIPT, "<template>\n <c-not-here></c-not-here></template>", 2,
         "No MODULE named markup://c:notHere found : [markup://c:tile]"),
        ("import { a } from 'c/part';\nimport { b } from 'c/gone';\n" + GOOD_SCRIPT,
         GOOD_TEMPLATE, 2, "No MODULE named markup://c:gone found : [markup://c:tile]"),
        (GOOD_SCRIPT, "", 1, "LWC1072: Missing root template tag"),
        ("export default class T {\n  go() {\n    let = = 3;\n  }\n}\n", GOOD_TEMPLATE, 3,
         "LWC1503: Parsing error: Unexpected token (3:10)"),
    ],
)  # fmt: skip
def test_a_broken_web_component(
    scratch: Scratch, script: str, template: str, line: int, problem: str
) -> None:
    members = {"LightningComponentBundle": ["tile"]}
    part = {"lwc/part/part.js": GOOD_SCRIPT, "lwc/part/part.js-meta.xml": BUNDLE_META}
    scratch.hold(part)
    found = scratch.faults(bundle(script, template), members)
    assert found == [("LightningComponentBundle", "tile", line, problem)]
    assert scratch.faults(bundle(GOOD_SCRIPT, GOOD_TEMPLATE), members) == []


@pytest.mark.parametrize(
    ("markup", "line", "problem"),
    [
        ("<aura:component>\n<c:inner>\n</aura:component>", 3,
         "Invalid definition for markup://c:Card: ParseError at [row,col]:[3,3]"),
        ('<aura:component controller="Gone">\n</aura:component>', 1,
         "No CONTROLLER named apex://Gone found : [markup://c:Card]"),
        ("<aura:component>&nbsp;\n  <c:Gone/>\n</aura:component>", 2,
         "No COMPONENT named markup://c:Gone found : [markup://c:Card]"),
    ],
)  # fmt: skip
def test_a_broken_aura_component(scratch: Scratch, markup: str, line: int, problem: str) -> None:
    meta = xml("AuraDefinitionBundle", "<apiVersion>64.0</apiVersion>")
    base = {**bundle(GOOD_SCRIPT, GOOD_TEMPLATE), **apex("Here", "public class Here { }")}
    scratch.hold(base)
    members = {"AuraDefinitionBundle": ["Card"]}

    def card(text: str) -> dict[str, str]:
        return {"aura/Card/Card.cmp": text, "aura/Card/Card.cmp-meta.xml": meta}

    ((kind, name, at, text),) = scratch.faults(card(markup), members)
    assert (kind, name, at) == ("AuraDefinitionBundle", "Card", line)
    assert text.startswith(problem)
    good = '<aura:component controller="Here">\n<c:tile/><c:Card/></aura:component>'
    assert scratch.faults(card(good), members) == []


USED = {
    **custom_object("Thing__c", "A__c", "B__c"),
    **apex("Util", "public class Util { public static void go() { } }"),
    **apex("Caller", "public class Caller { void f(Thing__c t) { Util.go(); t.A__c = 'x'; } }"),
}


@pytest.mark.parametrize(
    ("kind", "name", "problem"),
    [
        ("ApexClass", "Util", ("This apex class is referenced elsewhere in salesforce.com."
         " Remove the usage and try again. : Apex Class - Caller")),
        ("CustomField", "Thing__c.A__c",
         "This custom field is referenced elsewhere in salesforce.com. : Apex Class - Caller"),
        ("CustomField", "Thing__c.B__c", ""),
        ("ApexClass", "Caller", ""),
    ],
)  # fmt: skip
def test_a_deletion_of_what_is_used(scratch: Scratch, kind: str, name: str, problem: str) -> None:
    scratch.hold(USED)
    files = {"destructiveChanges.xml": manifest({kind: [name]})}
    plan = scratch.plan(files, {})
    assert [m.problem for m in plan.component_errors] == ([problem] if problem else [])
    assert plan.deletes_before == ([] if problem else [(kind, name)])


def test_deleting_user_and_used_together_or_after_the_change(scratch: Scratch) -> None:
    scratch.hold(USED)
    both = {"destructiveChanges.xml": manifest({"ApexClass": ["Util", "Caller"]})}
    assert scratch.plan(both, {}).component_errors == []
    free = apex("Caller", "public class Caller { }")
    gone = manifest({"ApexClass": ["Util"]})
    members = {"ApexClass": ["Caller"]}
    before = scratch.plan({**free, "destructiveChangesPre.xml": gone}, members)
    after = scratch.plan({**free, "destructiveChangesPost.xml": gone}, members)
    assert [m.name for m in before.component_errors] == ["Util"]
    assert after.component_errors == []


def test_what_may_be_newer_than_the_schema_is_only_a_warning(scratch: Scratch) -> None:
    inner = (
        "<fields><fullName>A__c</fullName><hologram>true</hologram><label>A</label>"
        "<type>Checkbox</type></fields>"
    )
    assert scratch.faults(thing(inner), THING) == []
    (warning,) = scratch.warnings()
    assert "Element {http://soap.sforce.com/2006/04/metadata}hologram" in warning
