"""The parser of SOQL and the answers over tables."""

from typing import Any

import pytest

from simulator.rest import soql
from simulator.rest.compare import date_literal
from simulator.rest.select import Selection, Table
from simulator.transport.messages import Refused

NOW = 1_795_000_000.0
PEOPLE: list[dict[str, Any]] = [
    {"Id": "005000000000001AAA", "Name": "Ann", "Age": 30, "Active": True, "BossId": None,
     "Skills": "a;b", "At": "2026-11-17T10:00:00.000+0000"},
    {"Id": "005000000000002AAA", "Name": "bob", "Age": 41, "Active": False,
     "BossId": "005000000000001AAA", "Skills": "b", "At": "2026-11-01T10:00:00.000+0000"},
    {"Id": "005000000000003AAA", "Name": "Cy", "Age": None, "Active": True,
     "BossId": "005000000000002AAA", "Skills": None, "At": None},
]  # fmt: skip
PETS: list[dict[str, Any]] = [
    {"Id": "a00000000000001AAA", "Kind": "cat", "OwnerId": "005000000000001AAA"},
    {"Id": "a00000000000002AAA", "Kind": "dog", "OwnerId": "005000000000001AAA"},
]
PET = Table("Pet", {"Id": "id", "Kind": "string", "OwnerId": "id"}, lambda: PETS)
TABLE = Table(
    "Person",
    {"Id": "id", "Name": "string", "Age": "int", "Active": "boolean", "BossId": "id",
     "Skills": "string", "At": "datetime"},
    lambda: PEOPLE,
    {"Boss": ("Person", "BossId")},
    children={"Pets": ("Pet", "OwnerId")},
)  # fmt: skip


def find(name: str) -> Table | None:
    return {"person": TABLE, "pet": PET}.get(name.lower())


def names(where: str) -> list[str]:
    records, *_ = Selection(" ".join(("SELECT Name FROM Person", where)), find, NOW).run()
    return [record["Name"] for record in records]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("WHERE Age > 30", ["bob"]),
        ("WHERE age >= 30 AND active = TRUE", ["Ann"]),
        ("WHERE Name = 'ANN' OR Name LIKE 'c_'", ["Ann", "Cy"]),
        ("WHERE NOT Active = true", ["bob"]),
        ("WHERE (Age = null) OR (Name IN ('bob','x'))", ["bob", "Cy"]),
        ("WHERE Name NOT IN ('Ann')", ["bob", "Cy"]),
        ("WHERE Skills INCLUDES ('a;b','z')", ["Ann"]),
        ("WHERE Skills EXCLUDES ('b')", ["Cy"]),
        ("WHERE BossId = '005000000000001'", ["bob"]),
        ("WHERE Boss.Name = 'bob'", ["Cy"]),
        ("WHERE Boss.Boss.Name = 'Ann'", ["Cy"]),
        ("WHERE At >= 2026-11-10T00:00:00Z", ["Ann"]),
        ("WHERE At = 2026-11-17", ["Ann"]),
        ("WHERE At = LAST_N_DAYS:7", ["Ann"]),
        ("WHERE Id IN (SELECT BossId FROM Person WHERE Name = 'Cy')", ["bob"]),
        ("ORDER BY Age DESC NULLS LAST", ["bob", "Ann", "Cy"]),
        ("ORDER BY Age", ["Cy", "Ann", "bob"]),
        ("ORDER BY Name LIMIT 1 OFFSET 1", ["bob"]),
    ],
)
def test_a_condition_selects(where: str, found: list[str]) -> None:
    assert names(where) == found


def test_answers_are_spelt_canonically_and_follow_relations() -> None:
    records, *_ = Selection("select id, boss.NAME from person where name='bob'", find, NOW).run()
    assert records == [
        {
            "attributes": {
                "type": "Person",
                "url": "/services/data/v{version}/sobjects/Person/005000000000002AAA",
            },
            "Id": "005000000000002AAA",
            "Boss": {
                "attributes": {
                    "type": "Person",
                    "url": "/services/data/v{version}/sobjects/Person/005000000000001AAA",
                },
                "Name": "Ann",
            },
        }
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT COUNT(Id) FROM Person", [{"expr0": 3}]),
        ("SELECT MIN(Age) low, MAX(Age) FROM Person", [{"low": 30, "expr0": 41}]),
        (
            "SELECT Active, COUNT(Id) n FROM Person GROUP BY Active",
            [{"Active": True, "n": 2}, {"Active": False, "n": 1}],
        ),
        (
            "SELECT Active, COUNT(Id) FROM Person GROUP BY Active ORDER BY COUNT(Id) LIMIT 1",
            [{"Active": False, "expr0": 1}],
        ),
        (
            "SELECT Name, MAX(Age) top FROM Person GROUP BY Name ORDER BY Name DESC LIMIT 2",
            [{"Name": "bob", "top": 41}, {"Name": "Cy", "top": None}],
        ),
    ],
)
def test_aggregates(text: str, rows: list[dict[str, Any]]) -> None:
    _, total, grouped, *_ = Selection(text, find, NOW).run()
    assert grouped == [{"attributes": {"type": "AggregateResult"}, **row} for row in rows]
    assert total == len(rows)


