"""The objects that clients query about test runs and coverage, made of the runs at this moment."""

from collections.abc import Callable
from typing import Any

from simulator import ids
from simulator.apex import testing
from simulator.catalogue import holdings
from simulator.clock import rest_time
from simulator.deploys import planning
from simulator.deploys.view import View
from simulator.rest import store
from simulator.rest.select import Record, Table
from simulator.testruns.runs import RUN
from simulator.world import Org, World

_COVERED = {
    "Id": "id", "ApexClassOrTriggerId": "id", "NumLinesCovered": "int", "NumLinesUncovered": "int",
    "Coverage": "json",
}  # fmt: skip
COLUMNS: dict[str, dict[str, str]] = {
    "ApexTestRunResult": {
        "Id": "id", "AsyncApexJobId": "id", "Status": "string", "StartTime": "datetime",
        "EndTime": "datetime", "TestTime": "int", "TestSetupTime": "int", "ClassesEnqueued": "int",
        "ClassesCompleted": "int", "MethodsEnqueued": "int", "MethodsCompleted": "int",
        "MethodsFailed": "int", "IsAllTests": "boolean", "JobName": "string", "Source": "string",
        "UserId": "id", "CreatedDate": "datetime",
    },
    "ApexTestQueueItem": {
        "Id": "id", "ApexClassId": "id", "Status": "string", "ExtendedStatus": "string",
        "ParentJobId": "id", "TestRunResultId": "id", "CreatedDate": "datetime",
    },
    "ApexTestResult": {
        "Id": "id", "QueueItemId": "id", "AsyncApexJobId": "id", "ApexClassId": "id",
        "ApexTestRunResultId": "id", "MethodName": "string", "Outcome": "string",
        "Message": "string", "StackTrace": "string", "RunTime": "int", "TestTimestamp": "datetime",
        "ApexLogId": "id", "IsTestSetup": "boolean",
    },
    "ApexTestResultLimits": {
        "Id": "id", "ApexTestResultId": "id", "LimitContext": "string", "LimitExceptions": "string",
        **dict.fromkeys(("AsyncCalls", "Callouts", "Cpu", "Dml", "DmlRows", "Email", "MobilePush",
                         "QueryRows", "Soql", "Sosl"), "int"),
    },
    "AsyncApexJob": {
        "Id": "id", "Status": "string", "JobType": "string", "TotalJobItems": "int",
        "JobItemsProcessed": "int", "NumberOfErrors": "int", "CreatedDate": "datetime",
        "CompletedDate": "datetime", "CreatedById": "id",
    },
    "ApexCodeCoverageAggregate": _COVERED,
    "ApexCodeCoverage": {**_COVERED, "ApexTestClassId": "id", "TestMethodName": "string"},
    "ApexOrgWideCoverage": {"Id": "id", "PercentCovered": "int"},
    "Name": {"Id": "id", "Name": "string", "NamespacePrefix": "string"},
}  # fmt: skip
_RELATIONS = {
    "ApexTestQueueItem": {"ApexClass": ("ApexClass", "ApexClassId")},
    "ApexTestResult": {"ApexClass": ("ApexClass", "ApexClassId")},
    "ApexCodeCoverageAggregate": {"ApexClassOrTrigger": ("Name", "ApexClassOrTriggerId")},
    "ApexCodeCoverage": {"ApexClassOrTrigger": ("Name", "ApexClassOrTriggerId")},
}


def find(world: World, org: Org, key: str) -> Table | None:
    """Return the table of that lower-case name, if it is one of these."""
    runs = _Runs(world, org)
    rows: dict[str, Callable[[], list[Record]]] = {
        "ApexTestRunResult": runs.summaries,
        "ApexTestQueueItem": runs.items,
        "ApexTestResult": runs.results,
        "ApexTestResultLimits": runs.limits,
        "AsyncApexJob": runs.jobs,
        "ApexCodeCoverageAggregate": runs.aggregate,
        "ApexCodeCoverage": runs.by_test,
        "ApexOrgWideCoverage": runs.whole,
        "Name": runs.names,
    }
    name = next((n for n in rows if n.lower() == key), None)
    if name is None:
        return None
    children = {"ApexTestResults": ("ApexTestResultLimits", "ApexTestResultId")}
    return Table(
        name,
        COLUMNS[name],
        rows[name],
        _RELATIONS.get(name, {}),
        tooling=True,
        children=children if name == "ApexTestResult" else {},
    )


