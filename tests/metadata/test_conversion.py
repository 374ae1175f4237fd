"""Source format to package files, type by type, as the official converter does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInput
from metadata import layout, manifest, types
from metadata.convert import ignore, schemas
from metadata.convert.commit import Converted, convert
from metadata.mirrors import Mirror
from metadata.search import Listing
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT, Repo, field

SITE = f"{BASE}/digitalExperiences/site/Shop"


def converted(tmp_path: Path, files: dict[str, str | bytes], project: str = PROJECT) -> Converted:
    """Commit files of a source project and convert them."""
    repo = Repo(tmp_path / "repo")
    sha = repo.commit({"sfdx-project.json": project, **files})
    return convert(Mirror(repo.path / ".git"), sha)


def xml(name: str, inner: str = "") -> str:
    """A metadata file."""
    return f"{HEAD}<{name} {NS}>{inner}</{name}>"


PLAIN: dict[str, tuple[dict[str, str], set[str], set[str]]] = {
    "a component that is one file loses the meta suffix": (
        {f"{BASE}/flows/sub/Go.flow-meta.xml": xml("Flow")},
        {"flows/Go.flow"},
        {"Flow:Go"},
    ),
    "content and meta file anywhere stay a pair": (
        {f"{BASE}/A.cls": "x", f"{BASE}/A.cls-meta.xml": CLASS_META},
        {"classes/A.cls", "classes/A.cls-meta.xml"},
        {"ApexClass:A"},
    ),
    "a bundle keeps its tree, files beside bundles are passed over": (
        {
            f"{BASE}/lwc/a/lwc/tile/tile.js": "1",
            f"{BASE}/lwc/a/lwc/tile/sub/x.css": "1",
            f"{BASE}/lwc/jsconfig.json": "{}",
        },
        {"lwc/tile/tile.js", "lwc/tile/sub/x.css"},
        {"LightningComponentBundle:tile"},
    ),
    "bundles inside of a bundle are bundles, too": (
        {
            f"{BASE}/lwc/board/board.js": "1",
            f"{BASE}/lwc/board/board.js-meta.xml": xml("LightningComponentBundle"),
            f"{BASE}/lwc/board/icons/x.svg": "<svg/>",
            f"{BASE}/lwc/board/lwc/tile/tile.js": "2",
            f"{BASE}/lwc/board/lwc/tile/lwc/dot/dot.js": "3",
            f"{BASE}/lwc/board/lwc/tile/tile.js-meta.xml": xml("LightningComponentBundle"),
        },
        {
            "lwc/board/board.js",
            "lwc/board/board.js-meta.xml",
            "lwc/board/icons/x.svg",
            "lwc/tile/tile.js",
            "lwc/tile/tile.js-meta.xml",
            "lwc/dot/dot.js",
        },
        {f"LightningComponentBundle:{name}" for name in ("board", "dot", "tile")},
    ),
    "a report lies in its folder, whose meta file has no suffix": (
        {
            f"{BASE}/reports/F.reportFolder-meta.xml": xml("ReportFolder"),
            f"{BASE}/reports/F/R.report-meta.xml": xml("Report"),
        },
        {"reports/F-meta.xml", "reports/F/R.report"},
        {"Report:F/", "Report:F/R"},
    ),
    "a document's meta file takes the content's suffix": (
        {
            f"{BASE}/documents/F/logo.png": "1",
            f"{BASE}/documents/F/logo.document-meta.xml": xml("Document"),
        },
        {"documents/F/logo.png", "documents/F/logo.png-meta.xml"},
        {"Document:F/logo"},
    ),
    "a territory rule stays below its model": (
        {
            f"{BASE}/territory2Models/M/M.territory2Model-meta.xml": xml("Territory2Model"),
            f"{BASE}/territory2Models/M/rules/R.territory2Rule-meta.xml": xml("Territory2Rule"),
        },
        {"territory2Models/M/M.territory2Model", "territory2Models/M/rules/R.territory2Rule"},
        {"Territory2Model:M", "Territory2Rule:M.R"},
    ),
    "an enhanced site is a bundle with contents of their own": (
        {
            f"{SITE}/Shop.digitalExperience-meta.xml": xml("DigitalExperienceBundle"),
            f"{SITE}/sfdc_cms__view/home/content.json": "{}",
            f"{SITE}/sfdc_cms__view/home/mobile/mobile.json": "{}",
        },
        {
            "digitalExperiences/site/Shop/Shop.digitalExperience-meta.xml",
            "digitalExperiences/site/Shop/sfdc_cms__view/home/content.json",
            "digitalExperiences/site/Shop/sfdc_cms__view/home/mobile/mobile.json",
        },
        {"DigitalExperienceBundle:site/Shop", "DigitalExperience:site/Shop.sfdc_cms__view/home"},
    ),
    "an old suffix becomes the new one": (
        {f"{BASE}/weblinks/W.custompageweblink-meta.xml": xml("CustomPageWebLink")},
        {"weblinks/W.weblink"},
        {"CustomPageWebLink:W"},
    ),
    "a labels file is listed beside its labels": (
        {
            f"{BASE}/labels/Mine.labels-meta.xml": xml(
                "CustomLabels", "<labels><fullName>Hi</fullName></labels>"
            )
        },
        {"labels/CustomLabels.labels"},
        {"CustomLabel:Hi", "CustomLabels:CustomLabels"},
    ),
}


@pytest.mark.parametrize(("files", "targets", "members"), PLAIN.values(), ids=PLAIN.keys())
def test_source_files_go_where_the_platform_wants_them(
    tmp_path: Path, files: dict[str, str], targets: set[str], members: set[str]
) -> None:
    made = converted(tmp_path, dict(files))
    assert set(made.files) == targets
    listed = manifest.of_files(made.files, layout.read(made.files), made.registry)
    assert {f"{name}:{member}" for name, own in listed.items() for member in own} == members


def test_object_is_put_together_with_its_groups_in_order(tmp_path: Path) -> None:
    here = f"{BASE}/objects/Trip__c"
    made = converted(
        tmp_path,
        {
            f"{here}/Trip__c.object-meta.xml": xml("CustomObject", "<label>Trip</label>"),
            f"{here}/listViews/All.listView-meta.xml": xml("ListView", "<fullName>All</fullName>"),
            f"{here}/fields/Z__c.field-meta.xml": field("Z__c"),
            f"{here}/fields/A__c.field-meta.xml": field("A__c", "it&apos;s  "),
        },
    )
    text = made.files["objects/Trip__c.object"].decode()
    order = [text.index(part) for part in ("<label>Trip", "A__c", "Z__c", "<listViews>")]
    assert order == sorted(order)
    assert "<label>it&apos;s  </label>" in text


def test_component_split_over_two_directories_keeps_both_halves(tmp_path: Path) -> None:
    project = '{"packageDirectories": [{"path": "one"}, {"path": "two"}]}'
    name = "objectTranslations/T__c-fr/T__c-fr.objectTranslation-meta.xml"
    made = converted(
        tmp_path,
        {
            f"one/{name}": xml("CustomObjectTranslation", "<gender>Feminine</gender>"),
            f"two/{name}": xml("CustomObjectTranslation", "<nameFieldLabel>N</nameFieldLabel>"),
        },
        project,
    )
    text = made.files["objectTranslations/T__c-fr.objectTranslation"].decode()
    assert "Feminine" in text
    assert "<nameFieldLabel>N<" in text


def test_two_frames_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    project = '{"packageDirectories": [{"path": "one"}, {"path": "two"}]}'
    name = "objects/T__c/T__c.object-meta.xml"
    with pytest.raises(InvalidInput, match="two/objects") as refusal:
        converted(
            tmp_path,
            {
                f"one/{name}": xml("CustomObject", "<label>A</label>"),
                f"two/{name}": xml("CustomObject", "<label>B</label>"),
            },
            project,
        )
    assert refusal.value.code == "metadata.duplicate"


@pytest.mark.parametrize(
    ("preset", "files", "target", "words"),
    [
        (
            "decomposePermissionSetBeta2",
            {
                "permissionsets/P/P.permissionset-meta.xml": xml(
                    "PermissionSet", "<label>P</label>"
                ),
                "permissionsets/P/objectSettings/Account.objectSettings-meta.xml": xml(
                    "PermissionSet", "<fieldPermissions><field>Account.X</field></fieldPermissions>"
                ),
            },
            "permissionsets/P.permissionset",
            ["Account.X", "<label>P</label>"],
        ),
        (
            "decomposeCustomLabelsBeta2",
            {"labels/Hi.label-meta.xml": xml("CustomLabel", "<fullName>Hi</fullName>")},
            "labels/CustomLabels.labels",
            ["<labels>", "<fullName>Hi"],
        ),
        (
            "decomposeWorkflowBeta",
            {
                "workflows/Case/workflowAlerts/A.workflowAlert-meta.xml": xml(
                    "WorkflowAlert", "<fullName>A</fullName>"
                )
            },
            "workflows/Case.workflow",
            ["<alerts>", "<fullName>A"],
        ),
        (
            "decomposeExternalServiceRegistrationBeta",
            {
                "externalServiceRegistrations/E.externalServiceRegistration-meta.xml": xml(
                    "ExternalServiceRegistration",
                    "<schemaUploadFileExtension>json</schemaUploadFileExtension>",
                ),
                "externalServiceRegistrations/E.yaml": "openapi: 3.0.0\nok: yes\n",
            },
            "externalServiceRegistrations/E.externalServiceRegistration",
            ["<schema>{\n", "&quot;openapi&quot;: &quot;3.0.0&quot;", "&quot;yes&quot;"],
        ),
    ],
)
def test_preset_puts_its_pieces_together(
    tmp_path: Path, preset: str, files: dict[str, str], target: str, words: list[str]
) -> None:
    project = json.dumps(
        {"packageDirectories": [{"path": "force-app"}], "sourceBehaviorOptions": [preset]}
    )
    made = converted(tmp_path, {f"{BASE}/{path}": text for path, text in files.items()}, project)
    assert all(word in made.files[target].decode() for word in words)


def test_unknown_preset_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="decomposeEverything") as refusal:
        types.for_project(["decomposeEverything"], {})
    assert refusal.value.code == "metadata.unknown_preset"


def test_schema_with_aliases_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        schemas.as_json("E.yaml", b"a: &x [1]\nb: [*x, *x]\n")
    assert refusal.value.code == "metadata.schema"


def test_replacement_takes_text_only_from_the_same_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    entry = {"filename": "classes/A.cls", "stringToReplace": "@HOST@"}
    project = json.dumps(
        {
            "packageDirectories": [{"path": "force-app"}],
            "replacements": [
                {**entry, "stringToReplace": "@KEY@", "replaceWithEnv": "SECRET"},
                {**entry, "replaceWithFile": "hosts/one.txt"},
            ],
        }
    )
    files: dict[str, str | bytes] = {
        "hosts/one.txt": "org.example\n",
        f"{BASE}/classes/A.cls": "@HOST@ @KEY@",
        f"{BASE}/classes/A.cls-meta.xml": CLASS_META,
    }
    made = converted(tmp_path, files, project)
    assert made.files["classes/A.cls"] == b"org.example @KEY@"
    assert "SECRET" in made.warnings[0]


@pytest.mark.parametrize("named", ["/etc/hostname", "../../etc/hostname", "nothing.txt"])
def test_replacement_from_outside_the_commit_is_refused(tmp_path: Path, named: str) -> None:
    project = json.dumps(
        {
            "packageDirectories": [{"path": "force-app"}],
            "replacements": [
                {"glob": "**/*.cls", "stringToReplace": "x", "replaceWithFile": named}
            ],
        }
    )
    with pytest.raises(InvalidInput) as refusal:
        converted(tmp_path, {f"{BASE}/classes/A.cls": "x"}, project)
    assert refusal.value.code == "metadata.replacement"


HALVES = {
    "a class without its meta file": ({f"{BASE}/classes/A.cls": "x"}, "metadata.no_meta"),
    "a meta file without its class": (
        {f"{BASE}/classes/A.cls-meta.xml": CLASS_META},
        "metadata.no_content",
    ),
    "a package directory outside the repository": (
        {"sfdx-project.json": '{"packageDirectories": [{"path": "../x"}]}'},
        "metadata.project_file",
    ),
    "a label without a name": (
        {f"{BASE}/labels/L.labels-meta.xml": xml("CustomLabels", "<labels/>")},
        "metadata.unnamed",
    ),
}


@pytest.mark.parametrize(("files", "code"), HALVES.values(), ids=HALVES.keys())
def test_half_a_component_is_refused(tmp_path: Path, files: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        converted(tmp_path, dict(files))
    assert refusal.value.code == code


def test_byte_order_mark_line_ends_and_other_scripts_survive(tmp_path: Path) -> None:
    body = "\ufeffclass Ünïcode {\r\n}\r\n".encode()
    made = converted(
        tmp_path,
        {
            f"{BASE}/classes/A.cls": body,
            f"{BASE}/classes/A.cls-meta.xml": CLASS_META,
            f"{BASE}/layouts/Trip__c-Größe %26 Maß.layout-meta.xml": "\ufeff" + xml("Layout"),
        },
    )
    assert made.files["classes/A.cls"] == body
    form = layout.read(made.files)
    assert "Layout:Trip__c-Größe %26 Maß" in [str(key) for key in form]


def test_forceignore_takes_back_what_a_later_line_says(tmp_path: Path) -> None:
    made = converted(
        tmp_path,
        {
            ".forceignore": "**/flows/**\n!**/flows/Keep.flow-meta.xml\n",
            f"{BASE}/flows/Keep.flow-meta.xml": xml("Flow"),
            f"{BASE}/flows/Drop.flow-meta.xml": xml("Flow"),
        },
    )
    assert set(made.files) == {"flows/Keep.flow"}


PATTERNS = {
    "a name at any depth": ("a.cls", {"a.cls", "x/a.cls", "a.cls/in"}, {"xa.cls", "a.clsx"}),
    "a name from the top": ("/a", {"a", "a/b"}, {"x/a"}),
    "a path from the top": ("a/b", {"a/b", "a/b/c"}, {"x/a/b"}),
    "a directory": ("a/", {"a/b", "x/a/b"}, {"a", "x/a"}),
    "all inside": ("a/**", {"a/b", "a/b/c"}, {"a", "x/a/b"}),
    "any directories between": ("a/**/b", {"a/b", "a/x/y/b"}, {"b"}),
    "signs": ("**/f?o.[a-c]*", {"x/foo.bar", "fxo.c"}, {"x/f/o.b", "foo.d"}),
    "other capitals": ("**Settings", {"mysettings/a", "x/SETTINGS"}, {"settings2"}),
    "a capital whose small letter has two signs": ("aB", {"İ/Ab"}, {"İ/a"}),
    "an escaped sign": ("\\#a\\*", {"#a*"}, {"#ab"}),
}


@pytest.mark.parametrize(("line", "out", "kept"), PATTERNS.values(), ids=PATTERNS.keys())
def test_forceignore_line_takes_out_what_the_official_tools_would(
    line: str, out: set[str], kept: set[str]
) -> None:
    rules = ignore.rules("sub/.forceignore", line.encode())
    paths = [f"sub/{name}" for name in sorted(out | kept)]
    assert {path[4:] for path in rules.out(Listing(paths))} == out
    assert {path[4:] for path in paths if rules.ignores(path)} == out


FORMS = {
    "one element a line": "\n    <label>A</label>\n    <type>Text</type>\n",
    "nested": "\n    <set>\n        <v>1</v>\n        <v>2</v>\n    </set>\n    <a>1</a>\n",
    "quotes and entities": '\n    <help>"it\'s" &amp; &lt;b&gt;</help>\n',
    "a comment as text": "\n    <help><!-- it's --></help>\n",
    "repeated apart": "\n    <v>1</v>\n    <a>1</a>\n    <v>2</v>\n",
    "repeated apart, deeper": (
        "\n    <s>\n        <v>1</v>\n        <a>1</a>\n        <v>2</v>\n    </s>\n"
    ),
    "empty": "\n    <a></a>\n    <b/>\n    <c>\n    </c>\n",
    "indented otherwise": "\n\t<a>1</a>\n  <b>\n        <c>1</c>\n  </b>\n",
    "text over lines": "\n    <a>one\n    <!-- x -->two</a>\n",
    "plain text over lines": "\n    <a>one &amp;\n\n    it's two\t</a>\n    <b/>\n",
    "empty, deeper": "\n    <s>\n        <v/>\n        <v>2</v>\n    </s>\n",
    "character references": "\n    <a>&#39;&#xE9;</a>\n",
    "attributes": '\n    <a nil="true">1</a>\n',
}


@pytest.mark.parametrize("inner", FORMS.values(), ids=FORMS.keys())
def test_file_taken_as_text_is_the_one_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    repo = Repo(tmp_path / "r")
    name = "\n    <fullName>A__c</fullName>"
    sha = repo.commit(
        {
            "sfdx-project.json": PROJECT,
            f"{BASE}/objects/T__c/T__c.object-meta.xml": (
                f"{HEAD}<CustomObject {NS}>{inner}</CustomObject>\n"
            ),
            f"{BASE}/objects/T__c/fields/A__c.field-meta.xml": (
                f"{HEAD}<CustomField {NS}>{name}{inner}</CustomField>\n"
            ),
        }
    )
    as_text = convert(Mirror(repo.path / ".git"), sha).files
    monkeypatch.setattr("metadata.convert.fragments.plain", lambda content, **_: "")
    assert convert(Mirror(repo.path / ".git"), sha).files == as_text
