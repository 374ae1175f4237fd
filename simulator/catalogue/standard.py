"""What every org has from birth: standard objects, fields on all of them, tabs, profiles.

Only names are known: standard_objects.txt lists the objects of the Object Reference. A standard
field is always taken as existing, because the whole list differs by edition and licence.
"""

from pathlib import Path

_LIST = Path(__file__).parents[1] / "standard_objects.txt"
CANONICAL_OBJECTS = {name.lower(): name for name in _LIST.read_text(encoding="utf-8").split()}
STANDARD_OBJECTS = frozenset(CANONICAL_OBJECTS)
#: What listMetadata shows of them: the objects that people customize.
LISTED_OBJECTS = tuple(_LIST.with_name("listed_objects.txt").read_text(encoding="utf-8").split())
CUSTOM_SUFFIXES = (
    "__c",
    "__mdt",
    "__e",
    "__b",
    "__x",
    "__kav",
    "__ka",
    "__voteup",
    "__dlm",
    "__dll",
)
STANDARD_PROFILES = (
    "Admin", "Standard", "ReadOnly", "SolutionManager", "MarketingProfile", "ContractManager",
    "Minimum Access - Salesforce", "Guest License User",
)  # fmt: skip


def is_custom(name: str) -> bool:
    """Say whether an API name has one of the suffixes that only custom things have."""
    return name.lower().endswith(CUSTOM_SUFFIXES)
