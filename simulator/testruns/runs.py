"""Start test runs: all is decided at the start, and shown as the time goes on.

A run is one record of the simulator's own (ApexTestRun); the objects that clients query are made
of it. Runs of deployments that went through leave their coverage in the same way.
"""

from dataclasses import dataclass
from typing import Any

from simulator import ids
from simulator.apex import testing
from simulator.catalogue import holdings
from simulator.context import Context
from simulator.deploys import planning
from simulator.deploys.view import View
from simulator.rest import store
from simulator.transport.messages import Refused, Response, as_json
from simulator.world import Org, World

RUN = "ApexTestRun"
QUEUE_SECONDS = 0.5
_LEVELS = ("RunLocalTests", "RunAllTestsInOrg", "RunSpecifiedTests")
_NOTHING = "Always provide a classes, suites, tests, or testLevel property."


@dataclass(frozen=True, slots=True)
class Wanted:
    """The classes to run (None: all) and for some of them only these methods, in lower case."""

    classes: set[str] | None
    methods: dict[str, set[str]]

    def has(self, result: testing.TestResult) -> bool:
        """Say whether a method is to be run."""
        chosen = self.methods.get(result.class_name.lower())
        return chosen is None or result.method.lower() in chosen


def asynchronously(context: Context) -> Response:
    """Answer POST tooling/runTestsAsynchronous: the id of the job."""
    org, person = context.caller.org, context.caller.person
    given = _body(context)
    classes, run = _run(context.world, org, _wanted(context, given))
    scaled = context.world.clock.scaled
    moment = begun = context.world.clock.now() + scaled(QUEUE_SECONDS)
    listed = []
    for name, identifier in classes.items():
        own = [r for r in run.results if r.class_name.lower() == name]
        if not own:
            continue
        begins, moment = moment, moment + scaled(sum(r.seconds for r in own))
        listed.append(
            {
                "id": identifier, "queue": context.world.store.new_id("709"), "begins": begins,
                "ends": moment, "results": [_kept(context.world, result) for result in own],
            }
        )  # fmt: skip
    job = context.world.store.new_id("707")
    fields = {
        "job": job, "result": context.world.store.new_id("05m"), "begins": begun, "ends": moment,
        "all": given.get("testLevel") in _LEVELS[:2], "classes": listed, "aborted": None,
        "coverage": [] if given.get("skipCodeCoverage") is True else _coverage(run),
    }  # fmt: skip
    store.add(context.world, org.id, person.id, RUN, fields)
    return as_json(job, effect=f"test run {job} started")


def synchronously(context: Context) -> Response:
    """Answer POST tooling/runTestsSynchronous: the results at once."""
    org = context.caller.org
    given = _body(context)
    classes, run = _run(context.world, org, _wanted(context, given))
    skip = given.get("skipCodeCoverage") is True
    failures = [r for r in run.results if not r.passed]
    answer = {
        "successes": [_shown(r, classes) for r in run.results if r.passed],
        "failures": [
            {**_shown(r, classes), "message": r.message, "stackTrace": _stack(r), "type": "Class",
             "packageName": r.class_name}
            for r in failures
        ],
        "numFailures": len(failures),
        "numTestsRun": len(run.results),
        "totalTime": round(sum(r.seconds for r in run.results) * 1000),
        "apexLogId": None,
        "codeCoverage": [] if skip else [_counted(c) for c in run.coverage],
        "codeCoverageWarnings": [],
    }  # fmt: skip
    return as_json(answer)


def note(world: World, org: str, person: str, coverage: list[dict[str, Any]]) -> None:
    """Keep the coverage that a deployment's tests measured, once it has gone through."""
    now = world.clock.now()
    fields = {"job": "", "begins": now, "ends": now, "classes": [], "coverage": coverage,
              "aborted": None}  # fmt: skip
    store.add(world, org, person, RUN, fields)


def abort(context: Context, given: dict[str, Any]) -> Response:
    """Answer PATCH of an ApexTestQueueItem: Aborted ends its whole run here."""
    if given != {"Status": "Aborted"}:
        raise Refused(400, "INVALID_FIELD", "Only Status can be set, to Aborted.", ["Status"])
    now = context.world.clock.now()
    for record in store.of_kind(context.world, context.caller.org.id, RUN):
        queued = [entry["queue"] for entry in record.fields["classes"]]
        if any(ids.same_id(queue, context.arguments["id"]) for queue in queued):
            if record.fields["ends"] > now:
                store.change(context.world, record, aborted=now)
            return Response(204, effect=f"test run {record.fields['job']} aborted")
    raise Refused(404, "NOT_FOUND", "invalid cross reference id")


