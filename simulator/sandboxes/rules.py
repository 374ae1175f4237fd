"""What the platform asks of a sandbox: names, licences, intervals, sources."""

import re
from dataclasses import dataclass
from typing import Any

from simulator import ids
from simulator.clock import soap_time
from simulator.rest.store import Record, of_kind
from simulator.sandboxes import states
from simulator.transport.messages import Refused
from simulator.world import Org, World

DAY = 86400.0
_NAME = re.compile(r"[A-Za-z0-9]{1,10}")
HISTORY_DAYS = (-1, 0, 10, 20, 30, 60, 90, 120, 150, 180)


@dataclass(frozen=True, slots=True)
class Licence:
    """One type of sandbox: days between refreshes, seconds a copy takes, how many an org has.

    Intervals: Salesforce Help, "Sandbox Licenses and Storage Limits by Type".
    """

    days: int
    seconds: float
    count: int


LICENCES = {
    "DEVELOPER": Licence(1, 30, 25),
    "DEVELOPER_PRO": Licence(1, 40, 5),
    "PARTIAL": Licence(5, 60, 1),
    "FULL": Licence(29, 120, 1),
}


def licence_type(text: object) -> str:
    """Return the stored spelling of a licence type, whatever case and blanks the client wrote."""
    folded = str(text or "").strip().upper().replace(" ", "_")
    if folded == "PARTIAL_COPY":
        folded = "PARTIAL"
    if folded not in LICENCES:
        raise Refused(
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"License Type: bad value for restricted picklist field: {text}",
            ["LicenseType"],
        )
    return folded


def check_new(world: World, org: Org, given: dict[str, Any]) -> None:
    """Refuse a new sandbox that the platform would refuse."""
    name = str(given.get("SandboxName") or "")
    if not name:
        raise Refused(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [SandboxName]",
                      ["SandboxName"])  # fmt: skip
    if not _NAME.fullmatch(name):
        message = (
            f"Sandbox Name: data value too large or with characters that are not allowed: {name}"
        )
        raise Refused(400, "STRING_TOO_LONG", message, ["SandboxName"])
    kind = licence_of_new(world, org, given)
    living = of_kind(world, org.id, "SandboxInfo")
    twin = next((r for r in living if r.fields["SandboxName"].lower() == name.lower()), None)
    if twin is not None:
        message = (
            f"duplicate value found: SandboxName duplicates value on record with id: {twin.id}"
        )
        raise Refused(400, "DUPLICATE_VALUE", message, ["SandboxName"])
    check_content(world, org, kind, given)
    used = sum(1 for record in living if record.fields["LicenseType"] == kind)
    if used >= available(org, kind):
        message = f"You have used all {kind} sandbox licenses of this org ({used})."
        raise Refused(400, "LIMIT_EXCEEDED", message, ["LicenseType"])


def licence_of_new(world: World, org: Org, given: dict[str, Any]) -> str:
    """Return the licence type of a new sandbox; a clone that names none has its source's."""
    source = str(given.get("SourceId") or "")
    if not given.get("LicenseType") and source:
        infos = of_kind(world, org.id, "SandboxInfo")
        found = next((record for record in infos if ids.same_id(record.id, source)), None)
        if found is not None:
            return str(found.fields["LicenseType"])
    return licence_type(given.get("LicenseType"))


def check_content(world: World, org: Org, kind: str, given: dict[str, Any]) -> None:
    """Refuse sources, templates and history that do not fit the type."""
    source = str(given.get("SourceId") or "")
    if source:
        known = of_kind(world, org.id, "SandboxInfo")
        found = next((record for record in known if ids.same_id(record.id, source)), None)
        if found is None:
            raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id",
                          ["SourceId"])  # fmt: skip
        if found.fields["LicenseType"] != kind:
            message = "A clone must have the license type of its source sandbox."
            raise Refused(400, "INVALID_FIELD", message, ["LicenseType"])
    elif kind == "PARTIAL" and not given.get("TemplateId"):
        message = "Required fields are missing: [TemplateId]"
        raise Refused(400, "REQUIRED_FIELD_MISSING", message, ["TemplateId"])
    history = given.get("HistoryDays")
    if history is not None and int(history) not in HISTORY_DAYS:
        message = f"History Days: bad value for restricted picklist field: {history}"
        raise Refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["HistoryDays"])


def check_refresh(world: World, org: Org, info: Record) -> None:
    """Refuse a refresh while one runs, or before the interval of the type is over."""
    process = newest_process(world, org, info.id)
    if process is not None and process.fields["Status"] in states.IN_FLIGHT:
        message = f"Sandbox {info.fields['SandboxName']} is being processed already."
        raise Refused(400, "INVALID_STATUS", message)
    if process is None:
        return
    days = LICENCES[info.fields["LicenseType"]].days
    earliest = process.created_at + days * DAY
    if world.clock.now() < earliest:
        message = (
            f"Sandbox {info.fields['SandboxName']} can be refreshed again after"
            f" {soap_time(earliest)}; its license type allows that every {days} days."
        )
        raise Refused(400, "INVALID_OPERATION", message)


def available(org: Org, kind: str) -> int:
    """Return how many sandboxes of a type the org may have (option "sandbox_licenses")."""
    counts: dict[str, int] = org.options.get("sandbox_licenses", {})
    return int(counts.get(kind, LICENCES[kind].count))


def newest_process(world: World, org: Org, info_id: str) -> Record | None:
    """Return the latest process of a sandbox."""
    found = [
        record
        for record in of_kind(world, org.id, "SandboxProcess")
        if record.fields["SandboxInfoId"] == info_id
    ]
    return max(found, key=lambda record: (record.created_at, record.id), default=None)
