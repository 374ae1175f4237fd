"""Canonical bytes and SHA-256 digests.

A digest is text ``sha256:<64 hex digits>``. Canonical JSON has sorted keys, no blanks, UTF-8 and
UTC times in RFC 3339 with a Z, so that equal content has equal bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

PREFIX = "sha256:"
PATTERN = re.compile(r"sha256:[0-9a-f]{64}")
SHORT = 7


def rfc3339(moment: datetime) -> str:
    """Write an aware moment in UTC with microseconds when it has any: ``2026-10-20T15:31:00Z``."""
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone has no canonical form")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def canonical_json(value: Any) -> bytes:
    """Encode JSON-like content in its one canonical form.

    Floats are refused: their text differs between writers, so they may not enter a digest.
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return _plain_mapping(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(item) for item in value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


def _plain_mapping(value: dict[Any, Any]) -> dict[str, Any]:
    plain = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"a JSON key is text, not {type(key).__name__}")
        plain[str(key)] = _plain(item)
    return plain


def sha256_text(content: bytes) -> str:
    """Digest bytes as ``sha256:<64 hex digits>``."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """Digest the canonical JSON of a value."""
    return sha256_text(canonical_json(value))


def listing_digest(entries: Iterable[tuple[str, int, str]]) -> str:
    """Digest a file listing of (path, size in bytes, SHA-256 of the content in hex).

    One line ``path NUL size NUL sha256 LF`` per file, in byte order of the path; two entries with
    the same path, or a path with NUL or LF in it, are refused since the listing would be ambiguous.
    """
    total = hashlib.sha256()
    previous: bytes | None = None
    for path, size, hexsha in sorted((p.encode("utf-8"), s, h) for p, s, h in entries):
        if b"\0" in path or b"\n" in path:
            raise ValueError("a listed path may not contain NUL or a line feed")
        if path == previous:
            raise ValueError(f"the listing names {path.decode('utf-8')} twice")
        total.update(b"%s\0%d\0%s\n" % (path, size, hexsha.encode("ascii")))
        previous = path
    return PREFIX + total.hexdigest()


def short(digest: str) -> str:
    """Return the seven hex digits that people see; takes a digest or a bare hash."""
    return digest.removeprefix(PREFIX)[:SHORT]
