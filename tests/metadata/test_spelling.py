"""Names that differ only by upper and lower case are one component of the composition."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import InvalidInput
from metadata import xml
from metadata.components import ComponentKey
from metadata.compose import Candidate, Composition, compose
from metadata.merge import words
from metadata.merge.conflicts import ElementConflict, digest_of
from metadata.normal import CHILD, NormalForm
from metadata.package import build, open_zip

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
CODE = "public class Pricing {\n    a;\n    b;\n    c;\n}\n"


def pricing(name: str = "Pricing", text: str = CODE) -> NormalForm:
    """An Apex class, called as somebody spells it."""
    files = {f"classes/{name}.cls": text.encode(), f"classes/{name}.cls-meta.xml": b"<ApexClass/>"}
    return NormalForm({ComponentKey("ApexClass", name): files})


def component(files: dict[str, str], name: str = "panel") -> NormalForm:
    """A web component with these files."""
    held = {f"lwc/{name}/{path}": text.encode() for path, text in files.items()}
    return NormalForm({ComponentKey("LightningComponentBundle", name): held})


def region(owner: str, name: str, label: str = "Region") -> NormalForm:
    """An object with one field."""
    own = f"<CustomObject {NS}><label>Deal</label></CustomObject>"
    field = f"<CustomField {NS}><fullName>{name}</fullName><label>{label}</label></CustomField>"
    path = f"objects/{owner}.object"
    return NormalForm(
        {
            ComponentKey("CustomObject", owner): {path: xml.canonical(xml.parse(own.encode(), ""))},
            ComponentKey("CustomField", f"{owner}.{name}"): {
                CHILD: xml.canonical(xml.parse(field.encode(), ""))
            },
        }
    )


def changed(held: NormalForm, old: str, new: str) -> NormalForm:
    """A form with one text instead of another."""
    return NormalForm(
        {
            key: {path: text.replace(old.encode(), new.encode()) for path, text in files.items()}
            for key, files in held.items()
        }
    )


def taking(name: str) -> Callable[[ComponentKey, ElementConflict], str]:
    """A person who takes that name."""
    return lambda _key, _found: digest_of(name)


def packaged(result: Composition) -> dict[str, bytes]:
    """What is deployed; it is refused where two names are spelled alike."""
    assert not result.conflicts
    return open_zip(build(result.form, "62.0", [key for key, _who in result.removed]).zip_bytes)


def test_class_that_one_respells_and_another_changes_is_one_class_with_both() -> None:
    held = pricing()
    sales = changed(pricing("PRICING"), "a;", "first;")
    parts = [
        Candidate("Sales", "v1", sales, held),
        Candidate("Service", "v1", changed(held, "c;", "third;"), held),
    ]
    result = compose(held, parts)
    files = packaged(result)
    text = CODE.replace("a;", "first;").replace("c;", "third;")
    assert files["classes/PRICING.cls"] == text.encode()
    assert [path for path in files if path.startswith("classes/")] == [
        "classes/PRICING.cls",
        "classes/PRICING.cls-meta.xml",
    ]
    assert not result.removed
    [(key, teams)] = result.merged
    assert (key.name, teams) == ("PRICING", ("Sales", "Service"))


def test_class_that_is_only_respelled_keeps_what_another_changed() -> None:
    held = pricing()
    service = Candidate("Service", "v1", changed(held, "c;", "third;"), held)
    parts = [Candidate("Sales", "v1", pricing("PRICING"), held), service]
    assert b"third;" in packaged(compose(held, parts))["classes/PRICING.cls"]


def test_who_still_spells_it_as_before_does_not_undo_a_newer_spelling() -> None:
    before = pricing()
    sales = Candidate("Sales", "v1", changed(before, "a;", "first;"), before)
    files = packaged(compose(pricing("PRICING"), [sales]))
    assert b"first;" in files["classes/PRICING.cls"]


def test_two_new_spellings_are_for_a_person() -> None:
    held = pricing()
    parts = [
        Candidate("Sales", "v1", pricing("PRICING"), held),
        Candidate("Service", "v1", pricing("pricing"), held),
    ]
    [conflict] = compose(held, parts).conflicts
    assert words.sentence(conflict.key, conflict.elements[0]) == (
        "Apex class Pricing: upper and lower case of the name: team Sales says PRICING, "
        "team Service says pricing"
    )
    for name in ("PRICING", "pricing", "Pricing"):
        result = compose(held, parts, decide=taking(name))
        assert set(packaged(result)) >= ({f"classes/{name}.cls"} if name != "Pricing" else set())


def test_respelled_object_takes_the_fields_of_others_along() -> None:
    held = region("Deal__c", "Region__c")
    service = {**held, **region("Deal__c", "Area__c")}
    parts = [
        Candidate("Sales", "v1", region("DEAL__c", "Region__c"), held),
        Candidate("Service", "v1", NormalForm(service), held),
    ]
    files = packaged(compose(held, parts))
    text = files["objects/DEAL__c.object"]
    assert [name for name in (b"Deal</", b"Region__c<", b"Area__c<") if name not in text] == []
    assert sum(path.startswith("objects/") for path in files) == 1


def test_field_respelled_by_one_and_labelled_by_another_is_one_field() -> None:
    held = region("Deal__c", "Region__c")
    parts = [
        Candidate("Sales", "v1", region("Deal__c", "REGION__c"), held),
        Candidate("Service", "v1", region("Deal__c", "Region__c", "Area"), held),
    ]
    result = compose(held, parts)
    assert [key.name for key in result.form if key.type == "CustomField"] == ["Deal__c.REGION__c"]
    text = packaged(result)["objects/Deal__c.object"]
    assert (text.count(b"<fields>"), b"<label>Area</label>" in text) == (1, True)


def test_file_of_a_bundle_respelled_by_one_and_changed_by_another_is_one_file() -> None:
    held = component({"panel.js": "x", "Helper.js": "a\nb\nc\n"})
    parts = [
        Candidate("Sales", "v1", component({"panel.js": "x", "helper.js": "a\nb\nc\n"}), held),
        Candidate("Service", "v1", component({"panel.js": "x", "Helper.js": "a\nb\nC\n"}), held),
    ]
    assert packaged(compose(held, parts))["lwc/panel/helper.js"] == b"a\nb\nC\n"
    parts.append(
        Candidate("Ops", "v1", component({"panel.js": "x", "HELPER.js": "a\nb\nc\n"}), held)
    )
    [conflict] = compose(held, parts).conflicts
    [element] = conflict.elements
    assert words.place(element) == "upper and lower case of Helper.js"

    def pick(_key: ComponentKey, found: ElementConflict) -> str:
        return found.sides[1].digest

    assert "lwc/panel/helper.js" in packaged(compose(held, parts, decide=pick))


def test_team_with_both_spellings_is_refused_by_name() -> None:
    both = NormalForm({**pricing(), **pricing("PRICING")})
    with pytest.raises(InvalidInput, match="Sales brings ApexClass") as refused:
        compose(pricing(), [Candidate("Sales", "v1", both)])
    assert refused.value.code == "package.case_collision"
