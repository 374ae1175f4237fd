"""Run the tests of an org in thought: which fail, how long they take, what they cover.

Coverage follows names: a member counts as executed when a running test, or a member that counts
as executed, mentions both its class and its name; a trigger when its object and a data change are
mentioned. Lines inside catch blocks are never reached. So the same code always covers the same.
"""

from dataclasses import dataclass, field

from simulator.apex.outline import BASE_SECONDS, Member, Outline

_CHANGES = {"insert", "update", "upsert", "delete", "undelete", "merge", "database"}


@dataclass(frozen=True, slots=True)
class TestResult:
    """One method's outcome; seconds are modelled."""

    __test__ = False
    class_name: str
    method: str
    seconds: float
    message: str = ""
    line: int = 0
    kind: str = "Class"

    @property
    def passed(self) -> bool:
        """Say whether the method passed."""
        return not self.message


@dataclass(frozen=True, slots=True)
class Coverage:
    """Lines of one class or trigger: all that count, and those that no test reached."""

    name: str
    kind: str
    lines: tuple[int, ...]
    missed: tuple[int, ...]

    @property
    def percent(self) -> float:
        """Covered share in percent; a source without code is fully covered."""
        return 100.0 if not self.lines else 100.0 * (1 - len(self.missed) / len(self.lines))


@dataclass(frozen=True, slots=True)
class Rule:
    """An operator's say about one test: make it fail, take longer, or fail every other time."""

    method: str
    message: str = ""
    seconds: float | None = None
    flaky: bool = False
    runs: int = 0


@dataclass(slots=True)
class Run:
    """The outcome of a whole run."""

    results: list[TestResult] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)


def run(
    sources: dict[str, Outline], wanted: set[str] | None, rules: dict[str, Rule] | None = None
) -> Run:
    """Run all test classes, or only the wanted ones, whatever their capitals.

    Sources are outlines by name; a wanted class that does not exist fails as a method without name.
    """
    found = Run()
    asked = None if wanted is None else {name.lower() for name in wanted}
    running = [
        (name, source)
        for name, source in sorted(sources.items())
        if source.tests and (asked is None or source.name.lower() in asked)
    ]
    for _, source in running:
        for member in source.tests:
            found.results.append(_result(source, member, rules or {}))
    known = {source.name.lower() for source in sources.values()}
    for missing in sorted(name for name in wanted or () if name.lower() not in known):
        found.results.append(TestResult(missing, "", 0.0, message="Class not found"))
    found.coverage = _coverage(sources, [source for _, source in running])
    return found


def _result(source: Outline, member: Member, rules: dict[str, Rule]) -> TestResult:
    label = f"{source.name}.{member.name}"
    rule = rules.get(label.lower()) or rules.get(source.name.lower())
    seconds = BASE_SECONDS * (1 + len(member.lines) / 40)
    message, line = "", 0
    if member.failure is not None:
        message, line = member.failure.message, member.failure.line
    if rule is not None:
        seconds = seconds if rule.seconds is None else rule.seconds
        if rule.message or (rule.flaky and rule.runs % 2 == 0):
            message = rule.message or "System.AssertException: Assertion Failed: flaky"
            line = member.line
    return TestResult(source.name, member.name, round(seconds, 3), message, line)


def _coverage(sources: dict[str, Outline], running: list[Outline]) -> list[Coverage]:
    seen: set[str] = set()
    for source in running:
        seen |= source.words
    reached: set[int] = set()
    plain = [s for s in sources.values() if not s.is_test and s.kind in ("class", "trigger")]
    # Helper classes for tests lead on to others, but are not measured themselves.
    waiting = [(source, member) for source in sources.values() for member in source.members]
    moved = bool(running)
    while moved:
        moved = False
        left = []
        for source, member in waiting:
            if _is_reached(source, member, seen):
                reached.add(id(member))
                seen |= member.words
                moved = True
            else:
                left.append((source, member))
        waiting = left
    return [_covered(source, reached) for source in plain]


def _is_reached(source: Outline, member: Member, seen: set[str]) -> bool:
    if source.kind == "trigger":
        return source.sobject.lower() in seen and bool(seen & _CHANGES)
    if source.name.lower() not in seen:
        return False
    name = member.name.lower()
    return name in seen or name.startswith("<") or name == member.owner


def _covered(source: Outline, reached: set[int]) -> Coverage:
    lines: set[int] = set()
    missed: set[int] = set()
    for member in source.members:
        if member.is_test:
            continue
        lines |= member.lines | member.caught
        missed |= member.caught
        if id(member) not in reached:
            missed |= member.lines
    kind = "Trigger" if source.kind == "trigger" else "Class"
    return Coverage(source.name, kind, tuple(sorted(lines)), tuple(sorted(missed & lines)))
