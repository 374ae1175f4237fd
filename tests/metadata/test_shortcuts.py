"""What is quick says what the long way says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.errors import DomainError, InvalidInput
from metadata import blocks, decompose, objects, xml, zips
from metadata.components import ComponentKey
from metadata.convert import recompose
from metadata.convert.places import Place, Role
from metadata.normal import NormalForm
from metadata.projects import Layout
from metadata.runner import Runner
from metadata.search import Listing, Names
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
            "objects/B/B.object-meta.xml",
            "objects/B/listViews/All.listView-meta.xml",
            "objects/C/listViews/All.listView-meta.xml",
            "objects/C/webLinks/A.v2.webLink-meta.xml",
            "objects/D/webLinks/A.v2.webLink-meta.xml",
            "objectTranslations/B-fr/B-fr.objectTranslation-meta.xml",
            "objectTranslations/B-fr/D__c.fieldTranslation-meta.xml",
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


def test_a_directory_named_as_a_types_learns_nothing_from_its_siblings() -> None:
    paths = [f"main/objects/{name}/fields/A__c.field-meta.xml" for name in ("A", "B", "lwc")]
    alone = [dict(_units([path]).each([path])) for path in paths]
    together = list(_units(paths).each(paths))
    assert together == [item for found in alone for item in found.items()]


def _units(paths: list[str]) -> Units:
    return Units(Layout("source", ("main",)), standard(), Listing(paths))


def test_what_was_given_ahead_makes_the_same_zip() -> None:
    files = {f"classes/{n}.cls": b"class %d {}" % (n % 7) * 50 for n in range(40)}
    packing = zips.Packing()
    for path, content in files.items():
        packing.add(path, content + b"//" if path.endswith("3.cls") else content)
    assert packing.write(files) == zips.write(files)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("<a>1</a>\n<b>2</b>", "<b>2</b>\n<a>1</a>", True),
        ("<a>1</a>\n<b>2</b>", "<b>3</b>\n<a>1</a>", False),
        ("<a>it&apos;s</a>\n<b>2</b>", "<a>it's</a>\n<b>2</b>", True),
        ("<a>1</a>\n<b>2</b>", "<a>1</a>\n<b>2 </b>", False),
        ("<a>1</a>\n<b>2</b>", "    <a>1</a>\n<b>2</b>", True),
        ("<a>\n1</a>\n<b>2</b>", "<b>2</b>\n<a>\n1</a>", False),
        ("<a>1</a>", "<a>1</a>\n<b>2</b>", False),
    ],
)
def test_elements_say_the_same_whatever_the_order_of_their_lines(
    one: str, two: str, same: bool
) -> None:
    kind = standard().by_name["CustomObject"]
    sides = []
    for text in (one, two):
        field = f"    <fields>\n        <fullName>A__c</fullName>\n{text}\n    </fields>"
        sides.append({"A": f"{HEAD}<CustomObject {NS}>\n{field}\n</CustomObject>\n".encode()})
    changed = set() if same else {ComponentKey("CustomField", "A.A__c")}
    assert blocks.compared(kind, "A", *sides) == (changed, set())


HIDING = {
    "nothing": (b"<a>\n    <b>! <</b></a>", False),
    "a mark at the beginning": (b"!<a/>", False),
    "a comment in a line": (b"<a>\n    <b><!-- c --></b></a>", False),
    "a comment over an element": (b"<a><!-- \n    <b/> --></a>", True),
    "an element behind a comment": (b"<a><!-- c -->\n    <b/></a>", False),
    "the second comment": (b"<a><!-- c -->!<!--\n    <b/>--></a>", True),
    "a comment without an end": (b"<a><!-- \n    <b/></a>", False),
    "a comment that ends as it begins": (b"<!-->\n    <b/>-->", True),
    "a comment that begins in one": (b"<!-- <!-->\n    <b/>-->", False),
    "literal text": (b"<a><!-- c --><![CDATA[x]]></a>", True),
    "a document type": (b"<!DOCTYPE a><a/>", True),
}


@pytest.mark.parametrize(("content", "hiding"), HIDING.values(), ids=HIDING.keys())
def test_what_could_hide_an_element_is_seen(content: bytes, hiding: bool) -> None:
    assert blocks.hides(content) is hiding


def test_labels_in_another_form_are_written_as_if_all_were_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = standard().by_name["CustomLabels"]
    plain = (
        "    <labels>\n        <fullName>{}</fullName>\n        <value>a's</value>\n    </labels>\n"
    )
    odd = plain.format("C").replace("        <value>", "        <!-- said -->\n        <value>")
    two = f"    <!-- together -->{plain.format('B').strip()}\n{plain.format('A')}"
    content = f"{HEAD}<CustomLabels {NS}>\n{plain.format('D')}{odd}{two}</CustomLabels>\n".encode()
    place = Place(kind, "CustomLabels", Role.PARENT, "a", "")
    mixed = recompose.file_of(kind, "CustomLabels", [(place, content)], {})
    broken = content.replace(b"<!-- said -->", b"<!-- said")
    with pytest.raises(InvalidInput, match="line 12 is not well-formed"):
        recompose.file_of(kind, "CustomLabels", [(place, broken)], {})
    assert len(recompose._labels_as_text([(place, content)])) == 4
    monkeypatch.setattr(recompose, "_labels_as_text", lambda _parts: {})
    assert recompose.file_of(kind, "CustomLabels", [(place, content)], {}) == mixed


def test_a_path_with_a_tabulator_is_cut_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    told = f"100644 blob {'a' * 40}"
    monkeypatch.setattr(objects, "_printed", lambda *_: f"{told}\tx/y\0{told}\tx/a\tb\0")
    found = objects.tree(Runner("nowhere"), "HEAD")
    assert dict(found) == dict.fromkeys(("x/y", "x/a\tb"), ("100644", "a" * 40))


PATHS = (
    "README.md",
    ".gitignore",
    "main/.hidden/a.cls",
    "main/lwc/a/lwc/b.js",
    "main/lwc/a/lwcx/B.JS",
    "main/lwc/a/b.js",
    "main/a.cls",
    "main/lwc/b/b.js",
    "main/Ärger/İx.Cls",
    "main/classes/.a.cls",
    "other/odd\nmain/lwc/x/lwc/b.js",
    "other/z.cls",
)


@pytest.mark.parametrize("paths", [PATHS, [path for path in PATHS if path.isascii()]])
def test_directories_and_names_hold_what_whole_paths_hold(paths: Sequence[str]) -> None:
    plain = [path for path in paths if "\n" not in path]
    listing = Listing(Names("".join(f"{path}\0" for path in paths)))
    for text in (".cls", "b.js", "lwc", "a", "/.", "/a", "/lwc", "x", "nowhere"):
        assert listing.holding([text]) == {path for path in plain if text in f"/{path}"}, text
        small = {path for path in plain if text in f"/{path}".lower()}
        found = set(listing.alike([text]))
        assert small <= found
        assert all(path in small or not path.isascii() for path in found), text
    assert listing.twice("lwc/") == {path for path in plain if path.count("lwc/") > 1}
    for directory in ("", "main/", "main/lwc/"):
        outside = {path for path in paths if not path.startswith(directory)}
        assert listing.outside(directory) == outside


def test_paths_in_one_text_are_those_that_were_printed() -> None:
    names = Names("".join(f"{path}\0" for path in PATHS))
    for _time in range(9):  # looked for in the text at first, then in a set
        assert all(path in names for path in PATHS)
        assert "main" not in names
    assert (list(names), len(names)) == (list(PATHS), len(PATHS))
    assert not list(Names(""))
