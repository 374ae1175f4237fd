"""What the platform answers, as frozen values.

Field names follow the Metadata API (WSDL 63.0: DeployResult, RetrieveResult) where they are
the same thing; numbers are counts, ``*_seconds`` are seconds, times are aware and UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class TestLevel(StrEnum):
    """Which Apex tests a deployment runs (Metadata API, DeployOptions.testLevel)."""

    NONE = "NoTestRun"
    SPECIFIED = "RunSpecifiedTests"
    LOCAL = "RunLocalTests"
    ALL = "RunAllTestsInOrg"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in session; ``access_token`` is a secret and stays out of every repr."""

    access_token: str = field(repr=False)
    instance_url: str
    organization_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Organization:
    """The one row of the Organization object."""

    id: str
    name: str
    is_sandbox: bool
    instance_name: str
    type: str


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the org: how much there is and how much is left."""

    name: str
    maximum: int
    remaining: int


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """Options of one deployment; the defaults are what production demands."""

    check_only: bool
    test_level: str = TestLevel.LOCAL
    run_tests: tuple[str, ...] = ()
    rollback_on_error: bool = True
    ignore_warnings: bool = False
    allow_missing_files: bool = False
    purge_on_delete: bool = False
    single_package: bool = True

    def as_json(self) -> dict[str, object]:
        """Return the ``deployOptions`` object of the REST deployRequest resource."""
        options: dict[str, object] = {
            "allowMissingFiles": self.allow_missing_files,
            "autoUpdatePackage": False,
            "checkOnly": self.check_only,
            "ignoreWarnings": self.ignore_warnings,
            "performRetrieve": False,
            "purgeOnDelete": self.purge_on_delete,
            "rollbackOnError": self.rollback_on_error,
            "singlePackage": self.single_package,
            "testLevel": str(self.test_level),
        }
        if self.run_tests:
            options["runTests"] = list(self.run_tests)
        return options


@dataclass(frozen=True, slots=True)
class ComponentFailure:
    """What the org says about one component that it did not take (DeployMessage)."""

    type: str
    full_name: str
    file_name: str
    line: int | None
    column: int | None
    problem: str
    problem_type: str


@dataclass(frozen=True, slots=True)
class TestFailure:
    """One failing Apex test method."""

    class_name: str
    method: str
    message: str
    stack_trace: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Lines of one class or trigger that the run's tests reached."""

    name: str
    type: str
    lines: int
    uncovered: int

    @property
    def percent(self) -> int:
        """Whole per cent covered, rounded down; 100 when there is nothing to cover."""
        return 100 if self.lines == 0 else (self.lines - self.uncovered) * 100 // self.lines


@dataclass(frozen=True, slots=True)
class CoverageWarning:
    """A coverage rule that the run broke; ``name`` is empty for the org-wide one."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class DeployStatus:
    """How far a deployment is (DeployResult).

    Judge the end by ``done``: releases differ in their words for the last phase
    ("Finalizing", "FinalizingDeploy"), so unknown words count as going on.
    """

    id: str
    status: str
    done: bool
    success: bool
    check_only: bool
    components_total: int
    components_deployed: int
    component_errors: int
    tests_total: int
    tests_completed: int
    test_errors: int
    state_detail: str
    error_message: str
    error_status_code: str
    failures: tuple[ComponentFailure, ...]
    warnings: tuple[ComponentFailure, ...]
    test_failures: tuple[TestFailure, ...]
    coverage: tuple[Coverage, ...]
    coverage_warnings: tuple[CoverageWarning, ...]
    successes: int
    tests_run: int
    created_by: str
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    canceled_by: str

    @property
    def canceled(self) -> bool:
        """Whether the deployment ended because somebody cancelled it."""
        return self.done and self.status == "Canceled"


@dataclass(frozen=True, slots=True)
class DeployRequestRow:
    """A row of the Tooling object DeployRequest: what the org remembers of a deployment."""

    id: str
    status: str
    check_only: bool
    components_total: int
    created_by_id: str
    created_at: datetime
    completed_at: datetime | None
    created_by_name: str = ""


@dataclass(frozen=True, slots=True)
class FileProperty:
    """What the org says about one retrieved file."""

    type: str
    full_name: str
    file_name: str
    last_modified_by: str
    last_modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Retrieve:
    """How far a retrieve is; ``zip_bytes`` is there once it is done with success."""

    id: str
    done: bool
    success: bool
    status: str
    zip_bytes: bytes | None = field(repr=False)
    messages: tuple[str, ...]
    file_properties: tuple[FileProperty, ...]
    error_message: str


Manifest = Mapping[str, "list[str] | tuple[str, ...]"]
"""What to retrieve: metadata type → member names ("*" for all of a type)."""
