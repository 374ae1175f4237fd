"""The options of a deployment, from JSON or SOAP, with the rules that production adds."""

from dataclasses import asdict, dataclass, field
from typing import Any

from simulator.transport.messages import Refused
from simulator.xmltree import Element

TEST_LEVELS = (
    "NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests",
)  # fmt: skip
RELEVANT_FROM = 66.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller wants; names as the platform writes them."""

    allow_missing_files: bool = False
    check_only: bool = False
    ignore_warnings: bool = False
    purge_on_delete: bool = False
    rollback_on_error: bool = False
    single_package: bool = False
    test_level: str = ""
    run_tests: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the form in which the store keeps them."""
        return asdict(self)


def from_json(given: dict[str, Any]) -> Options:
    """Read deployOptions of the REST resource; booleans may be text."""
    tests = given.get("runTests") or []
    return Options(
        allow_missing_files=_flag(given.get("allowMissingFiles")),
        check_only=_flag(given.get("checkOnly")),
        ignore_warnings=_flag(given.get("ignoreWarnings")),
        purge_on_delete=_flag(given.get("purgeOnDelete")),
        rollback_on_error=_flag(given.get("rollbackOnError")),
        single_package=_flag(given.get("singlePackage")),
        test_level=str(given.get("testLevel") or ""),
        run_tests=[tests] if isinstance(tests, str) else [str(name) for name in tests],
    )


def from_soap(element: Element | None) -> Options:
    """Read DeployOptions of a SOAP call; stray text and capitals are tolerated."""
    if element is None:
        return Options()
    return from_json(
        {
            **{child.name: child.text.strip() for child in element.children},
            "runTests": [e.text.strip() for e in element.all("runTests") if e.text.strip()],
        }
    )


def to_json(options: Options) -> dict[str, Any]:
    """Write the options as the REST resource answers them."""
    return {
        "allowMissingFiles": options.allow_missing_files,
        "autoUpdatePackage": False,
        "checkOnly": options.check_only,
        "ignoreWarnings": options.ignore_warnings,
        "performRetrieve": False,
        "purgeOnDelete": options.purge_on_delete,
        "rollbackOnError": options.rollback_on_error,
        "runTests": options.run_tests or None,
        "singlePackage": options.single_package,
        "testLevel": options.test_level or None,
    }


def check(options: Options, *, is_sandbox: bool, version: float) -> None:
    """Refuse combinations that the platform refuses before it queues anything."""
    if options.test_level and options.test_level not in TEST_LEVELS:
        raise _invalid(f"Invalid testLevel: {options.test_level}")
    if options.test_level == "RunRelevantTests" and version < RELEVANT_FROM:
        raise _invalid("testLevel of RunRelevantTests requires API version 66.0 or later")
    if options.run_tests and options.test_level != "RunSpecifiedTests":
        raise _invalid("runTests can be used only with a testLevel of RunSpecifiedTests")
    if options.test_level == "RunSpecifiedTests" and not options.run_tests:
        raise _invalid("A testLevel of RunSpecifiedTests requires at least one test in runTests")
    if is_sandbox:
        return
    if options.test_level == "NoTestRun":
        raise _invalid("testLevel of NoTestRun cannot be used in production organizations")
    if not options.rollback_on_error:
        raise _invalid("rollbackOnError must be set to true for a production organization")
    if options.purge_on_delete:
        raise _invalid("purgeOnDelete option can only be used on a non-active org")
    if options.allow_missing_files:
        raise _invalid("allowMissingFiles cannot be used in production organizations")


def _invalid(message: str) -> Refused:
    return Refused(400, "INVALID_OPERATION", message)


def _flag(value: object) -> bool:
    return str(value).strip().lower() in ("true", "1")
