"""Salesforce record ids: 15 case-sensitive characters and the 18-character form with its checksum.

The three-character suffix has one character per block of five: bit n is set where character n
of the block is an upper-case letter (Salesforce, "18-character ID" in the SOAP API guide).
"""

from collections.abc import Iterator

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

ORGANIZATION = "00D"
USER = "005"
PROFILE = "00e"
DEPLOY = "0Af"
RETRIEVE = "09S"
LIMIT_15 = 15
LIMIT_18 = 18

PREFIXES = {
    "ApexClass": "01p",
    "ApexTrigger": "01q",
    "ApexPage": "066",
    "ApexComponent": "099",
    "CustomField": "00N",
    "CustomObject": "01I",
    "Layout": "00h",
    "PermissionSet": "0PS",
    "Profile": "00e",
    "Flow": "301",
    "RecordType": "012",
    "StaticResource": "081",
    "ValidationRule": "03d",
    "WebLink": "00b",
    "Workflow": "01Q",
    "CustomTab": "01r",
    "CustomApplication": "02u",
    "LightningComponentBundle": "0Rb",
    "AuraDefinitionBundle": "0Ab",
    "Report": "00O",
    "Dashboard": "01Z",
    "EmailTemplate": "00X",
    "Document": "015",
    "CustomLabel": "101",
    "CustomLabels": "101",
    "Account": "001",
    "Contact": "003",
    "Opportunity": "006",
    "Lead": "00Q",
    "Case": "500",
    "SandboxInfo": "0GQ",
    "SandboxProcess": "0GR",
    "SetupAuditTrail": "0Ym",
    "UserLicense": "100",
    "SourceMember": "0MZ",
    "PackagePushRequest": "0DV",
    "PackagePushJob": "0DX",
    "PackagePushError": "0DY",
    "PackageSubscriber": "0DZ",
    "MetadataPackage": "033",
    "MetadataPackageVersion": "04t",
    "FeedItem": "0D5",
    "InstalledSubscriberPackage": "0A3",
    "PackageInstallRequest": "0Hf",
    "SubscriberPackageVersionUninstallRequest": "06y",
    "ApexTestQueueItem": "709",
    "ApexTestResult": "07M",
    "ApexTestRunResult": "05m",
    "AsyncApexJob": "707",
}
UNKNOWN_PREFIX = "0Mx"


def _blocks(id15: str) -> Iterator[str]:
    for start in range(0, LIMIT_15, 5):
        yield id15[start : start + 5]


def with_checksum(id15: str) -> str:
    """Return the 18-character form of a 15-character id."""
    if len(id15) != LIMIT_15:
        raise ValueError(f"a short id has 15 characters, this one has {len(id15)}: {id15!r}")
    suffix = "".join(
        CHECKSUM[sum(1 << place for place, char in enumerate(block) if char.isupper())]
        for block in _blocks(id15)
    )
    return id15 + suffix


def same_id(one: str, other: str) -> bool:
    """Say whether two ids name the same record, whatever their lengths."""
    return bool(one) and one[:LIMIT_15] == other[:LIMIT_15]


def is_valid(identifier: str) -> bool:
    """Say whether the text is an id of 15 characters, or of 18 with the right checksum."""
    if not identifier.isalnum() or not identifier.isascii():
        return False
    if len(identifier) == LIMIT_15:
        return True
    return len(identifier) == LIMIT_18 and with_checksum(identifier[:LIMIT_15]) == identifier


def numbered(prefix: str, number: int) -> str:
    """Return the id of the given running number below a three-character prefix."""
    digits = ""
    rest = number
    while rest:
        rest, digit = divmod(rest, len(DIGITS))
        digits = DIGITS[digit] + digits
    return with_checksum(f"{prefix}Sm{digits:0>10}")


def prefix_of(sobject: str) -> str:
    """Return the id prefix of a type; types without a known one share a prefix."""
    return PREFIXES.get(sobject, UNKNOWN_PREFIX)
