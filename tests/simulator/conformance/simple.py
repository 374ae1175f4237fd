# ruff: noqa: T201
"""simple-salesforce against the simulator over TLS; prints one JSON object a line.

Argument: a JSON file with the address, a token and a zip.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest


def compare(name: str, expected: object, call: Callable[[], object]) -> None:
    """Print what a call gave beside what it should."""
    began = time.monotonic()
    try:
        seen = call()
    except Exception as error:  # noqa: BLE001 - whatever the client raises is the result
        seen = f"{type(error).__name__}: {error}"
    line = {"name": f"simple-salesforce: {name}", "seen": seen, "expected": expected,
            "took": time.monotonic() - began}  # fmt: skip
    print(json.dumps(line, default=str), flush=True)


def main(given: dict[str, Any]) -> None:
    """Run everything."""

    def client() -> Any:
        # One client for each kind of call: mdapi leaves its headers behind.
        return Salesforce(
            session_id=given["token"], instance_url=given["url"], version=given["version"]
        )

    sf = client()
    compare("query", 1, lambda: sf.query("SELECT Id FROM Organization")["totalSize"])
    compare("limits", True, lambda: "DailyApiRequests" in sf.limits())
    made: list[str] = []

    def crud() -> list[Any]:
        made.append(sf.Account.create({"Name": "A"})["id"])
        sf.Account.update(made[0], {"Name": "B"})
        name = sf.Account.get(made[0])["Name"]
        return [name, sf.Account.delete(made[0])]

    compare("create, update, read, delete", ["B", 204], crud)

    def refused() -> str:
        try:
            sf.query("SELECT Nope FROM Account")
        except SalesforceMalformedRequest as error:
            content: Any = error.content
            return str(content[0]["errorCode"])
        return ""

    compare("a faulty query", "INVALID_FIELD", refused)

    def deployed() -> list[Any]:
        tool = client()
        answer: Any = tool.deploy(given["zip"], sandbox=True, testLevel="RunLocalTests")
        identifier = answer["asyncId"]
        for _ in range(100):
            status = tool.checkDeployStatus(identifier)
            if status["state"] in ("Succeeded", "Failed"):
                break
            time.sleep(0.1)
        counts = status["deployment_detail"]
        return [status["state"], int(counts["deployed_count"])]

    compare("deploy", ["Succeeded", 2], deployed)
    tooling = "query/?q=SELECT+Name+FROM+ApexClass+ORDER+BY+Name"
    compare("tooling query", ["Foo", "FooTest"], lambda: [
        r["Name"] for r in client().toolingexecute(tooling)["records"]])  # fmt: skip
    compare("list metadata", ["Foo", "FooTest"], lambda: sorted(
        e.fullName for e in client().mdapi.list_metadata(
            [client().mdapi.ListMetadataQuery(type="ApexClass")])))  # fmt: skip
    compare("describe metadata", True, lambda: any(
        e.xmlName == "ApexClass"
        for e in client().mdapi.describe_metadata()["metadataObjects"]))  # fmt: skip


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
