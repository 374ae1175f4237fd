# ruff: noqa: T201
"""CumulusCI's own tasks; run by the Python that script/conformance installs it into.

Arguments: a project directory, a JSON file with the addresses. Prints one JSON object a line.
"""

import csv
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = """minimum_cumulusci_version: '3.0.0'
project:
  name: Tools
  package:
    name: Tools
    namespace: tools
    api_version: '64.0'
  git:
    repo_url: https://github.com/example/tools
"""


def compare(name: str, expected: object, call: Callable[[], object]) -> None:
    """Print what a call gave beside what it should."""
    began = time.monotonic()
    try:
        seen = call()
    except Exception as error:  # noqa: BLE001 - whatever a task raises is the comparison's result
        seen = f"{type(error).__name__}: {error}"
    took = time.monotonic() - began
    line = {"name": f"CumulusCI: {name}", "seen": seen, "expected": expected, "took": took}
    print(json.dumps(line, default=str), flush=True)


class Keychain:
    """A keychain without anything in it."""

    def get_service(self, *_: Any) -> None:
        """Answer as the real one does when a service was not set up."""
        from cumulusci.core.exceptions import ServiceNotConfigured  # type: ignore[import-not-found]

        raise ServiceNotConfigured("none")


class Cumulus:
    """One project and its orgs, without keychain and without refresh tokens."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "cumulusci.yml").write_text(PROJECT)
        if not (directory / ".git").exists():
            subprocess.run(["git", "init", "-q", str(directory)], check=True)
            remote = ["remote", "add", "origin", "https://github.com/example/tools"]
            subprocess.run(["git", "-C", str(directory), *remote], check=True)
        os.chdir(directory)
        from cumulusci.core.runtime import BaseCumulusCI  # type: ignore[import-not-found]

        self.runtime = BaseCumulusCI(load_keychain=False)
        self.runtime.project_config.keychain = Keychain()

    def run(self, task: Any, org: dict[str, str], **options: Any) -> Any:
        """Run one task against one org and return the task."""
        from cumulusci.core.config import OrgConfig, TaskConfig  # type: ignore[import-not-found]

        class Org(OrgConfig):  # type: ignore[misc]
            def refresh_oauth_token(self, *_: Any, **__: Any) -> None:
                """Keep the token."""

        given = {"access_token": org["token"], "instance_url": org["url"], "id": org["id"]}
        config = TaskConfig({"options": options})
        made = task(self.runtime.project_config, config, Org(given, org["name"]))
        made()
        return made


def main(directory: Path, given: dict[str, Any]) -> None:
    """Run everything."""
    cumulus = Cumulus(directory)
    box, hub = given["box"], given["hub"]
    _metadata(cumulus, box, directory, given["source"])
    _push(cumulus, hub, directory, given)


def _deploys(box: dict[str, str]) -> list[Any]:
    with urllib.request.urlopen(box["deploys"]) as answer:  # noqa: S310 - the operator's port
        found: list[Any] = json.load(answer)
    return [deploy for deploy in found if deploy["status"] == "Succeeded"]


def _metadata(cumulus: Cumulus, box: dict[str, str], directory: Path, source: str) -> None:
    from cumulusci.tasks.apex.testrunner import RunApexTests  # type: ignore[import-not-found]
    from cumulusci.tasks.salesforce import Deploy, RetrieveUnpackaged  # type: ignore[import-not-found]
    from cumulusci.tasks.salesforce.nonsourcetracking import ListComponents  # type: ignore[import-not-found]

    def deployed(**options: Any) -> int:
        before = len(_deploys(box))
        cumulus.run(Deploy, box, path=source, **options)
        return len(_deploys(box)) - before

    compare("deploy, SOAP", 1, deployed)
    compare("deploy, REST", 1, lambda: deployed(rest_deploy=True))
    broken = directory / "broken"
    (broken / "classes").mkdir(parents=True, exist_ok=True)
    for name in ("classes/Foo.cls-meta.xml", "package.xml"):
        (broken / name).write_text(Path(source, name).read_text())
    (broken / "classes/Foo.cls").write_text("public class Foo {\n    Gone x;\n}\n")

    def refused() -> bool:
        try:
            cumulus.run(Deploy, box, path=str(broken))
        except Exception as error:  # noqa: BLE001 - the task's own exception
            return "Invalid type: Gone" in str(error)
        return False

    compare("deploy of a broken class", True, refused)
    target = directory / "out"

    def retrieved() -> list[str]:
        package = str(Path(source, "package.xml"))
        cumulus.run(RetrieveUnpackaged, box, path=str(target), package_xml=package)
        return sorted(p.name for p in target.rglob("*.cls"))

    compare("retrieve", ["Foo.cls", "FooTest.cls"], retrieved)

    def listed() -> list[str]:
        task = cumulus.run(ListComponents, box, metadata_types="ApexClass")
        return sorted(entry["MemberName"] for entry in task.return_values)

    compare("list", ["Foo", "FooTest"], listed)

    def tested() -> dict[str, int]:
        task = cumulus.run(RunApexTests, box, test_name_match="FooTest")
        return {outcome: count for outcome, count in task.counts.items() if count}

    compare("run Apex tests", {"Pass": 1}, tested)


def _push(cumulus: Cumulus, hub: dict[str, str], directory: Path, given: dict[str, Any]) -> None:
    from cumulusci.tasks.push.pushfails import ReportPushFailures  # type: ignore[import-not-found]
    from cumulusci.tasks.push.tasks import SchedulePushOrgList  # type: ignore[import-not-found]

    orgs = directory / "orgs.txt"
    orgs.write_text("\n".join(given["subscribers"]) + "\n")
    table = directory / "failures.csv"

    def failures() -> list[str]:
        task = cumulus.run(
            SchedulePushOrgList,
            hub,
            orgs=str(orgs),
            version="1.1",
            namespace="tools",
            start_time="now",
        )
        request = task.return_values["request_id"]
        cumulus.run(ReportPushFailures, hub, request_id=request, result_file=str(table))
        with table.open(newline="") as lines:
            return [row[0] for row in list(csv.reader(lines))[1:]]

    compare("push to two subscribers, one fails", [given["subscribers"][1]], failures)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
