"""What a target holds, as a file: the digest of each component, or a package that has them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from core.errors import InvalidInput
from metadata.components import ComponentKey

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ZIP = b"PK"


def write(digests: Mapping[ComponentKey, str]) -> bytes:
    """``{"Type:Name": digest}`` as JSON, in order."""
    listed = {str(key): digests[key] for key in sorted(digests)}
    return f"{json.dumps(listed, indent=1, ensure_ascii=False)}\n".encode()


def read(content: bytes, name: str) -> dict[ComponentKey, str]:
    """Digests by component, out of ``write``'s file or out of a package zip.

    Raises InvalidInput ``metadata.not_a_base`` and the codes of ``package.read_zip``.
    """
    if content.startswith(_ZIP):
        from metadata.package import read_zip

        return read_zip(content).component_digests()
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError):
        raise _refusal(name, "it is neither a zip nor JSON") from None
    if not isinstance(listed, dict):
        raise _refusal(name, "it is no JSON object")
    found: dict[ComponentKey, str] = {}
    for key, digest in listed.items():
        kind, colon, own = key.partition(":")
        if not (kind and colon and own and isinstance(digest, str) and _DIGEST.fullmatch(digest)):
            raise _refusal(name, f"“{key[:80]}” is not “Type:Name” with a SHA-256")
        found[ComponentKey(kind, own)] = digest
    return found


def _refusal(name: str, problem: str) -> InvalidInput:
    return InvalidInput(
        "metadata.not_a_base", f"{name} does not say what a target holds: {problem}.", path=name
    )
