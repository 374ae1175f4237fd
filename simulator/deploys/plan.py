"""What a deployment would do: decided when it starts, shown piece by piece while it runs."""

from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from simulator.world import World

BASE_SECONDS = 1.0
COMPONENT_SECONDS = 0.06


@dataclass(slots=True)
class Message:
    """One component's outcome, as DeployMessage has it."""

    type: str
    name: str
    file: str
    success: bool = True
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str = ""
    problem_type: str = ""
    line: int = 0
    column: int = 0
    id: str = ""


@dataclass(slots=True)
class Test:
    """One test method's outcome."""

    __test__ = False
    class_name: str
    method: str
    seconds: float
    message: str = ""
    stack: str = ""


@dataclass(slots=True)
class Plan:
    """The whole future of a deployment; kept as JSON so that a restart finds it again.

    `writes` are [type, name, {path: hash}]; `deletes` are [type, name], before or after the writes.
    `lacks_coverage` says that the tests cover too little for a quick deploy, wherever they ran.
    """

    messages: list[Message] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    coverage: list[dict[str, Any]] = field(default_factory=list)
    coverage_warnings: list[dict[str, str]] = field(default_factory=list)
    writes: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    deletes_before: list[tuple[str, str]] = field(default_factory=list)
    deletes_after: list[tuple[str, str]] = field(default_factory=list)
    run_tests: bool = False
    test_level: str = ""
    never_ends: bool = False
    lacks_coverage: bool = False
    error_code: str = ""
    error_message: str = ""

    @property
    def component_errors(self) -> list[Message]:
        """The messages that keep the deployment from going through: errors, warnings that count."""
        return [m for m in self.messages if not m.success]

    @property
    def warnings(self) -> list[Message]:
        """The messages that only warn."""
        return [m for m in self.messages if m.problem_type == "Warning"]

    @property
    def counted(self) -> list[Message]:
        """The messages that the counters count: all but package.xml and the manifests."""
        return [m for m in self.messages if m.type or not m.success]

    @property
    def test_errors(self) -> list[Test]:
        """The tests that fail."""
        return [test for test in self.tests if test.message]

    @property
    def component_seconds(self) -> float:
        """Modelled time for the components."""
        return BASE_SECONDS + COMPONENT_SECONDS * len(self.counted)

    @property
    def test_seconds(self) -> float:
        """Modelled time for the tests."""
        return sum(test.seconds for test in self.tests)


def save(world: World, plan: Plan) -> str:
    """Keep a plan and return its hash."""
    return world.store.put_json(asdict(plan))


def load(world: World, sha: str) -> Plan:
    """Return a kept plan; plans in use are kept parsed."""
    return _load(world, sha)


@lru_cache(maxsize=512)
def _load(world: World, sha: str) -> Plan:
    raw = world.store.get_json(sha)
    raw["messages"] = [Message(**message) for message in raw["messages"]]
    raw["tests"] = [Test(**test) for test in raw["tests"]]
    raw["writes"] = [(kind, name, files) for kind, name, files in raw["writes"]]
    for name in ("deletes_before", "deletes_after"):
        raw[name] = [(kind, full) for kind, full in raw[name]]
    return Plan(**raw)
