"""Who names whom, and which Apex tests that proposes."""

from __future__ import annotations

import pytest

from metadata import references
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from metadata.tests_for import Suite
from tests.metadata.repositories import HEAD, NS

TEXTS = {
    "ApexClass:Pricing": "public class Pricing { void go() { Account a; a.Region__c = 'x'; } }",
    "ApexClass:PricingTest": "@isTest private class PricingTest { Pricing p; }",
    "ApexClass:Odd": "public class Odd { /* Pricing */ String s = 'Pricing'; }",
    "ApexClass:Checks": "@IsTest(testFor='ApexClass:Odd') private class Checks { }",
    "ApexTrigger:OnTrip": "trigger OnTrip on Trip__c (before insert) { Pricing.go(); }",
    "CustomField:Account.Region__c": f"{HEAD}<CustomField {NS}/>",
    "CustomObject:Trip__c": f"{HEAD}<CustomObject {NS}/>",
    "Flow:Go": f"{HEAD}<Flow {NS}><actionName>Pricing</actionName></Flow>",
    "Layout:Account-Main": f"{HEAD}<Layout {NS}><field>Region__c</field></Layout>",
    "PermissionSet:P": (
        f"{HEAD}<PermissionSet {NS}><apexClass>Pricing</apexClass>"
        "<field>Account.Region__c</field></PermissionSet>"
    ),
    "LightningComponentBundle:tile": (
        "import go from '@salesforce/apex/Pricing.go';"
        "import REGION from '@salesforce/schema/Account.Region__c';"
    ),
}


def key(text: str) -> ComponentKey:
    """A key as it is written."""
    return ComponentKey(*text.split(":"))


def form() -> NormalForm:
    """A small package."""
    ends = {"ApexClass": "x.cls", "ApexTrigger": "x.trigger", "LightningComponentBundle": "x.js"}
    return NormalForm(
        {key(name): {ends.get(key(name).type, ""): t.encode()} for name, t in TEXTS.items()}
    )


@pytest.mark.parametrize(
    ("namer", "named"),
    [
        ("ApexClass:Pricing", {"CustomField:Account.Region__c"}),
        ("ApexTrigger:OnTrip", {"ApexClass:Pricing", "CustomObject:Trip__c"}),
        ("Flow:Go", {"ApexClass:Pricing"}),
        ("Layout:Account-Main", {"CustomField:Account.Region__c"}),
        ("PermissionSet:P", {"ApexClass:Pricing", "CustomField:Account.Region__c"}),
        (
            "LightningComponentBundle:tile",
            {"ApexClass:Pricing", "CustomField:Account.Region__c"},
        ),
        ("ApexClass:Odd", set()),
    ],
)
def test_names_are_found_and_comments_are_none(namer: str, named: set[str]) -> None:
    found = references.index(form()).get(key(namer), frozenset())
    assert {str(other) for other in found} == named


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("ApexClass:Pricing", ["PricingTest"]),
        ("ApexClass:Odd", ["Checks"]),
        ("ApexClass:PricingTest", ["PricingTest"]),
        ("CustomField:Account.Region__c", ["PricingTest"]),
    ],
    ids=["called after and naming it", "testFor", "a test itself", "through a class"],
)
def test_tests_are_proposed_for_a_change(changed: str, tests: list[str]) -> None:
    assert Suite(form()).propose([key(changed)]).names == tests


def test_apex_without_a_test_is_told() -> None:
    assert Suite(form()).propose([key("ApexTrigger:OnTrip")]).untested == (
        key("ApexTrigger:OnTrip"),
    )
