"""What is quick says what the long way says."""

from __future__ import annotations

import pytest

from core.errors import DomainError
from metadata import decompose, xml
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from metadata.projects import Layout
from metadata.search import Listing
from metadata.types import standard
from metadata.units import Units
from tests.metadata.repositories import HEAD, NS

XML = {
    "sound": f"{HEAD}<Flow {NS}><a>&amp;<!-- b --></a></Flow>",
    "an open tag": f"{HEAD}<Flow {NS}><a></Flow>",
    "an unknown entity": f"{HEAD}<Flow {NS}>&b;</Flow>",
    "a prefix of no namespace": f"{HEAD}<Flow {NS}><x:a/></Flow>",
    "a document type": f"{HEAD}<!DOCTYPE Flow><Flow {NS}/>",
    "without a declaration": f"<Flow {NS}><a></Flow>",
    "nothing": "",
    "too deep": f"{HEAD}{'<a>' * 300}{'</a>' * 300}",
    "a long text": f"{HEAD}<a>{'b' * 10_000_001}</a>",
}


@pytest.mark.parametrize("text", XML.values(), ids=XML.keys())
def test_check_refuses_what_parse_refuses(text: str) -> None:
    assert _said(xml.check, text) == _said(xml.parse, text)


def _said(read: object, text: str) -> str:
    assert callable(read)
    try:
        read(text.encode(), "a.flow")
    except DomainError as fault:
        return str(fault)
    return "sound"


def test_units_of_many_paths_are_those_of_each() -> None:
    base = "main"
    paths = [
        f"{base}/{path}"
        for path in (
            "classes/A.cls",
            "classes/A.cls-meta.xml",
            "classes/B.cls",
            "classes/B.cls-meta.xml",
            "classes/README.md",
            "customMetadata/T.One.md-meta.xml",
            "customMetadata/T.Two.More.md-meta.xml",
            "flows/Go.flow-meta.xml",
            "flows/sub/Go.v2.flow-meta.xml",
            "labels/CustomLabels.labels-meta.xml",
            "layouts/A-One.layout-meta.xml",
            "layouts/A-Two v1.1.layout-meta.xml",
            "lwc/one/one.html",
            "lwc/one/one.js-meta.xml",
            "lwc/two/two.js-meta.xml",
            "objectTranslations/A-fr/A-fr.objectTranslation-meta.xml",
            "objectTranslations/A-fr/B__c.fieldTranslation-meta.xml",
            "objectTranslations/A-fr/C__c.fieldTranslation-meta.xml",
            "objects/A/A.object-meta.xml",
            "objects/A/fields/B__c.field-meta.xml",
            "objects/A/fields/C__c.field-meta.xml",
            "objects/B/fields/C__c.field-meta.xml",
            "reports/F/A.report-meta.xml",
            "reports/F/G/A.report-meta.xml",
            "reports/F.reportFolder-meta.xml",
        )
    ]
    layout = Layout("source", (base,))
    many = Units(layout, standard(), Listing(paths))
    twice = [*paths, *paths]  # the second time by habit
    single = [Units(layout, standard(), Listing(paths)).of(path) for path in twice]
    assert [unit for _path, unit in many.each(twice)] == single


def test_wanted_children_are_cut_out_as_if_all_were() -> None:
    kind = standard().by_name["CustomLabels"]
    label = "<labels><value>b</value><fullName>{}</fullName></labels>"
    content = f"{HEAD}<CustomLabels {NS}>{label.format('A')}{label.format('B')}</CustomLabels>"
    wanted = {ComponentKey("CustomLabel", "B"), ComponentKey("CustomLabels", "CustomLabels")}
    every = decompose.split(kind, "CustomLabels", content.encode(), "a")
    some = decompose.split(kind, "CustomLabels", content.encode(), "a", wanted=wanted)
    assert NormalForm(some) == NormalForm(every).only(wanted)
    assert list(some) == [ComponentKey("CustomLabel", "B")]
