"""One org, spoken to in one signed-in session.

Two kinds of calls, kept apart:

- *Reads* have no effect. A retryable fault is tried again a few times with growing pauses.
- *Writes* (deploy, quick deploy) are sent at most once. A fault before the first byte left is an
  ordinary ExternalFault; a clear refusal by the org likewise; anything else means that the org may
  or may not have taken the call and is raised as FaultUnknown.

A session that expired is renewed once per call, for writes too, since the org refused the call
before doing anything. The renewed session must lead to the same organisation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Self, TypeVar

import requests
from simple_salesforce.api import Salesforce

from core.errors import ExternalFault, FaultUnknown
from salesforce import faults, ids, multipart, parse, soap, soql, xml
from salesforce.hosts import Hosts
from salesforce.types import (
    DeployOptions,
    DeployRequestRow,
    DeployStatus,
    Limit,
    Manifest,
    Organization,
    Retrieve,
    Session,
)
from salesforce.wire import ANSWER_SECONDS, CONNECT_SECONDS, TrackedBody, Wire

API_VERSION = "64.0"
"""What an environment speaks unless it says otherwise."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before the second, third and fourth try of a read."""

MAX_ROWS = 50_000

T = TypeVar("T")


class Org:
    """An organisation, reached by one session. Not for use by several threads."""

    def __init__(
        self,
        session: Session,
        *,
        hosts: Hosts,
        api_version: str = API_VERSION,
        renew: Callable[[], Session] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.host = str(hosts.require(session.instance_url))
        self.api_version = api_version
        self.organization_id = session.organization_id
        self.user_id = session.user_id
        self._hosts = hosts
        self._renew_with = renew
        self._pause = pause
        self._wire = Wire(hosts)
        self._use(session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the org's session stays valid until it expires."""
        self._wire.close()

    # Reads ------------------------------------------------------------------------------------

    def organization(self) -> Organization:
        """Read which organisation this session is in."""
        rows = self.query(
            "SELECT Id, Name, InstanceName, IsSandbox, OrganizationType FROM Organization"
        )
        if len(rows) != 1:
            raise faults.malformed(self.host, f"{len(rows)} rows of Organization")
        found = parse.organization(rows[0])
        if not ids.is_id(found.id):
            raise faults.malformed(self.host, "an Organization without an id")
        return Organization(
            ids.long_id(found.id), found.name, found.is_sandbox, found.instance_name, found.type
        )

    def limits(self) -> dict[str, Limit]:
        """Read the org's limits, by name."""
        answer = self._read(lambda: self._sf.limits())
        if not isinstance(answer, dict):
            raise faults.malformed(self.host, "limits of another form")
        return {
            name: Limit(name, parse.number(row, "Max"), parse.number(row, "Remaining"))
            for name, row in answer.items()
            if isinstance(row, dict) and "Max" in row and "Remaining" in row
        }

    def api_versions(self) -> tuple[str, ...]:
        """Read which API versions the org offers, oldest first, such as ``("63.0", "64.0")``."""
        answer = self._read(lambda: self._json("GET", f"https://{self.host}/services/data"))
        rows = answer if isinstance(answer, list) else []
        found = {str(row.get("version", "")) for row in rows if isinstance(row, dict)}
        return tuple(sorted((v for v in found if _is_version(v)), key=float))

    def query(self, template: str, **values: Any) -> list[dict[str, Any]]:
        """Return all rows of a SOQL query; ``{name}`` in it is a bound value."""
        statement = soql.bind(template, **values)
        return list(self._rows(lambda: self._sf.query(statement)))

    def tooling_query(self, template: str, **values: Any) -> list[dict[str, Any]]:
        """Return all rows of a SOQL query on Tooling objects."""
        statement = soql.bind(template, **values)
        return list(self._rows(lambda: self._sf.toolingexecute("query/", params={"q": statement})))

    def deploy_status(self, remote_id: str) -> DeployStatus:
        """Read how far a deployment is, with its messages."""
        path = f"metadata/deployRequest/{ids.long_id(remote_id)}"
        answer = self._read(lambda: self._sf.restful(path, params={"includeDetails": "true"}))
        result = parse.child(answer, "deployResult") if isinstance(answer, dict) else {}
        if not parse.text(result, "status"):
            raise faults.malformed(self.host, "a deployment without a status")
        return parse.deploy_status(result)

    def recent_deploys(self, since: datetime) -> list[DeployRequestRow]:
        """Return the deployments that our own user started at or after a moment, oldest first."""
        rows = self.tooling_query(
            "SELECT Id, Status, CheckOnly, NumberComponentsTotal, CreatedById, CreatedDate, "
            "CompletedDate FROM DeployRequest "
            "WHERE CreatedById = {user} AND CreatedDate >= {since} ORDER BY CreatedDate",
            user=self.user_id,
            since=since,
        )
        return [parse.deploy_request(row) for row in rows]

    def deploys_since(self, since: datetime) -> list[DeployRequestRow]:
        """Return the deployments that anybody started at or after a moment, oldest first."""
        rows = self.tooling_query(
            "SELECT Id, Status, CheckOnly, NumberComponentsTotal, CreatedById, CreatedBy.Name, "
            "CreatedDate, CompletedDate FROM DeployRequest "
            "WHERE CreatedDate >= {since} ORDER BY CreatedDate",
            since=since,
        )
        return [parse.deploy_request(row) for row in rows]

    def start_retrieve(self, manifest: Manifest, api_version: str | None = None) -> str:
        """Ask for metadata by manifest and return the id to poll. A lost answer costs nothing."""
        version = api_version or self.api_version
        element = self._soap(lambda token: soap.retrieve(token, manifest, version))
        return self._remote_id(xml.text(element, "id"))

    def retrieve_status(self, remote_id: str) -> Retrieve:
        """Read how far a retrieve is; the zip comes with the final answer."""
        wanted = ids.long_id(remote_id)
        element = self._soap(lambda token: soap.check_retrieve_status(token, wanted))
        return soap.parse_retrieve(self.host, element)

    # Writes -----------------------------------------------------------------------------------

    def deploy(self, zip_bytes: bytes, options: DeployOptions) -> str:
        """Send a package once and return the deployment's id.

        Raises ExternalFault when the org certainly did not take it, FaultUnknown when that is not
        known. After ``wire.UPLOAD_SECONDS`` from the call the org can no longer accept it.
        """
        kind, content = multipart.encode({"deployOptions": options.as_json()}, zip_bytes)
        return self._write(content, kind, "the deployment")

    def quick_deploy(self, validated_id: str) -> str:
        """Deploy what a validation has checked and return the new deployment's id.

        Raises like ``deploy``; a validation that no longer counts is refused with
        ``org.validation_void``.
        """
        content = multipart.json_body({"validatedDeployRequestId": ids.long_id(validated_id)})
        try:
            return self._write(content, "application/json", "the quick deploy")
        except ExternalFault as fault:
            if fault.facts.get("error_code") != "INVALID_ID_FIELD":
                raise
            raise ExternalFault(
                "org.validation_void",
                f"{self.host} no longer accepts this validation for a quick deploy: it is older "
                "than ten days, or something was deployed since. Validate again.",
                retryable=False,
            ) from None

    def cancel(self, remote_id: str) -> None:
        """Ask the org to stop a deployment; poll ``deploy_status`` for what comes of it.

        Raises ExternalFault ``org.too_late`` when the deployment has already ended.
        """
        wanted = ids.long_id(remote_id)
        path = f"metadata/deployRequest/{wanted}"
        content = multipart.json_body({"id": wanted, "deployResult": {"status": "Canceling"}})
        try:
            self._read(lambda: self._sf.restful(path, method="PATCH", data=content))
        except ExternalFault as fault:
            if fault.facts.get("error_code") != "INVALID_ID_FIELD":
                raise
            raise ExternalFault(
                "org.too_late",
                "The org can no longer cancel this deployment: it has already ended.",
                retryable=False,
            ) from None

    # Transport --------------------------------------------------------------------------------

    def _use(self, session: Session) -> None:
        self._token = session.access_token
        self._sf = Salesforce(
            session_id=session.access_token,
            instance_url=session.instance_url,
            version=self.api_version,
            session=self._wire,
        )

    def _renew(self, expired: ExternalFault) -> None:
        if self._renew_with is None:
            raise expired
        session = self._renew_with()
        if session.organization_id != self.organization_id:
            raise ExternalFault(
                "org.mismatch",
                f"After signing in again {self.host} is another organisation, so nothing was sent. "
                "Connect the environment anew.",
                retryable=False,
            )
        self.host = str(self._hosts.require(session.instance_url))
        self._use(session)

    def _renewing(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except ExternalFault as fault:
            if fault.code != "org.session_expired":
                raise
            self._renew(fault)
            return call()

    def _read(self, call: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                return call()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                # simple-salesforce trusts the form of answers; theirs decides which of these.
                raise faults.malformed(self.host, type(error).__name__) from error

        for seconds in PAUSES:
            try:
                return self._renewing(guarded)
            except ExternalFault as fault:
                if not fault.retryable:
                    raise
                self._pause(seconds * (0.75 + secrets.randbelow(500) / 1000))
        return self._renewing(guarded)

    def _rows(self, first: Callable[[], Any]) -> Iterator[dict[str, Any]]:
        answer = self._read(first)
        seen = 0
        while True:
            if not isinstance(answer, dict) or not isinstance(answer.get("records"), list):
                raise faults.malformed(self.host, "a query answer without records")
            yield from answer["records"]
            seen += len(answer["records"])
            more = answer.get("nextRecordsUrl")
            if answer.get("done") or not more:
                return
            if seen > MAX_ROWS:
                raise faults.malformed(self.host, f"more than {MAX_ROWS} rows")
            answer = self._read(lambda url=more: self._json("GET", f"https://{self.host}{url}"))  # type: ignore[misc]

    def _json(self, method: str, url: str) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return self._wire.request(method, url, headers=headers).json()

    def _soap(self, envelope: Callable[[str], bytes]) -> Any:
        url = f"https://{self.host}/services/Soap/m/{self.api_version}"
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}

        def call() -> requests.Response:
            return self._wire.request("POST", url, data=envelope(self._token), headers=headers)

        return soap.result(self.host, self._read(call).content)

    def _write(self, content: bytes, content_type: str, what: str) -> str:
        """POST to deployRequest at most once (twice only after a refused session)."""
        response = self.write_once(
            "POST", "metadata/deployRequest", content, content_type=content_type, what=what
        )
        try:
            return self._remote_id(str(response.json()["id"]))
        except (ValueError, KeyError, TypeError, ExternalFault) as error:
            cause = faults.malformed(self.host, type(error).__name__)
            raise faults.unknown_outcome(cause, what) from error

    def write_once(
        self,
        method: str,
        path: str,
        content: bytes,
        *,
        what: str,
        content_type: str = "application/json",
    ) -> requests.Response:
        """Send a call with an effect at most once (twice only after a refused session).

        ``path`` lies below ``/services/data/vNN.0/``; ``what`` completes "whether the org took".
        Raises ExternalFault when the org certainly did not take it, FaultUnknown when that is not
        known.
        """
        url = f"https://{self.host}/services/data/v{self.api_version}/{path}"
        return self._renewing(lambda: self._send(method, url, content, content_type, what))

    def _send(
        self, method: str, url: str, content: bytes, content_type: str, what: str
    ) -> requests.Response:
        # A kept-alive connection may be dead already, which looks like a call that got lost.
        self._wire.close()
        body = TrackedBody(content) if content else None
        try:
            return self._wire.request(
                method,
                url,
                data=body,
                headers={
                    "Authorization": f"Bearer {self._token}",
                    "Content-Type": content_type,
                    "Accept": "application/json",
                },
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                body_seconds=CONNECT_SECONDS,
            )
        except FaultUnknown:
            raise
        except ExternalFault as fault:
            # Without a body nobody knows whether the request line left: that is in doubt too.
            if (body is not None and not body.started) or _is_refusal(fault):
                raise
            raise faults.unknown_outcome(fault, what) from fault

    def _remote_id(self, text: str) -> str:
        if not ids.is_id(text):
            raise faults.malformed(self.host, "an answer without an id")
        return ids.long_id(text)


def _is_refusal(fault: ExternalFault) -> bool:
    """Say whether the org itself said no, in its own words, before taking the call."""
    status = fault.facts.get("http_status", 0)
    named = bool(fault.facts.get("error_code")) and 400 <= status < 500
    return named or fault.code == "org.session_expired"


def _is_version(text: str) -> bool:
    head, _, tail = text.partition(".")
    return head.isdecimal() and tail.isdecimal()
