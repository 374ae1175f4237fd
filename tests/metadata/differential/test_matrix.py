"""Every type of the registry through every adapter, against the official converter.

A small component of each type is made from what the registry says of it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from core.errors import DomainError
from metadata import contained, manifest
from metadata.convert import assembly
from metadata.types import META, MetadataType, standard
from tests.metadata.differential import official
from tests.metadata.differential.test_conversion import same
from tests.metadata.repositories import HEAD, NS

WHY_NOT = "" if os.environ.get("GATEHOUSE_SDR") else "GATEHOUSE_SDR names no node_modules"
pytestmark = [
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "present"),
    pytest.mark.timeout(400),
]
SCRIPT = Path(__file__).with_name("matrix.cjs")

Files = dict[str, str]


def document(root: str, inner: str = "<label>A &amp; B</label>") -> str:
    """A metadata file."""
    return f"{HEAD}<{root} {NS}>\n    {inner}\n</{root}>\n"


def component(kind: MetadataType) -> Files:
    """A source project with one component of a type."""
    if kind.id in SPECIAL:
        return SPECIAL[kind.id]
    base, suffix = kind.directory, kind.suffix
    if kind.content_type:
        return {f"{base}/Folder.{suffix}{META}": document(kind.name, "<name>Folder</name>")}
    if kind.adapter == "matchingContentFile":
        return {
            f"{base}/Sample.{suffix}": "content",
            f"{base}/Sample.{suffix}{META}": document(kind.name),
        }
    if kind.bundle:
        files = {f"{base}/Sample/schema.json": "{}", f"{base}/Sample/deep/more.txt": "more"}
        if suffix or kind.meta_file:
            files[f"{base}/Sample/Sample.{suffix}{kind.meta_file or META}"] = document(kind.name)
        return files
    if kind.adapter == "decomposed":
        return _decomposed(kind)
    if kind.in_folder:
        return {f"{base}/Folder/Sample.{suffix}{META}": document(kind.name)}
    children = ""
    for child in kind.children.values():
        name = child.unique or "fullName"
        children += f"<{child.element}><{name}>{child.name}X</{name}></{child.element}>"
    own = document(kind.name, f"<label>L</label>{children}")
    return {f"{base}/Sample.{suffix}{META}": own}


def _decomposed(kind: MetadataType) -> Files:
    """Its own file and one of each child, each in its directory or beside it."""
    base = f"{kind.directory}/Sample__c"
    files = {f"{base}/Sample__c.{kind.suffix}{META}": document(kind.name)}
    if kind.id == "customobjecttranslation":
        base = f"{kind.directory}/Sample__c-de"
        files = {f"{base}/Sample__c-de.{kind.suffix}{META}": document(kind.name)}
    beside = kind.id in ("bot", "customobjecttranslation")
    for child in kind.children.values():
        own = "One__c"
        inner = f"<{child.unique or 'fullName'}>{own}</{child.unique or 'fullName'}>\n    <x>1</x>"
        where = base if beside else f"{base}/{child.directory}"
        files[f"{where}/{own}.{child.suffix}{META}"] = document(child.name, inner)
    return files


REFUSED = {"AccessControlPolicy": "Expected source files"}
"""What the official converter cannot convert though its registry says how."""

SITE = "digitalExperiences/site/Shop"
SPECIAL: dict[str, Files] = {
    "customlabels": {
        "labels/CustomLabels.labels-meta.xml": document(
            "CustomLabels", "<labels><fullName>One</fullName><value>1</value></labels>"
        )
    },
    "digitalexperiencebundle": {
        f"{SITE}/Shop.digitalExperience-meta.xml": document("DigitalExperienceBundle"),
        f"{SITE}/sfdc_cms__view/home/_meta.json": "{}",
        f"{SITE}/sfdc_cms__view/home/content.json": "{}",
    },
    "document": {
        "documents/Folder.documentFolder-meta.xml": document("DocumentFolder"),
        "documents/Folder/logo.txt": "text",
        "documents/Folder/logo.document-meta.xml": document("Document"),
    },
    "emailtemplate": {
        "email/Folder/Hello.email": "Hello",
        "email/Folder/Hello.email-meta.xml": document("EmailTemplate"),
    },
    "experiencebundle": {
        "experiences/Shop.site-meta.xml": document("ExperienceBundle"),
        "experiences/Shop/views/home.json": "{}",
        "experiences/Shop/config/shop.json": "{}",
    },
    "staticresource": {
        "staticresources/One.resource-meta.xml": document(
            "StaticResource", "<contentType>application/zip</contentType>"
        ),
        "staticresources/One/a/b.txt": "b",
        "staticresources/One/c.txt": "c",
        "staticresources/Two.resource-meta.xml": document(
            "StaticResource", "<contentType>text/javascript</contentType>"
        ),
        "staticresources/Two.js": "1",
    },
    "lightningcomponentbundle": {
        "lwc/sample/sample.js": "1",
        "lwc/sample/sample.html": "1",
        "lwc/sample/sample.js-meta.xml": document("LightningComponentBundle"),
    },
    "auradefinitionbundle": {
        "aura/Sample/Sample.cmp": "<aura/>",
        "aura/Sample/SampleController.js": "1",
        "aura/Sample/Sample.cmp-meta.xml": document("AuraDefinitionBundle"),
    },
}
TERRITORY: Files = {
    "territory2Models/EU/EU.territory2Model-meta.xml": document("Territory2Model"),
    "territory2Models/EU/territories/North.territory2-meta.xml": document("Territory2"),
    "territory2Models/EU/rules/R.territory2Rule-meta.xml": document("Territory2Rule"),
}
SPECIAL |= dict.fromkeys(("territory2", "territory2model", "territory2rule"), TERRITORY)


def ours(files: Files) -> tuple[dict[str, bytes], dict[str, set[str]]]:
    """Package files and manifest members."""
    registry = standard()
    contents = {f"main/{path}": text.encode() for path, text in files.items()}
    places = assembly.find(contents, registry)
    made = assembly.assemble(contents, places, registry)
    keys = contained.of_files(made.files, made.origins)
    members = manifest.of_files(made.files, keys, registry)
    return made.files, {name: set(listed) for name, listed in members.items()}


def test_every_type_is_converted_as_officially(tmp_path: Path) -> None:
    projects, output = tmp_path / "projects", tmp_path / "output"
    kinds = dict(standard().by_id)
    for type_id, kind in kinds.items():
        for path, text in component(kind).items():
            target = projects / type_id / "main" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    done = subprocess.run(
        [official.node(), str(SCRIPT), os.environ["GATEHOUSE_SDR"], str(projects), str(output)],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        check=True,
        timeout=300,
    )
    told = json.loads(done.stdout)
    problems = [_compared(kinds[name], told[name], output / name) for name in sorted(kinds)]
    assert "\n".join(problem for problem in problems if problem) == ""


def _compared(kind: MetadataType, told: dict[str, object], output: Path) -> str:
    theirs = {
        str(path.relative_to(output)): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and path != output / "package.xml"
    }
    try:
        files, members = ours(component(kind))
    except DomainError as refusal:
        return "" if told["failure"] else f"{kind.name}: we refuse: {refusal.message}"
    if told["failure"] and REFUSED.get(kind.name, "\n") in str(told["failure"]):
        return ""
    if told["failure"]:
        return f"{kind.name}: officially refused: {told['failure']}"
    if files.keys() != theirs.keys():
        return f"{kind.name}: {sorted(files.keys() ^ theirs.keys())}"
    differing = [path for path in files if not same(path, files[path], theirs[path])]
    listed = {str(name): set(found) for name, found in dict(told["manifest"]).items()}  # type: ignore[call-overload]
    if differing or members != listed:
        return f"{kind.name}: {differing} {members} {listed}"
    return ""