class _Runs:
    def __init__(self, world: World, org: Org) -> None:
        self.world = world
        self.org = org
        self.now = world.clock.now()

    def runs(self) -> list[store.Record]:
        found = store.of_kind(self.world, self.org.id, RUN)
        return [record for record in found if record.fields["job"]]

    def moment(self, run: dict[str, Any]) -> float:
        """Return up to when a run got."""
        return float(run["aborted"] or self.now)

    def status(self, run: dict[str, Any]) -> str:
        if run["aborted"]:
            return "Aborted"
        if self.now < run["begins"]:
            return "Queued"
        return "Processing" if self.now < run["ends"] else "Completed"

    def summaries(self) -> list[Record]:
        return [self.summary(record) for record in self.runs()]

    def summary(self, record: store.Record) -> Record:
        run = record.fields
        until = self.moment(run)
        done = [entry for entry in run["classes"] if entry["ends"] <= until]
        methods = [result for entry in done for result in entry["results"]]
        enqueued = sum(len(entry["results"]) for entry in run["classes"])
        over = run["aborted"] or (run["ends"] if self.now >= run["ends"] else None)
        return {
            "Id": run["result"], "AsyncApexJobId": run["job"], "Status": self.status(run),
            "StartTime": rest_time(run["begins"]), "EndTime": rest_time(over),
            "TestTime": sum(result["milliseconds"] for result in methods), "TestSetupTime": 0,
            "ClassesEnqueued": len(run["classes"]), "ClassesCompleted": len(done),
            "MethodsEnqueued": enqueued, "MethodsCompleted": len(methods),
            "MethodsFailed": sum(1 for result in methods if result["message"]),
            "IsAllTests": run["all"], "JobName": None, "Source": "API",
            "UserId": record.modified_by, "CreatedDate": rest_time(record.created_at),
        }  # fmt: skip

    def items(self) -> list[Record]:
        return [self.item(record, e) for record in self.runs() for e in record.fields["classes"]]

    def item(self, record: store.Record, entry: dict[str, Any]) -> Record:
        run = record.fields
        if entry["ends"] <= self.moment(run):
            failed = sum(1 for result in entry["results"] if result["message"])
            status = "Completed"
            extended = f"({len(entry['results']) - failed}/{len(entry['results'])})"
        else:
            started = self.moment(run) >= entry["begins"]
            status = "Aborted" if run["aborted"] else "Processing" if started else "Queued"
            extended = None
        return {
            "Id": entry["queue"], "ApexClassId": entry["id"], "Status": status,
            "ExtendedStatus": extended, "ParentJobId": run["job"],
            "TestRunResultId": run["result"], "CreatedDate": rest_time(record.created_at),
        }  # fmt: skip

    def results(self) -> list[Record]:
        return [
            {
                "Id": result["id"], "QueueItemId": entry["queue"], "ApexClassId": entry["id"],
                "AsyncApexJobId": record.fields["job"], "MethodName": result["method"],
                "ApexTestRunResultId": record.fields["result"],
                "Outcome": "Fail" if result["message"] else "Pass",
                "Message": result["message"] or None, "StackTrace": result["stack"],
                "RunTime": result["milliseconds"], "TestTimestamp": rest_time(entry["ends"]),
                "ApexLogId": None, "IsTestSetup": False,
            }
            for record in self.runs()
            for entry in record.fields["classes"]
            if entry["ends"] <= self.moment(record.fields)
            for result in entry["results"]
        ]  # fmt: skip

    def limits(self) -> list[Record]:
        """Return what each method used of its limits: nothing is executed, so only time counts."""
        nothing = dict.fromkeys(COLUMNS["ApexTestResultLimits"], 0)
        return [
            {
                **nothing, "Id": ids.numbered("05n", number), "ApexTestResultId": result["Id"],
                "LimitContext": "SYNC", "LimitExceptions": None, "Cpu": result["RunTime"],
            }
            for number, result in enumerate(self.results(), 1)
        ]  # fmt: skip

    def jobs(self) -> list[Record]:
        return [
            {
                "Id": row["AsyncApexJobId"], "Status": row["Status"], "JobType": "TestRequest",
                "TotalJobItems": row["ClassesEnqueued"], "NumberOfErrors": row["MethodsFailed"],
                "JobItemsProcessed": row["ClassesCompleted"], "CreatedDate": row["CreatedDate"],
                "CompletedDate": row["EndTime"], "CreatedById": row["UserId"],
            }
            for row in self.summaries()
        ]  # fmt: skip

    def measured(self) -> dict[tuple[str, str], tuple[set[int], set[int]]]:
        """Return lines and missed lines: what any run over the same lines reached counts."""
        found: dict[tuple[str, str], tuple[set[int], set[int]]] = {}
        for record in store.of_kind(self.world, self.org.id, RUN):
            if record.fields["aborted"] or record.fields["ends"] > self.now:
                continue
            for entry in record.fields["coverage"]:
                key = (entry["kind"], entry["name"].lower())
                lines, missed = set(entry["lines"]), set(entry["missed"])
                before = found.get(key)
                if before is not None and before[0] == lines:
                    missed &= before[1]
                found[key] = (lines, missed)
        return found

    def sources(self) -> dict[tuple[str, str], holdings.Component]:
        kinds = {"Class": "ApexClass", "Trigger": "ApexTrigger"}
        return {
            (kind, c.name.lower()): c
            for kind, type_ in kinds.items()
            for c in holdings.of_type(self.world, self.org.id, type_)
        }

    def aggregate(self) -> list[Record]:
        held = self.sources()
        return [
            _row(held[key].id, lines, missed, number)
            for number, (key, (lines, missed)) in enumerate(sorted(self.measured().items()), 1)
            if key in held
        ]

    def by_test(self) -> list[Record]:
        """Return what each test class reaches, for the classes that were run."""
        held = self.sources()
        view = View(self.world, self.org, holdings.of_org(self.world, self.org.id))
        sources = planning.sources_of(view)
        found: list[Record] = []
        for item in {row["ApexClassId"]: row for row in self.results()}.values():
            component = next(c for c in held.values() if c.id == item["ApexClassId"])
            run = testing.run(sources, {component.name.lower()})
            for c in run.coverage:
                if len(c.missed) < len(c.lines):
                    row = _row(held[(c.kind, c.name.lower())].id, set(c.lines), set(c.missed), 1)
                    own = {"Id": ids.numbered("714", len(found) + 1)}
                    own |= {"ApexTestClassId": component.id, "TestMethodName": item["MethodName"]}
                    found.append({**row, **own})
        return found

    def whole(self) -> list[Record]:
        held = self.sources()
        kept = [value for key, value in self.measured().items() if key in held]
        lines = sum(len(entry[0]) for entry in kept)
        missed = sum(len(entry[1]) for entry in kept)
        percent = 100 * (lines - missed) // lines if lines else 0
        percent = int(self.org.options.get("coverage_percent", percent))
        return [{"Id": ids.numbered("716", 1), "PercentCovered": percent}]

    def names(self) -> list[Record]:
        return [
            {"Id": c.id, "Name": c.name, "NamespacePrefix": None} for c in self.sources().values()
        ]


def _row(identifier: str, lines: set[int], missed: set[int], number: int) -> Record:
    return {
        "Id": ids.numbered("715", number), "ApexClassOrTriggerId": identifier,
        "NumLinesCovered": len(lines) - len(missed), "NumLinesUncovered": len(missed),
        "Coverage": {
            "coveredLines": sorted(lines - missed), "uncoveredLines": sorted(missed),
        },
    }  # fmt: skip
