"""What is read out of Apex: faults, tests and their fate, coverage."""

import pytest

from simulator.apex import testing
from simulator.apex.outline import outline


@pytest.mark.parametrize(
    ("source", "message", "line", "column"),
    [
        ("class A {\n  void f() {\n}", "Expecting '}' but was: '<EOF>'", 3, 2),
        ("class A { }\n}", "Unexpected token '}'.", 2, 1),
        ("class A { void f() { g(1; } }", "Missing ')' at '}'", 1, 27),
        ("class A { String s = 'abc; }", "Illegal string literal", 1, 22),
        ("class A { /* never closed }", "Unterminated comment", 1, 11),
    ],
)
def test_a_fault_is_found_at_its_place(source: str, message: str, line: int, column: int) -> None:
    fault = outline(source).faults[0]
    assert fault.message.startswith(message)
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize(
    "source",
    [
        "class A { String s = '}'; // }\n /* } */ }",
        "class A { String s = 'it\\'s }'; }",
        "class A { Map<String, List<Id>> m = new Map<String, List<Id>>{ 'a' => null }; }",
        "class A { String s = '''multi\n } line'''; }",
    ],
)
def test_braces_in_texts_and_comments_do_not_count(source: str) -> None:
    assert outline(source).faults == []


def method(body: str) -> str:
    return (
        f"@isTest private class T {{\n@IsTest(SeeAllData=false) static void m() {{\n{body}\n}}\n}}"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("System.assert(false, 'no');", "System.AssertException: Assertion Failed: no"),
        ("System.assert(false);", "System.AssertException: Assertion Failed"),
        ("Assert.fail('never');", "System.AssertException: Assertion Failed: never"),
        ("system.ASSERTEQUALS(1, 2);", "Assertion Failed: Expected: 1, Actual: 2"),
        ("Assert.areEqual('a', 'b', 'why');", "Assertion Failed: why: Expected: a, Actual: b"),
        ("System.assertNotEquals(-1, -1);", "Assertion Failed: Same value: -1"),
        ("Assert.isTrue(false, 'x');", "Assertion Failed: x"),
        ("Assert.isFalse(true);", "Assertion Failed"),
        ("throw new MyException('x');", "MyException: Script-thrown exception"),
    ],
)
def test_a_literal_assertion_that_cannot_hold_fails(body: str, message: str) -> None:
    (test,) = outline(method(f"Integer i = 0;\n{body}")).tests
    assert test.failure is not None
    assert message in test.failure.message
    assert test.failure.line == 4


@pytest.mark.parametrize(
    "body",
    [
        "System.assertEquals(1, 1);",
        "System.assertEquals(1, result);",
        "System.assert(true);",
        "try { call(); System.assert(false, 'expected'); } catch (Exception e) { }",
        "if (x) { Assert.fail('no'); }",
        "// System.assert(false);",
        "String s = 'System.assert(false);';",
    ],
)
def test_everything_else_passes(body: str) -> None:
    (test,) = outline(method(body)).tests
    assert test.failure is None


def test_old_style_test_methods_are_found_and_set_up_methods_are_not() -> None:
    source = """@isTest class T {
        @TestSetup static void data() { insert new Account(); }
        static testMethod void old() { }
        @isTest static void fresh() { }
        static void helper() { }
    }"""
    assert [test.name for test in outline(source).tests] == ["old", "fresh"]


def coverage(*sources: str) -> dict[str, float]:
    outlines = {str(number): outline(source) for number, source in enumerate(sources)}
    return {c.name: c.percent for c in testing.run(outlines, None).coverage}


A = """public class A {
    public Integer one() {
        return 1;
    }
    public Integer two() {
        return 2;
    }
}"""
B = "public class B { public void go() { new A().one(); } }"


def test_coverage_follows_what_tests_mention() -> None:
    assert coverage(A, "@isTest class T { @isTest static void m() { new A().one(); } }") == {
        "A": 50
    }


def test_coverage_reaches_through_called_classes() -> None:
    found = coverage(A, B, "@isTest class T { @isTest static void m() { new B().go(); } }")
    assert found == {"A": 50, "B": 100}


def test_coverage_reaches_through_helper_classes_of_tests() -> None:
    helper = "@isTest public class H { public static void make() { new A().two(); } }"
    found = coverage(A, helper, "@isTest class T { @isTest static void m() { H.make(); } }")
    assert found == {"A": 50}


def test_without_tests_nothing_is_covered() -> None:
    assert coverage(A) == {"A": 0}


@pytest.mark.parametrize(("statement", "percent"), [("insert a;", 100), ("a.Name = null;", 0)])
def test_a_trigger_is_covered_by_a_change_of_its_object(statement: str, percent: int) -> None:
    trigger = "trigger T on Account (before insert) { Integer i = 0; }"
    test = f"@isTest class X {{ @isTest static void m() {{ Account a; {statement} }} }}"
    assert coverage(trigger, test) == {"T": percent}


def test_catch_blocks_are_never_reached() -> None:
    source = """public class A {
        public void f() {
            try { g(); }
            catch (Exception e) {
                log(e);
            }
        }
    }"""
    test = "@isTest class T { @isTest static void m() { new A().f(); } }"
    found = testing.run({"a": outline(source), "t": outline(test)}, None).coverage[0]
    assert found.missed == (4, 5)


def test_a_rule_of_the_operator_decides() -> None:
    sources = {"t": outline(method("System.assert(true);"))}
    rule = testing.Rule("T.m", message="System.QueryException: boom", seconds=7)
    (result,) = testing.run(sources, None, {"t.m": rule}).results
    assert (result.message, result.seconds) == ("System.QueryException: boom", 7)


def test_a_wanted_class_that_does_not_exist_fails() -> None:
    (result,) = testing.run({}, {"nope"}).results
    assert (result.class_name, result.passed) == ("nope", False)
