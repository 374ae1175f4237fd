"""The sandboxes of a production org, as its Tooling API lists and takes them.

``SandboxInfo`` is a sandbox, ``SandboxProcess`` one copy of it: a new row per create and refresh.
``Status`` is answered as a label in the language of the user while conditions take codes
(forcedotcom/cli#2428), so where a copy stands is read from ``EndDate``, ``CopyProgress`` and
``RefreshAction``; the label is only shown. Which copies are deleted is asked by code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from salesforce import faults, ids, multipart, parse
from salesforce.client import Org

INFO = "tooling/sobjects/SandboxInfo"
PROCESS = "tooling/sobjects/SandboxProcess"
NAME_MAX = 10
"""SandboxInfo.SandboxName: at most ten letters and digits."""

ALL_INFOS = (
    "SELECT Id, SandboxName, LicenseType, Description, AutoActivate, SourceId, TemplateId, "
    "ApexClassId, CreatedDate FROM SandboxInfo ORDER BY SandboxName"
)
ALL_COPIES = (
    "SELECT Id, SandboxInfoId, SandboxName, LicenseType, SandboxOrganization, Status, "
    "CopyProgress, StartDate, EndDate, AutoActivate, RefreshAction, CreatedDate "
    "FROM SandboxProcess ORDER BY CreatedDate DESC"
)


class Phase(StrEnum):
    """Where a copy stands, whatever language its status is written in."""

    COPYING = "copying"
    TO_ACTIVATE = "to_activate"
    ACTIVATING = "activating"
    COMPLETED = "completed"
    DISCARDED = "discarded"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class SandboxInfo:
    """One sandbox as the production org lists it; ids have 18 characters, empty when absent."""

    id: str
    name: str
    licence_type: str
    description: str
    auto_activate: bool
    source_id: str
    template_id: str
    apex_class_id: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class SandboxCopy:
    """One copy of a sandbox (SandboxProcess)."""

    id: str
    info_id: str
    name: str
    licence_type: str
    organization_id: str
    status: str
    progress: int
    phase: Phase
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """Everything that a production org says about its sandboxes; copies newest first."""

    infos: tuple[SandboxInfo, ...]
    copies: tuple[SandboxCopy, ...]

    def named(self, name: str) -> SandboxInfo | None:
        """The living sandbox of a name; names do not differ by case."""
        return next((row for row in self.infos if row.name.lower() == name.lower()), None)

    def copies_of(self, info_id: str) -> tuple[SandboxCopy, ...]:
        """The copies of a sandbox, newest first."""
        return tuple(row for row in self.copies if row.info_id == info_id)


def read(org: Org) -> Sandboxes:
    """Read every sandbox and every copy. Raises ExternalFault."""
    infos = org.tooling_query(ALL_INFOS)
    rows = org.tooling_query(ALL_COPIES)
    gone = org.tooling_query("SELECT Id FROM SandboxProcess WHERE Status IN ('D', 'E')")
    deleted = {_id(row, "Id") for row in gone}
    return Sandboxes(
        tuple(_info(row) for row in infos),
        tuple(_copy(org.host, row, deleted) for row in rows),
    )


def create(org: Org, fields: Mapping[str, object]) -> str:
    """Ask for a new sandbox, at most once, and return its id. Raises like ``Org.deploy``."""
    response = org.write_once("POST", INFO, multipart.json_body(fields), what="the new sandbox")
    try:
        return ids.long_id(str(response.json()["id"]))
    except (ValueError, KeyError, TypeError) as error:
        cause = faults.malformed(org.host, type(error).__name__)
        raise faults.unknown_outcome(cause, "the new sandbox") from error


def refresh(org: Org, info_id: str, fields: Mapping[str, object]) -> None:
    """Ask for a refresh, at most once. Raises like ``Org.deploy``."""
    path = f"{INFO}/{ids.long_id(info_id)}"
    org.write_once("PATCH", path, multipart.json_body(fields), what="the refresh")


def delete(org: Org, info_id: str) -> None:
    """Ask for the end of a sandbox, at most once. Raises like ``Org.deploy``."""
    org.write_once("DELETE", f"{INFO}/{ids.long_id(info_id)}", b"", what="the deletion")


def settle(org: Org, copy_id: str, *, activate: bool) -> None:
    """Activate or discard a copy that waits for it, at most once. Raises like ``Org.deploy``."""
    content = multipart.json_body({"RefreshAction": "ACTIVATE" if activate else "DISCARD"})
    what = "the activation" if activate else "the discarding"
    org.write_once("PATCH", f"{PROCESS}/{ids.long_id(copy_id)}", content, what=what)


def _info(row: parse.Json) -> SandboxInfo:
    return SandboxInfo(
        id=_id(row, "Id"),
        name=parse.text(row, "SandboxName"),
        licence_type=licence_type(parse.text(row, "LicenseType")),
        description=parse.text(row, "Description"),
        auto_activate=parse.flag(row, "AutoActivate"),
        source_id=_id(row, "SourceId"),
        template_id=_id(row, "TemplateId"),
        apex_class_id=_id(row, "ApexClassId"),
        created_at=parse.moment(row, "CreatedDate"),
    )


def _copy(host: str, row: parse.Json, deleted: set[str]) -> SandboxCopy:
    created = parse.moment(row, "CreatedDate")
    if created is None:
        raise faults.malformed(host, "a copy of a sandbox without a date")
    return SandboxCopy(
        id=_id(row, "Id"),
        info_id=_id(row, "SandboxInfoId"),
        name=parse.text(row, "SandboxName"),
        licence_type=licence_type(parse.text(row, "LicenseType")),
        organization_id=_id(row, "SandboxOrganization"),
        status=parse.text(row, "Status"),
        progress=parse.number(row, "CopyProgress"),
        phase=_phase(row, _id(row, "Id") in deleted),
        created_at=created,
        ended_at=parse.moment(row, "EndDate"),
    )


def _phase(row: parse.Json, deleted: bool) -> Phase:
    """Read from dates and numbers where the copy stands; the label may be in any language."""
    action = parse.text(row, "RefreshAction").upper()
    label = parse.text(row, "Status")
    if deleted:
        return Phase.DELETED
    if parse.moment(row, "EndDate") is not None:
        return Phase.DISCARDED if action == "DISCARD" else Phase.COMPLETED
    if action in ("ACTIVATE", "DISCARD"):
        return Phase.ACTIVATING
    whole = parse.number(row, "CopyProgress") >= 100 and not parse.flag(row, "AutoActivate")
    # Templated copies give no progress; their label helps where it is in English.
    if whole or label == "Pending Activation":
        return Phase.TO_ACTIVATE
    return Phase.COPYING


def _id(row: parse.Json, name: str) -> str:
    text = parse.text(row, name)
    return ids.long_id(text) if text and ids.is_id(text) else ""


def licence_type(text: str) -> str:
    """Return the licence type as the platform stores it: ``DEVELOPER_PRO``, ``PARTIAL``."""
    folded = text.strip().upper().replace(" ", "_")
    return "PARTIAL" if folded == "PARTIAL_COPY" else folded


__all__ = [
    "Phase",
    "SandboxCopy",
    "SandboxInfo",
    "Sandboxes",
    "create",
    "delete",
    "licence_type",
    "read",
    "refresh",
    "settle",
]