def test_dates_are_grouped_by_their_parts() -> None:
    text = (
        "SELECT CALENDAR_MONTH(At), DAY_ONLY(At) day, COUNT(Id) FROM Person WHERE At != null"
        " GROUP BY CALENDAR_MONTH(At), DAY_ONLY(At) ORDER BY DAY_ONLY(At)"
    )
    _, _, groups, *_ = Selection(text, find, NOW).run()
    assert [list(group.items())[1:] for group in groups or []] == [
        [("expr0", 11), ("day", "2026-11-01"), ("expr1", 1)],
        [("expr0", 11), ("day", "2026-11-17"), ("expr1", 1)],
    ]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("WHERE DAY_ONLY(At) = 2026-11-17", ["Ann"]),
        ("WHERE DAY_IN_WEEK(At) = 1", ["bob"]),
        ("WHERE HOUR_IN_DAY(At) >= 10 AND WEEK_IN_YEAR(At) > 45", ["Ann"]),
    ],
)
def test_parts_of_dates_in_conditions(where: str, found: list[str]) -> None:
    assert names(where) == found


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("SELECT Id FROM Nest WHERE Gone = 1", "No such column 'Gone'"),
        ("SELECT Id FROM Nest ORDER BY Gone", "No such column 'Gone'"),
        ("SELECT CALENDAR_YEAR(At) FROM Person", "must be grouped"),
        ("SELECT Id FROM Person WHERE SOUNDEX(Name) = 'x'", "Unknown function: soundex"),
    ],
)
def test_names_are_checked_without_any_record(text: str, word: str) -> None:
    def nest(name: str) -> Table | None:
        return Table("Nest", {"Id": "id"}, list) if name == "Nest" else find(name)

    with pytest.raises(Refused) as refusal:
        Selection(text, nest, NOW).run()
    assert word in refusal.value.message


def test_a_bare_count_has_no_records() -> None:
    records, total, grouped, *_ = Selection("SELECT count() FROM Person", find, NOW).run()
    assert (records, total, grouped) == ([], 3, None)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported."),
        ("SELECT Nope FROM Person", "INVALID_FIELD", "No such column 'Nope' on entity 'Person'."),
        ("SELECT X.Name FROM Person", "INVALID_FIELD", "Didn't understand relationship 'X'"),
        ("SELECT Id FROM Person WHERE Age = 'x'", "INVALID_FIELD", "should be of type int"),
        (
            "SELECT Active FROM Person HAVING COUNT(Id) > 1",
            "MALFORMED_QUERY",
            "unexpected token: 'HAVING'",
        ),
        ("SELECT FROM Person", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Person WHERE", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        ("SELECT Id FROM Person LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Person WHERE Name = 'a", "MALFORMED_QUERY", "unexpected token"),
        (
            "SELECT Id FROM Person WHERE Age = 1 AND Age = 2 OR Age = 3",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
    ],
)
def test_a_faulty_query_is_refused_as_the_platform_does(text: str, code: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        Selection(text, find, NOW).run()
    assert refused.value.code == code
    assert words in refused.value.message


def test_a_refusal_points_at_the_place() -> None:
    with pytest.raises(Refused, match="ERROR at Row:1:Column:12"):
        Selection("SELECT Id, Nope FROM Person", find, NOW).run()


def test_quotes_and_backslashes_are_unescaped() -> None:
    query = soql.parse(r"SELECT Id FROM Person WHERE Name = 'O\'Hara \\ co'")
    assert isinstance(query.where, soql.Comparison)
    assert query.where.values[0].text == r"O'Hara \ co"


@pytest.mark.parametrize("word", ["TODAY", "YESTERDAY", "THIS_WEEK", "LAST_WEEK", "THIS_MONTH"])
def test_date_literals_span_forward(word: str) -> None:
    span = date_literal(word, NOW)
    assert span is not None
    assert span[0] < span[1]


def test_an_unknown_word_is_no_date_literal() -> None:
    assert date_literal("SOMEDAY", NOW) is None


def grouped(text: str) -> list[dict[str, Any]]:
    _, _, groups, _, _ = Selection(text, find, NOW).run()
    assert groups is not None
    return [{k: v for k, v in group.items() if k != "attributes"} for group in groups]


def test_groups_pass_having() -> None:
    text = "SELECT Active, COUNT(Id) n FROM Person GROUP BY Active HAVING COUNT(Id) > 1"
    assert grouped(text) == [{"Active": True, "n": 2}]
    text = "SELECT Active FROM Person GROUP BY Active HAVING Active = false AND MAX(Age) > 40"
    assert grouped(text) == [{"Active": False}]


def test_a_column_beside_an_aggregate_has_to_be_grouped() -> None:
    with pytest.raises(Refused) as refused:
        grouped("SELECT Name, COUNT(Id) FROM Person GROUP BY Active")
    assert refused.value.message.endswith("Field must be grouped or aggregated: Name")


def test_child_subqueries() -> None:
    text = "SELECT Name, (SELECT Kind FROM pets WHERE Kind != 'dog') FROM Person WHERE Age > 0"
    records, *_ = Selection(text, find, NOW).run()
    (pet,) = records[0]["Pets"]["records"]
    assert (records[0]["Name"], pet["Kind"], records[1]["Pets"]) == ("Ann", "cat", None)
    with pytest.raises(Refused) as refused:
        Selection("SELECT (SELECT Id FROM Gone) FROM Person", find, NOW).run()
    assert "Didn't understand relationship 'Gone' in FROM part" in refused.value.message
