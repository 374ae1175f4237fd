"""Describe custom objects and what belongs to them: fields, rules, list views, record types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demo.content.components import Component, Declared, declared
from demo.content.xml import Body, Element


def custom_object(
    name: str, label: str, plural: str, *, about: str, number_format: str | None = None
) -> Declared:
    """Describe a custom object named by text, or by an automatic number of the given format."""
    name_field: Body = (
        (("displayFormat", number_format), ("label", f"{label} Number"), ("type", "AutoNumber"))
        if number_format
        else (("label", f"{label} Name"), ("type", "Text"))
    )
    body: Body = (
        ("deploymentStatus", "Deployed"),
        ("description", about),
        ("enableActivities", True),
        ("enableBulkApi", True),
        ("enableFeeds", False),
        ("enableHistory", True),
        ("enableReports", True),
        ("enableSearch", True),
        ("enableSharing", True),
        ("enableStreamingApi", True),
        ("label", label),
        ("nameField", name_field),
        ("pluralLabel", plural),
        ("sharingModel", "ReadWrite"),
        ("visibility", "Public"),
    )
    return declared("CustomObject", name, body)


def field(path: str, label: str, type_: str, *more: Element) -> Declared:
    """Describe a field `Object.Field__c`; `more` adds elements of its type."""
    body: Body = (("fullName", path.split(".", 1)[1]), ("label", label), ("type", type_), *more)
    return declared("CustomField", path, body)


def text(path: str, label: str, length: int = 80, *, required: bool = False) -> Declared:
    """Describe a line of text."""
    return field(path, label, "Text", ("length", length), ("required", required), ("unique", False))


def note(path: str, label: str) -> Declared:
    """Describe a long text."""
    return field(path, label, "LongTextArea", ("length", 32768), ("visibleLines", 4))


def number(path: str, label: str, *, scale: int = 0) -> Declared:
    """Describe a number of up to 18 digits."""
    return field(path, label, "Number", ("precision", 18), ("scale", scale), ("required", False))


def currency(path: str, label: str) -> Declared:
    """Describe an amount of money."""
    return field(path, label, "Currency", ("precision", 18), ("scale", 2), ("required", False))


def percent(path: str, label: str) -> Declared:
    """Describe a percentage with two places."""
    return field(path, label, "Percent", ("precision", 5), ("scale", 2), ("required", False))


def date(path: str, label: str) -> Declared:
    """Describe a date."""
    return field(path, label, "Date", ("required", False))


def moment(path: str, label: str) -> Declared:
    """Describe a date with a time of day."""
    return field(path, label, "DateTime", ("required", False))


def checkbox(path: str, label: str) -> Declared:
    """Describe a tick box that starts empty."""
    return field(path, label, "Checkbox", ("defaultValue", False))


def picklist(path: str, label: str, values: Sequence[str]) -> Declared:
    """Describe a choice of values; the first one is the default."""
    entries: Body = tuple(
        ("value", (("fullName", value), ("default", value == values[0]), ("label", value)))
        for value in values
    )
    definition: Body = (("sorted", False), *entries)
    return field(
        path,
        label,
        "Picklist",
        ("required", False),
        ("valueSet", (("restricted", True), ("valueSetDefinition", definition))),
    )


def formula(path: str, label: str, type_: str, expression: str) -> Declared:
    """Describe a calculated field."""
    precision = (("precision", 18), ("scale", 2)) if type_ in {"Number", "Currency"} else ()
    blank = ("formulaTreatBlanksAs", "BlankAsZero")
    return field(path, label, type_, ("formula", expression), blank, *precision)


def lookup(path: str, label: str, to: str, children: str) -> Declared:
    """Describe a reference to another object that may stay empty."""
    return field(
        path,
        label,
        "Lookup",
        ("deleteConstraint", "SetNull"),
        ("referenceTo", to),
        ("relationshipLabel", children.replace("_", " ")),
        ("relationshipName", children),
        ("required", False),
    )


def master(path: str, label: str, to: str, children: str) -> Declared:
    """Describe a reference to the object that owns the record."""
    return field(
        path,
        label,
        "MasterDetail",
        ("referenceTo", to),
        ("relationshipLabel", children.replace("_", " ")),
        ("relationshipName", children),
        ("relationshipOrder", 0),
        ("reparentableMasterDetail", False),
        ("writeRequiresMasterRead", False),
    )


def rule(path: str, condition: str, message: str, *, beside: str | None = None) -> Declared:
    """Describe a validation rule `Object.Rule`: when the condition holds, saving is refused."""
    body: Body = (
        ("fullName", path.split(".", 1)[1]),
        ("active", True),
        ("errorConditionFormula", condition),
        ("errorDisplayField", beside),
        ("errorMessage", message),
    )
    return declared("ValidationRule", path, body)


def list_view(
    path: str, label: str, columns: Sequence[str], *filters: tuple[str, str, str]
) -> Declared:
    """Describe a list view; a filter is (field, operation, value)."""
    body: Body = (
        ("fullName", path.split(".", 1)[1]),
        *(("columns", column) for column in columns),
        ("filterScope", "Everything"),
        *(
            ("filters", (("field", name), ("operation", operation), ("value", value)))
            for name, operation, value in filters
        ),
        ("label", label),
    )
    return declared("ListView", path, body)


def record_type(path: str, label: str, about: str) -> Declared:
    """Describe a record type."""
    body: Body = (
        ("fullName", path.split(".", 1)[1]),
        ("active", True),
        ("description", about),
        ("label", label),
    )
    return declared("RecordType", path, body)


def compact_layout(path: str, label: str, fields: Sequence[str]) -> Declared:
    """Describe the few fields shown on top of a record."""
    body: Body = (
        ("fullName", path.split(".", 1)[1]),
        *(("fields", name) for name in fields),
        ("label", label),
    )
    return declared("CompactLayout", path, body)


def fields_of(components: Iterator[Component] | Sequence[Component]) -> tuple[str, ...]:
    """Name the custom fields among the components as `Object.Field__c`."""
    return tuple(one.key.name for one in components if one.key.type == "CustomField")
