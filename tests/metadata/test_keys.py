"""The table of keys against Salesforce's own description of its metadata."""

from __future__ import annotations

import pytest

from metadata import keys, keytable
from metadata.components import ComponentKey
from metadata.merge.files import merge
from metadata.normal import NormalForm
from metadata.types import data
from metadata.xml import canonical_file
from tests.metadata.repositories import HEAD, NS

KEY = ComponentKey("Layout", "A")
UNDECLARED = {
    ("LightningComponentBundle", "packageVersions"),
    ("MutingPermissionSet", "dataspaceScopes"),
    ("PermissionSet", "dataspaceScopes"),
    ("Profile", "dataspaceScopes"),
    ("Profile", "emailRoutingAddressAccesses"),
    ("Profile", "externalCredentialPrincipalAccesses"),
    ("Profile", "tabSettings"),
}
"""What real files hold though the published declarations do not name it."""


def test_only_what_may_be_there_several_times_is_keyed() -> None:
    known = dict(data("elements.json"))
    keyed = {(kind, entry[0]) for kind, entries in keytable.TABLE.items() for entry in entries}
    for kind, more in keytable.MORE.items():
        known[kind] = known.get(kind, {}) | more
    single = {(kind, name) for kind, name in keyed if known[kind].get(name, "")[-1:] != "*"}
    assert single == UNDECLARED
    held = {said[:-1] for inner in known.values() for said in inner.values() if said[-1] == "*"}
    assert set(keytable.ITEMS) <= held


KEYED = (
    "CustomApplication", "CustomLabels", "CustomObjectTranslation", "Layout", "MutingPermissionSet",
    "PermissionSet", "PermissionSetGroup", "Profile", "RecordType", "SharingRules", "Translations",
    "Workflow",
)  # fmt: skip


@pytest.mark.parametrize("kind", KEYED)
def test_every_repeated_element_of_what_teams_share_has_a_key(kind: str) -> None:
    rule = keys.of_root(kind)
    assert rule.repeated
    assert rule.repeated <= set(rule.keys)


def file_of(kind: str, inner: str) -> bytes:
    """A metadata file."""
    return f"{HEAD}<{kind} {NS}>{inner}</{kind}>".encode()


def tab(name: str, visibility: str) -> str:
    """The visibility of a tab in a profile."""
    inner = f"<tab>{name}</tab><visibility>{visibility}</visibility>"
    return f"<tabVisibilities>{inner}</tabVisibilities>"


def item(field: str, value: str) -> str:
    """A condition of a territory's rule, which nothing tells from its like."""
    inner = f"<field>{field}</field><operation>equals</operation><value>{value}</value>"
    return f"<ruleItems>{inner}</ruleItems>"


def section(left: str, right: str) -> str:
    """A section of a layout with two columns, a field for each letter."""
    columns = "".join(
        "<layoutColumns>"
        + "".join(f"<layoutItems><field>{name}</field></layoutItems>" for name in column)
        + "</layoutColumns>"
        for column in (left, right)
    )
    return f"<layoutSections>{columns}<label>S</label></layoutSections>"


def recipient(name: str) -> str:
    """An alert of a workflow that goes to people."""
    one, two = (
        f"<recipients><recipient>{who}</recipient><type>user</type></recipients>" for who in name
    )
    return f"<alerts><fullName>Alert</fullName>{one}{two}</alerts>"


def summary(label: str, width: str) -> str:
    """The highlights panel of a layout."""
    inner = f"<masterLabel>{label}</masterLabel><sizeX>{width}</sizeX>"
    return f"<summaryLayout>{inner}</summaryLayout>"


def target(*names: str) -> str:
    """A target of a Lightning component with properties."""
    inner = "".join(f'<property name="{name}" type="String"/>' for name in names)
    config = f'<targetConfig targets="lightning__HomePage">{inner}</targetConfig>'
    return f"<targetConfigs>{config}</targetConfigs>"


MERGED = {
    "columns are told apart by their places": (
        "Layout", section("A", "B"), section("AC", "B"), section("A", "BD"), section("AC", "BD"),
    ),
    "tabs of a profile": (
        "Profile", tab("A", "1") + tab("B", "1"), tab("A", "2") + tab("B", "1"),
        tab("A", "1") + tab("B", "2"), tab("A", "2") + tab("B", "2"),
    ),
    "an id that each org makes for itself": (
        "Layout", summary("00h000000000001", "1"), summary("00h000000000002AAA", "1"),
        summary("00h000000000003", "2"), summary("00h000000000002AAA", "2"),
    ),
    "properties of a component's targets": (
        "LightningComponentBundle", target("a", "b"), target("a", "b", "c"),
        target("d", "a", "b"), target("d", "a", "b", "c"),
    ),
    "a part of a part is keyed as it is alone": (
        "Workflow", recipient("ab"), recipient("cb"), recipient("ad"), recipient("cd"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "base", "ours", "theirs", "both"), MERGED.values(), ids=MERGED.keys()
)
def test_what_keys_tell_apart_is_merged(
    kind: str, base: str, ours: str, theirs: str, both: str
) -> None:
    merged = merge(file_of(kind, base), file_of(kind, ours), file_of(kind, theirs))
    assert merged.clean
    wanted = canonical_file(file_of(kind, both), "wanted")
    assert canonical_file(merged.content, "merged") == wanted


CONFLICTS = {
    "one tab, changed both ways": (
        "Profile", tab("A", "1"), tab("A", "2"), tab("A", "3"),
        "Profile/tabVisibilities[A]/visibility",
    ),
    "what may be there once is never there twice": (
        "CustomApplication", "<utilityBar>A</utilityBar>", "<utilityBar>B</utilityBar>",
        "<utilityBar>C</utilityBar>", "CustomApplication/utilityBar",
    ),
    "one without a key is not mixed from two": (
        "Territory2Rule", item("City", "A"), item("Country", "A"), item("City", "B"),
        "Territory2Rule/ruleItems",
    ),
    "columns of which a side has more are one thing": (
        "Layout", section("A", "B"), section("AC", "B"),
        section("A", "BD").replace("<label>", "<layoutColumns/><label>"),
        "Layout/layoutSections[S ]/layoutColumns",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "base", "ours", "theirs", "path"), CONFLICTS.values(), ids=CONFLICTS.keys()
)
def test_what_keys_do_not_tell_apart_is_for_a_person(
    kind: str, base: str, ours: str, theirs: str, path: str
) -> None:
    merged = merge(file_of(kind, base), file_of(kind, ours), file_of(kind, theirs))
    assert [conflict.path for conflict in merged.conflicts] == [path]
    for name in ("utilityBar", "ruleItems", "tabVisibilities"):
        assert merged.content.count(f"<{name}>".encode()) <= 1


def test_id_that_each_org_makes_for_itself_is_no_drift() -> None:
    layouts = [
        NormalForm({KEY: {"layouts/A.layout": canonical_file(file_of("Layout", inner), "a")}})
        for inner in (summary("00h000000000001", "1"), summary("00h000000000002AAA", "1"))
    ]
    assert layouts[0].digest() == layouts[1].digest()
    label = canonical_file(file_of("Layout", summary("Panel", "1")), "a")
    assert NormalForm({KEY: {"layouts/A.layout": label}}).digest() != layouts[0].digest()
