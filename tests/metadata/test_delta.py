"""Deltas between commits: component sets, never file lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metadata import delta, inner, layout, sides
from metadata.commands import main
from metadata.mirrors import Mirror
from metadata.package import open_zip, read_zip
from metadata.source import read_commit
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT, Repo, field

OBJECT = f"{BASE}/objects/Trip__c"
ACCOUNT = f"{BASE}/objects/Account"
BOT = f"{BASE}/bots/Ada"
VERSION = f"{HEAD}<BotVersion {NS}><fullName>v1</fullName></BotVersion>"
SITE = f"{BASE}/digitalExperiences/site/Shop"
FLOW = f"{HEAD}<Flow {NS}><label>Go</label></Flow>"


def labels(**texts: str) -> str:
    """A labels file."""
    inner = "".join(
        f"<labels><fullName>{name}</fullName><value>{text}</value></labels>"
        for name, text in texts.items()
    )
    return f"{HEAD}<CustomLabels {NS}>{inner}</CustomLabels>"


START: dict[str, str | bytes | None] = {
    "sfdx-project.json": '{"packageDirectories": [{"path": "force-app"}, {"path": "more"}]}',
    "more/.keep": "",
    f"{BASE}/classes/A.cls": "a",
    f"{BASE}/classes/A.cls-meta.xml": CLASS_META,
    f"{BASE}/flows/Go.flow-meta.xml": FLOW,
    f"{OBJECT}/Trip__c.object-meta.xml": (
        f"{HEAD}<CustomObject {NS}><label>T</label></CustomObject>"
    ),
    f"{OBJECT}/fields/A__c.field-meta.xml": field("A__c"),
    f"{OBJECT}/recordTypes/R.recordType-meta.xml": (
        f"{HEAD}<RecordType {NS}><fullName>R</fullName></RecordType>"
    ),
    f"{BASE}/labels/CustomLabels.labels-meta.xml": labels(One="1", Two="2"),
    f"{BASE}/lwc/tile/tile.js": "1",
    f"{BASE}/lwc/tile/tile.css": "1",
}

MORE: dict[str, str | bytes | None] = {
    f"{ACCOUNT}/Account.object-meta.xml": f"{HEAD}<CustomObject {NS}></CustomObject>",
    f"{ACCOUNT}/fields/Region__c.field-meta.xml": field("Region__c"),
    f"{ACCOUNT}/fields/Industry.field-meta.xml": field("Industry"),
    f"{BOT}/Ada.bot-meta.xml": f"{HEAD}<Bot {NS}><label>Ada</label></Bot>",
    f"{BOT}/v1.botVersion-meta.xml": VERSION,
    f"{SITE}/Shop.digitalExperience-meta.xml": f"{HEAD}<DigitalExperienceBundle {NS}/>",
    f"{SITE}/sfdc_cms__view/home/content.json": "{}",
    f"{SITE}/sfdc_cms__view/home/_meta.json": "{}",
    f"{SITE}/sfdc_cms__view/cart/content.json": "{}",
    f"{SITE}/sfdc_cms__view/cart/_meta.json": "{}",
}

CHANGES: dict[str, tuple[dict[str, str | bytes | None], set[str], set[str]]] = {
    "content of a pair": ({f"{BASE}/classes/A.cls": "b"}, {"ApexClass:A"}, set()),
    "one field": (
        {f"{OBJECT}/fields/A__c.field-meta.xml": field("A__c", "New")},
        {"CustomField:Trip__c.A__c"},
        set(),
    ),
    "one label changed, one removed": (
        {f"{BASE}/labels/CustomLabels.labels-meta.xml": labels(One="x")},
        {"CustomLabel:One"},
        {"CustomLabel:Two"},
    ),
    "a bundle that lost a file goes again": (
        {f"{BASE}/lwc/tile/tile.css": None},
        {"LightningComponentBundle:tile"},
        set(),
    ),
    "a move is neither a change nor a deletion": (
        {f"{BASE}/flows/Go.flow-meta.xml": None, "more/flows/Go.flow-meta.xml": FLOW},
        set(),
        set(),
    ),
    "a deleted component": ({f"{BASE}/flows/Go.flow-meta.xml": None}, set(), {"Flow:Go"}),
    "a deleted object takes its children along": (
        {path: None for path in START if path.startswith(OBJECT)},
        set(),
        {"CustomObject:Trip__c"},
    ),
    "a record type, which no deployment can delete": (
        {f"{OBJECT}/recordTypes/R.recordType-meta.xml": None},
        set(),
        set(),
    ),
    "a name in another case is the same component": (
        {
            f"{OBJECT}/fields/A__c.field-meta.xml": None,
            f"{OBJECT}/fields/a__c.field-meta.xml": field("a__c"),
            f"{BASE}/lwc/tile/tile.js": None,
            f"{BASE}/lwc/tile/tile.css": None,
            f"{BASE}/lwc/Tile/Tile.js": "1",
        },
        {"CustomField:Trip__c.a__c", "LightningComponentBundle:Tile"},
        set(),
    ),
    "a standard object cannot go, its custom fields can": (
        {path: None for path in MORE if path.startswith(ACCOUNT)},
        set(),
        {"CustomField:Account.Region__c"},
    ),
    "a master-detail field brings its object": (
        {f"{OBJECT}/fields/M__c.field-meta.xml": field("M__c").replace("Text", "MasterDetail")},
        {"CustomField:Trip__c.M__c", "CustomObject:Trip__c"},
        set(),
    ),
    "a version brings its bot": (
        {f"{BOT}/v1.botVersion-meta.xml": VERSION.replace("v1</", "v1 </")},
        {"BotVersion:Ada.v1", "Bot:Ada"},
        set(),
    ),
    "one content of a site": (
        {f"{SITE}/sfdc_cms__view/cart/content.json": "[]"},
        {"DigitalExperience:site/Shop.sfdc_cms__view/cart"},
        set(),
    ),
    "a site takes its contents along": (
        {path: None for path in MORE if path.startswith(SITE)},
        set(),
        {"DigitalExperienceBundle:site/Shop"},
    ),
    "a README": ({f"{BASE}/README.md": "x"}, set(), set()),
}


@pytest.mark.parametrize(("change", "changed", "removed"), CHANGES.values(), ids=CHANGES.keys())
def test_delta_names_components(
    tmp_path: Path,
    change: dict[str, str | bytes | None],
    changed: set[str],
    removed: set[str],
) -> None:
    repo = Repo(tmp_path / "r")
    old, new = repo.commit(START | MORE), repo.commit(change)
    found = delta.between(Mirror(repo.path / ".git"), old, new)
    assert {str(key) for key in found.changed} == changed
    assert {str(key) for key in found.removed} == removed


def test_what_a_deployment_cannot_delete_is_said(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    old = repo.commit(START)
    new = repo.commit({f"{OBJECT}/recordTypes/R.recordType-meta.xml": None})
    [warning] = delta.between(Mirror(repo.path / ".git"), old, new).warnings
    assert "RecordType:Trip__c.R cannot be deleted" in warning


FILES = st.dictionaries(
    st.sampled_from([path for path in START if path.endswith(("field-meta.xml", "A.cls"))]
        + [f"more/flows/{name}.flow-meta.xml" for name in "XYZ"]),
    st.sampled_from(["A", "B"]),
)  # fmt: skip


def filled(chosen: dict[str, str]) -> dict[str, str | bytes | None]:
    """Files with content by kind."""
    made: dict[str, str | bytes | None] = {}
    for path, mark in chosen.items():
        if path.endswith(".cls"):
            made |= {path: mark, f"{path}-meta.xml": CLASS_META}
        else:
            made[path] = field("A__c", mark) if "field" in path else FLOW.replace("Go", mark)
    return made


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(FILES, FILES)
def test_old_form_with_its_delta_is_the_new_form(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, str], two: dict[str, str]
) -> None:
    repo = Repo(tmp_path_factory.mktemp("r"))
    always: dict[str, str | bytes | None] = {
        "sfdx-project.json": START["sfdx-project.json"],
        f"{BASE}/flows/Go.flow-meta.xml": FLOW,
    }
    old = repo.commit({**always, **filled(one)})
    gone: dict[str, str | bytes | None] = dict.fromkeys(filled(one))
    new = repo.commit({**gone, **filled(two)})
    mirror = Mirror(repo.path / ".git")
    found = delta.between(mirror, old, new)
    before, after = read_commit(mirror, old), read_commit(mirror, new)
    applied = before.component_digests()
    side = sides.single(mirror, new)
    applied |= inner.form_of(side, found.changed).component_digests()
    files = inner.files_of(side, found.changed)
    assert layout.read(files) == inner.form_of(side, found.changed)
    for key in found.removed:
        applied.pop(key)
    assert applied == after.component_digests()


def test_command_writes_manifests_and_the_changes(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    repo.commit(START)
    repo.git("tag", "v1")
    repo.commit({f"{BASE}/classes/A.cls": "b", f"{BASE}/flows/Go.flow-meta.xml": None})
    out = tmp_path / "out"
    arguments = ["--repo", str(repo.path), "--from", "v1", "--to", "main", "--output", str(out)]
    assert main(["delta", *arguments, "--post"]) == 0
    assert "<members>A</members>" in (out / "package/package.xml").read_text()
    deletions = (out / "destructiveChanges/destructiveChangesPost.xml").read_text()
    assert "<members>Go</members>" in deletions
    assert [str(key) for key in read_zip((out / "changes.zip").read_bytes())] == ["ApexClass:A"]


def test_command_converts_and_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repo(tmp_path / "r")
    repo.commit({"sfdx-project.json": PROJECT, f"{BASE}/flows/Go.flow-meta.xml": FLOW})
    target = tmp_path / "o.zip"
    arguments = ["convert", "--repo", str(repo.path), "--output", str(target)]
    assert main([*arguments, "--commit", "main"]) == 0
    assert set(open_zip(target.read_bytes())) == {"flows/Go.flow", "package.xml"}
    assert main([*arguments, "--commit", "nothing"]) == 2
    assert "has no commit “nothing”" in capsys.readouterr().err
