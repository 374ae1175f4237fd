"""Packages for the tests: zips with a manifest made from their files, and a plain REST client."""

import io
import json
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.simulator import SimulatedOrg

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
VERSION = "64.0"
PATIENCE = 20.0


def xml(root: str, inner: str) -> str:
    """Write a metadata file."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">\n{inner}\n</{root}>'
    )


def manifest(members: Mapping[str, list[str]], root: str = "Package") -> str:
    """Write a package.xml."""
    types = "".join(
        f"<types>{''.join(f'<members>{m}</members>' for m in names)}<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return xml(root, f"{types}<version>{VERSION}</version>")


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Pack files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def apex(name: str, source: str, folder: str = "classes", suffix: str = "cls") -> dict[str, str]:
    """Return a class (or trigger) with its meta file."""
    root = "ApexClass" if suffix == "cls" else "ApexTrigger"
    meta = xml(root, f"<apiVersion>{VERSION}</apiVersion><status>Active</status>")
    path = f"{folder}/{name}.{suffix}"
    return {path: source, f"{path}-meta.xml": meta}


def custom_object(name: str, *fields: str, label: str = "Thing") -> dict[str, str]:
    """Return an object file; fields are names of text fields."""
    inner = "".join(text_field(field_name) for field_name in fields)
    head = f"<label>{label}</label>\n" if label else ""
    return {f"objects/{name}.object": xml("CustomObject", head + inner)}


def text_field(name: str) -> str:
    """Return the element of a text field."""
    return (
        f"<fields><fullName>{name}</fullName><label>{name}</label>"
        "<length>40</length><type>Text</type></fields>\n"
    )


PASSING_TEST = """@isTest
private class {name}Test {{
    @isTest static void works() {{
        System.assertEquals(1, new {name}().one());
    }}
}}
"""
PLAIN_CLASS = "public class {name} {{\n    public Integer one() {{\n        return 1;\n    }}\n}}\n"


def class_with_test(name: str) -> dict[str, str]:
    """Return a class with a test that covers it."""
    return {
        **apex(name, PLAIN_CLASS.format(name=name)),
        **apex(f"{name}Test", PASSING_TEST.format(name=name)),
    }


@dataclass
class Client:
    """The least REST client: what is sent and answered, unchanged."""

    org: SimulatedOrg
    token: str = ""
    version: str = VERSION
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.token = self.token or self.org.token()
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send one request below /services/data/vNN.0 and return the response."""
        url = f"{self.org.url}/services/data/v{self.version}/{path}"
        options.setdefault("timeout", 20)
        return self.org.simulator.http.request(method, url, headers=self.headers, **options)

    def query(self, soql: str, *, tooling: bool = False) -> Any:
        """Return the JSON answer of a query."""
        path = "tooling/query" if tooling else "query"
        return self.call("GET", path, params={"q": soql}).json()

    def rows(self, soql: str, *, tooling: bool = False) -> list[dict[str, Any]]:
        """Return a query's records without their attributes."""
        records = self.query(soql, tooling=tooling)["records"]
        return [{k: v for k, v in r.items() if k != "attributes"} for r in records]

    def post(self, content: bytes, **options: Any) -> Any:
        """Send a deployment and return the response."""
        given = {"rollbackOnError": True, "singlePackage": True, **options}
        parts = [
            ("json", (None, json.dumps({"deployOptions": given}), "application/json")),
            ("file", ("package.zip", content, "application/zip")),
        ]
        return self.call("POST", "metadata/deployRequest", files=parts)

    def start(
        self, files: Mapping[str, str | bytes], members: Mapping[str, list[str]], **options: Any
    ) -> str:
        """Start a deployment of files with a manifest of these members; return its id."""
        content = zipped({"package.xml": manifest(members), **files})
        answer = self.post(content, **options)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def status(self, identifier: str) -> dict[str, Any]:
        """Return the deployResult with details."""
        answer = self.call(
            "GET", f"metadata/deployRequest/{identifier}", params={"includeDetails": "true"}
        )
        result: dict[str, Any] = answer.json()["deployResult"]
        return result

    def wait(self, identifier: str) -> dict[str, Any]:
        """Poll until the deployment has ended."""
        end = time.monotonic() + PATIENCE
        while not (result := self.status(identifier))["done"]:
            assert time.monotonic() < end, result
            time.sleep(0.01)
        return result

    def deploy(
        self, files: Mapping[str, str | bytes], members: Mapping[str, list[str]], **options: Any
    ) -> dict[str, Any]:
        """Deploy and wait."""
        return self.wait(self.start(files, members, **options))


def problems(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (type, full name, problem) of each failure."""
    return [
        (m["componentType"], m["fullName"], m["problem"])
        for m in result["details"]["componentFailures"]
    ]
