"""Bodies of the REST deployRequest resource.

Two parts: ``json`` (application/json, the options) and ``file`` (application/zip), named as in the
Metadata API guide (meta_rest_deploy.htm). The platform tells parts apart by content type.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping


def json_body(content: Mapping[str, object]) -> bytes:
    """Encode a JSON body."""
    return json.dumps(content, separators=(",", ":")).encode()


def encode(options: Mapping[str, object], zip_bytes: bytes) -> tuple[str, bytes]:
    """Return the content type with its boundary, and the body."""
    boundary = f"gatehouse-{secrets.token_hex(16)}"
    body = b"".join(
        (
            f"--{boundary}\r\n".encode(),
            b'Content-Disposition: form-data; name="json"\r\n',
            b"Content-Type: application/json\r\n\r\n",
            json_body(options),
            f"\r\n--{boundary}\r\n".encode(),
            b'Content-Disposition: form-data; name="file"; filename="package.zip"\r\n',
            b"Content-Type: application/zip\r\n\r\n",
            zip_bytes,
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    return f"multipart/form-data; boundary={boundary}", body
