"""Artefacts with real contents: a small package, and what a team made of it."""

from __future__ import annotations

from metadata.layout import read
from metadata.normal import NormalForm
from releases.models import Artefact, Build
from releases.services import packaging
from releases.states import BuildState
from tests.metadata.repositories import CLASS_META, HEAD, NS
from tests.support.company.rows import Company
from tests.support.databases import as_role
from tests.support.moves import reach


def form(label: str, *, may_all: bool = False, more: str = "", gone: bool = False) -> NormalForm:
    """A package with a class, its test, an object with a field, and a permission set."""
    right = "ModifyAllData" if may_all else "RunReports"
    files = {
        "classes/Quote.cls": f"public class Quote {{\n    // {label}\n    {more}\n}}\n",
        "classes/Quote.cls-meta.xml": CLASS_META,
        "classes/QuoteTest.cls": "@IsTest class QuoteTest { static Quote q = new Quote(); }",
        "classes/QuoteTest.cls-meta.xml": CLASS_META,
        "objects/Account.object": f"{HEAD}<CustomObject {NS}><fields><fullName>Region__c</fullName>"
        f"<label>{label}</label><type>Text</type></fields></CustomObject>",
        "permissionsets/Household_User.permissionset": f"{HEAD}<PermissionSet {NS}><label>H</label>"
        f"<userPermissions><enabled>true</enabled><name>{right}</name></userPermissions>"
        "</PermissionSet>",
    }
    if not gone:
        files |= {"classes/Old.cls": "class Old {}", "classes/Old.cls-meta.xml": CLASS_META}
    return read({path: content.encode() for path, content in files.items()})


def kept(held: NormalForm) -> Artefact:
    """The artefact of a form, stored as a build worker stores it."""
    with as_role("build"):
        return packaging.keep(held)


def build(company: Company) -> Build:
    """The newer of two builds of Sales whose contents can be read, made when first asked for."""
    if "sales read 1" in company.builds:
        return company.builds["sales read 1"]
    changed = form("Area", may_all=True, more='String s = "<b>&amp;</b>";', gone=True)
    for number, held in enumerate((form("Region"), changed)):
        build = Build.objects.create(
            repository=company.repositories["sales"],
            sha=company.commits[f"sales {number}"].sha,
            branch="main",
            artefact=kept(held),
            finished_at=company.ago(minutes=30 - number),
        )
        reach(build, BuildState.PASSED)
        company.builds[f"sales read {number}"] = build
    return build
