"""Start a simulator, sign clients in, run every command that releases need, compare values."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.simulator.conformance import python, sandboxes
from tests.simulator.conformance.clients import CommandLine, Score, run_script
from tests.simulator.packages import class_with_test, manifest, text_field, xml, zipped
from tests.support.simulator import SimulatedOrg, SimulatorProcess

SPEED = 30
BROKEN = "public class Foo {\n    Gone x;\n}\n"


def main(place: Path) -> int:
    """Run everything; 0 when all values fit."""
    score = Score()
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state"
        state.mkdir()
        # Node does not resolve *.localhost: the clients speak plain http to 127.0.0.1.
        process = SimulatorProcess(state, speed=SPEED, plain=True).start()
        try:
            _all(place, process, score)
        finally:
            process.stop()
        secure = Path(directory) / "secure"
        secure.mkdir()
        process = SimulatorProcess(secure, speed=SPEED).start()
        try:
            python.run(place, process, score)
        finally:
            process.stop()
    sys.stdout.write(f"{score.passed} passed, {len(score.failed)} failed\n")
    return 1 if score.failed else 0


def _all(place: Path, process: SimulatorProcess, score: Score) -> None:
    sf = CommandLine(place, score)
    url = f"http://127.0.0.1:{process.port}"
    production = process.org(username="admin@prod.sim")
    sandbox = process.org(is_sandbox=True, username="admin@box.sim")
    key = place / "app.key"
    key.touch(mode=0o600)
    key.write_text(production.key.private_pem)
    _project(sf.project)
    _sign_in(sf, url, key, production, sandbox)
    _queries(sf, production)
    _deployments(sf, sandbox)
    _validations(sf, production)
    _retrieves(sf)
    _apex_tests(sf)
    sandboxes.run(sf, production)
    _push(sf, process, production)
    _install(sf, process, production)
    archive = place / "package.zip"
    files = {"package.xml": manifest({"ApexClass": ["*"]}), **class_with_test("Foo")}
    archive.write_bytes(zipped(files))
    other = process.org(is_sandbox=True)
    script = Path(__file__).with_name("jsforce.js")
    run_script(place, script, score, url, other.token(), str(archive))


def _project(project: Path) -> None:
    """Write a project in source format."""
    source = project / "force-app" / "main" / "default"
    files = {f"force-app/main/default/{k}": v for k, v in class_with_test("Foo").items()}
    field = text_field("A__c").replace("fields>", "CustomField>", 2)
    inner = field.partition("<CustomField>")[2].partition("</CustomField>")[0]
    thing = source / "objects" / "Thing__c"
    files |= {
        "sfdx-project.json": '{"packageDirectories":[{"path":"force-app","default":true}],'
        '"sourceApiVersion":"64.0"}',
        "broken/classes/Foo.cls": BROKEN,
        "broken/classes/Foo.cls-meta.xml": class_with_test("Foo")["classes/Foo.cls-meta.xml"],
        "destructive/package.xml": manifest({}),
        "destructive/destructiveChanges.xml": manifest({"ApexClass": ["FooTest", "Nobody"]}),
        f"{thing.relative_to(project)}/Thing__c.object-meta.xml": xml(
            "CustomObject",
            "<deploymentStatus>Deployed</deploymentStatus><label>Thing</label>"
            "<nameField><label>Name</label><type>Text</type></nameField>"
            "<pluralLabel>Things</pluralLabel><sharingModel>ReadWrite</sharingModel>",
        ),
        f"{thing.relative_to(project)}/fields/A__c.field-meta.xml": xml("CustomField", inner),
    }
    for path, text in files.items():
        target = project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def _sign_in(
    sf: CommandLine, url: str, key: Path, production: SimulatedOrg, sandbox: SimulatedOrg
) -> None:
    for alias, org in (("prod", production), ("box", sandbox)):
        sf.check(
            f"sf org login jwt, {alias}",
            ("org", "login", "jwt", "--client-id", org.client_id, "--jwt-key-file", str(key),
             "--username", org.username, "--instance-url", url, "--alias", alias),
            lambda a: (a["status"], a["result"]["orgId"]),
            (0, org.id),
        )  # fmt: skip
    sf.check(
        "sf org display",
        ("org", "display", "-o", "prod"),
        lambda a: (a["result"]["id"], a["result"]["connectedStatus"]),
        (production.id, "Connected"),
    )
    sf.check(
        "sf org login access-token",
        ("org", "login", "access-token", "--instance-url", url, "--no-prompt", "--alias", "token"),
        lambda a: a["result"]["username"],
        sandbox.username,
        SF_ACCESS_TOKEN=sandbox.token(),
    )


def _queries(sf: CommandLine, production: SimulatedOrg) -> None:
    sf.check(
        "sf data query",
        ("data", "query", "-o", "prod", "-q", "SELECT id, username FROM user"),
        lambda a: [r["Username"] for r in a["result"]["records"]],
        [production.username],
    )
    sf.check(
        "sf data query, Tooling",
        ("data", "query", "-o", "prod", "--use-tooling-api", "-q",
         "SELECT COUNT(Id) total FROM DeployRequest"),
        lambda a: a["result"]["records"][0]["total"],
        0,
    )  # fmt: skip
    sf.check(
        "sf data query of an unknown object",
        ("data", "query", "-o", "prod", "-q", "SELECT Id FROM Nope"),
        lambda a: (a["status"], a["name"]),
        (1, "INVALID_TYPE"),
    )
    sf.check(
        "sf org list metadata-types",
        ("org", "list", "metadata-types", "-o", "prod"),
        lambda a: any(e["xmlName"] == "ApexClass" for e in a["result"]["metadataObjects"]),
        True,
    )
    sf.check(
        "sf api request rest",
        ("org", "list", "limits", "-o", "prod"),
        lambda a: any(entry["name"] == "DailyApiRequests" for entry in a["result"]),
        True,
    )


def _brief(answer: dict[str, Any]) -> tuple[object, ...]:
    result = answer["result"]
    return answer["status"], result["status"], result["numberComponentsDeployed"]


def _warnings(answer: dict[str, Any]) -> list[str]:
    messages = answer["result"]["details"]["componentSuccesses"]
    return [str(message["problem"]) for message in messages if message.get("problem")]


def _deployments(sf: CommandLine, sandbox: SimulatedOrg) -> None:
    start = ("project", "deploy", "start", "-o", "box", "--source-dir")
    rest = {"SF_ORG_METADATA_REST_DEPLOY": "true"}
    sf.check("sf deploy --dry-run", (*start, "force-app", "--dry-run"), _brief, (0, "Succeeded", 4))
    listed = ("org", "list", "metadata", "-o", "box", "-m", "ApexClass")
    sf.check("nothing was written by it", listed, lambda a: a["result"], [])
    sf.check("sf deploy, SOAP", (*start, "force-app"), _brief, (0, "Succeeded", 4))
    sf.check(
        "sf deploy, REST, specified tests",
        (*start, "force-app", "-l", "RunSpecifiedTests", "-t", "FooTest"),
        lambda a: (*_brief(a), a["result"]["numberTestsCompleted"],
                   [c["name"] for c in a["result"]["details"]["runTestResult"]["codeCoverage"]]),
        (0, "Succeeded", 4, 1, ["Foo"]),
        **rest,
    )  # fmt: skip
    sf.check(
        "sf deploy of a broken class",
        (*start, "broken"),
        lambda a: (a["status"], [(f["fullName"], f["lineNumber"], f["columnNumber"], f["problem"])
                                 for f in a["result"]["details"]["componentFailures"]]),
        (1, [("Foo", 2, 5, "Invalid type: Gone")]),
    )  # fmt: skip
    sf.check(
        "sf deploy of deletions",
        ("project", "deploy", "start", "-o", "box", "--metadata-dir", "destructive",
         "--single-package", "--ignore-warnings"),
        lambda a: (a["status"], a["result"]["status"], _warnings(a)),
        (0, "Succeeded", ["No ApexClass named: Nobody found"]),
    )  # fmt: skip
    sf.check("what is left", listed, lambda a: [e["fullName"] for e in a["result"]], ["Foo"])
    sandbox.simulator.set_speed(0.03)  # the command line needs some seconds to come back
    started = sf.check("sf deploy --async", (*start, "force-app", "--async"),
                       lambda a: a["result"]["status"], "Queued")  # fmt: skip
    identifier = started.get("result", {}).get("id", "")
    sf.check(
        "sf deploy cancel",
        ("project", "deploy", "cancel", "--job-id", identifier),
        lambda a: a["result"]["status"],
        "Canceled",
    )
    sf.check("sf deploy report", ("project", "deploy", "report", "--job-id", identifier),
             lambda a: a["result"]["status"], "Canceled")  # fmt: skip
    started = sf.run(*start, "force-app", "--async")
    sandbox.simulator.set_speed(SPEED)
    sf.check(
        "sf deploy resume",
        ("project", "deploy", "resume", "--job-id", started.get("result", {}).get("id", "")),
        _brief,
        (0, "Succeeded", 4),
    )
    sf.check(
        "sf delete source",
        ("project", "delete", "source", "-o", "box", "-m", "ApexClass:FooTest", "--no-prompt"),
        lambda a: (a["status"], a["result"]["status"]),
        (0, "Succeeded"),
    )
    sf.check("what is left after that", listed, lambda a: [e["fullName"] for e in a["result"]],
             ["Foo"])  # fmt: skip
    _project(sf.project)  # that command deleted the files too


def _validations(sf: CommandLine, production: SimulatedOrg) -> None:
    validate = ("project", "deploy", "validate", "-o", "prod", "--source-dir", "force-app", "-l",
                "RunLocalTests")  # fmt: skip
    for name, environment in (("SOAP", {}), ("REST", {"SF_ORG_METADATA_REST_DEPLOY": "true"})):
        done = sf.check(
            f"sf deploy validate, {name}",
            validate,
            lambda a: (*_brief(a), a["result"]["checkOnly"], a["result"]["numberTestsCompleted"]),
            (0, "Succeeded", 4, True, 1),
            **environment,
        )
        sf.check(
            f"sf deploy quick, {name}",
            ("project", "deploy", "quick", "-o", "prod", "--job-id",
             done.get("result", {}).get("id", "")),
            lambda a: (*_brief(a), a["result"]["numberTestsTotal"]),
            (0, "Succeeded", 4, 0),
            **environment,
        )  # fmt: skip


def _retrieves(sf: CommandLine) -> None:
    sf.check(
        "sf retrieve with a missing member",
        ("project", "retrieve", "start", "-o", "prod", "-m", "ApexClass:Foo", "-m",
         "ApexClass:Nobody", "--target-metadata-dir", "out", "--unzip"),
        lambda a: (sorted(p["fileName"] for p in a["result"]["fileProperties"]
                          if p["type"] == "ApexClass"),
                   a["result"]["messages"][0]["problem"]),
        (["unpackaged/classes/Foo.cls"],
         "Entity of type 'ApexClass' named 'Nobody' cannot be found"),
    )  # fmt: skip
    sf.check(
        "sf retrieve into the project",
        ("project", "retrieve", "start", "-o", "prod", "-m", "CustomObject:Thing__c"),
        lambda a: sorted({(f["type"], f["fullName"]) for f in a["result"]["files"]}),
        [("CustomField", "Thing__c.A__c"), ("CustomObject", "Thing__c")],
    )
    sf.check(
        "sf generate manifest --from-org",
        ("project", "generate", "manifest", "--from-org", "prod", "--name", "org.xml"),
        lambda a: (a["status"], "<members>Foo</members>" in (sf.project / "org.xml").read_text()),
        (0, True),
    )


def _apex_tests(sf: CommandLine) -> None:
    sf.check(
        "sf apex run test",
        ("apex", "run", "test", "-o", "prod", "-l", "RunLocalTests", "--code-coverage", "-w", "2"),
        lambda a: (a["status"], a["result"]["summary"]["outcome"],
                   a["result"]["summary"]["orgWideCoverage"],
                   [t["FullName"] for t in a["result"]["tests"]],
                   [c["name"] for c in a["result"]["coverage"]["coverage"]]),
        (0, "Passed", "100%", ["FooTest.works"], ["Foo"]),
    )  # fmt: skip
    sf.check(
        "sf apex run test, one method at once",
        ("apex", "run", "test", "-o", "prod", "-t", "FooTest.works", "--synchronous"),
        lambda a: (a["status"], a["result"]["summary"]["passing"]),
        (0, 1),
    )


def _install(sf: CommandLine, process: SimulatorProcess, production: SimulatedOrg) -> None:
    made = process.admin(
        "POST",
        f"/orgs/{process.org().name}/packages",
        {"name": "Gadgets", "namespace": "gad", "versions": [{"number": "2.0.0.1"}]},
    )
    sf.check(
        "sf package install",
        ("package", "install", "-o", "prod", "--package", made["versions"][0], "--wait", "2",
         "--no-prompt"),
        lambda a: (a["status"], a["result"]["Status"]),
        (0, "SUCCESS"),
    )  # fmt: skip
    sf.check(
        "sf package installed list",
        ("package", "installed", "list", "-o", "prod"),
        lambda a: [(p["SubscriberPackageName"], p["SubscriberPackageVersionNumber"])
                   for p in a["result"]],
        [("Gadgets", "2.0.0.1")],
    )  # fmt: skip


def _push(sf: CommandLine, process: SimulatorProcess, production: SimulatedOrg) -> None:
    made = process.admin(
        "POST",
        f"/orgs/{production.name}/packages",
        {
            "name": "Tools",
            "versions": [{"number": "1.0.0.1"}, {"number": "1.1.0.1"}],
            "subscribers": [{"name": "One"}, {"name": "Two"}],
        },
    )
    hub = ("--target-dev-hub", "prod")
    scheduled = sf.check(
        "sf package push-upgrade schedule",
        ("package", "push-upgrade", "schedule", *hub, "--package", made["versions"][1],
         "--org-list", ",".join(made["subscribers"]), "--start-time", "2099-12-01T21:00:00"),
        lambda a: (a["status"], a["result"]["Status"]),
        (0, "Pending"),
    )  # fmt: skip
    identifier = scheduled.get("result", {}).get("PushRequestId", "")
    jobs = process.admin("GET", f"/requests?org={production.name}&effect=1")
    inserted = [e["effect"] for e in jobs if "inserted" in e["effect"]]
    sf.check(
        "sf package push-upgrade report",
        ("package", "push-upgrade", "report", *hub, "--push-request-id", identifier),
        lambda a: (a["status"], json.dumps(a["result"]).count('"Pending"') > 0),
        (0, True),
    )
    sf.check(
        "sf package push-upgrade abort",
        ("package", "push-upgrade", "abort", *hub, "--push-request-id", identifier),
        lambda a: (a["status"], [text.rsplit(" ", 2)[1] for text in inserted]),
        (0, ["2"]),
    )
    sf.check(
        "sf package push-upgrade list",
        ("package", "push-upgrade", "list", *hub, "--package", made["id"]),
        lambda a: [entry["Status"] for entry in a["result"]],
        ["Canceled"],
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