def _body(context: Context) -> dict[str, Any]:
    try:
        given = context.request.json()
    except ValueError as error:
        raise Refused(400, "JSON_PARSER_ERROR", f"Unexpected content: {error}") from error
    if isinstance(given, list):
        given = {"tests": given}
    if not isinstance(given, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "An object is expected")
    return given


def _wanted(context: Context, given: dict[str, Any]) -> Wanted:
    held = holdings.of_type(context.world, context.caller.org.id, "ApexClass")
    by_id = {c.id[: ids.LIMIT_15]: c.name.lower() for c in held}
    names = {c.name.lower() for c in held}
    classes: set[str] = set()
    methods: dict[str, set[str]] = {}
    for key in ("classNames", "classids", "classIds"):
        classes |= {n.strip().lower() for n in str(given.get(key) or "").split(",") if n.strip()}
    for entry in given.get("tests") or []:
        name = str(entry.get("className") or entry.get("classId") or "").lower()
        name = by_id.get(str(entry.get("classId") or "")[: ids.LIMIT_15], name)
        classes.add(name)
        if entry.get("testMethods"):
            methods.setdefault(name, set()).update(m.lower() for m in entry["testMethods"])
    classes = {by_id.get(_of_case(name, by_id), name) for name in classes}
    if classes:
        for missing in sorted(classes - names):
            text = (
                f"This class name's value is invalid: {missing}. Provide the name of an Apex class"
                " that has test methods."
            )
            raise Refused(400, "INVALID_INPUT", text)
        return Wanted(classes, methods)
    if given.get("testLevel") not in _LEVELS[:2]:
        raise Refused(400, "INVALID_INPUT", _NOTHING)
    return Wanted(None, {})


def _of_case(name: str, by_id: dict[str, str]) -> str:
    """Return the id that a lower-case one was."""
    short = name[: ids.LIMIT_15]
    return next((known for known in by_id if known.lower() == short), name)


def _run(world: World, org: Org, wanted: Wanted) -> tuple[dict[str, str], testing.Run]:
    view = View(world, org, holdings.of_org(world, org.id))
    run = testing.run(planning.sources_of(view), wanted.classes, planning.test_rules(org))
    run.results = [result for result in run.results if wanted.has(result)]
    if not run.results:
        raise Refused(400, "INVALID_INPUT", _NOTHING)
    held = holdings.of_type(world, org.id, "ApexClass")
    return {c.name.lower(): c.id for c in held}, run


def _kept(world: World, result: testing.TestResult) -> dict[str, Any]:
    return {
        "id": world.store.new_id("07M"), "method": result.method,
        "milliseconds": round(result.seconds * 1000), "message": result.message,
        "stack": _stack(result),
    }  # fmt: skip


def _stack(result: testing.TestResult) -> str | None:
    if result.passed:
        return None
    return f"Class.{result.class_name}.{result.method}: line {result.line}, column 1"


def _coverage(run: testing.Run) -> list[dict[str, Any]]:
    return [
        {"name": c.name, "kind": c.kind, "lines": list(c.lines), "missed": list(c.missed)}
        for c in run.coverage
    ]


def _shown(result: testing.TestResult, classes: dict[str, str]) -> dict[str, Any]:
    return {
        "id": classes.get(result.class_name.lower(), ""), "methodName": result.method,
        "name": result.class_name, "namespace": None, "seeAllData": False,
        "time": round(result.seconds * 1000),
    }  # fmt: skip


def _counted(coverage: testing.Coverage) -> dict[str, Any]:
    return {
        "id": "", "name": coverage.name, "namespace": None, "type": coverage.kind,
        "numLocations": len(coverage.lines), "numLocationsNotCovered": len(coverage.missed),
        "locationsNotCovered": [
            {"line": line, "column": 1, "numExecutions": 0, "time": -1} for line in coverage.missed
        ],
    }  # fmt: skip
