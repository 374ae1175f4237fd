"""Opening sealed credentials. Importable only by environments.gateways and releases.gateways."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from core.errors import ExternalFault


def unseal(purpose: str, key_id: str, ciphertext: bytes) -> dict[str, Any]:
    """Open a sealed payload.

    Raises ExternalFault ``sealing.no_key`` when this process does not hold the key, and
    ``sealing.broken`` when the box was altered, or sealed for another purpose.
    """
    keys: dict[str, str] = settings.SEALING_PRIVATE_KEYS.get(purpose, {})
    if key_id not in keys:
        raise ExternalFault(
            "sealing.no_key",
            "The stored credential was sealed to a key that this worker does not hold. "
            "Enter the credential again, or give the worker its old key.",
            purpose=purpose,
            key_id=key_id,
        )
    box = SealedBox(PrivateKey(base64.b64decode(keys[key_id])))
    try:
        content = json.loads(box.decrypt(bytes(ciphertext)))
    except (CryptoError, ValueError) as error:
        raise _broken(purpose) from error
    if content.get("purpose") != purpose:
        raise _broken(purpose)
    payload: dict[str, Any] = content["payload"]
    return payload


def _broken(purpose: str) -> ExternalFault:
    return ExternalFault(
        "sealing.broken",
        "The stored credential cannot be opened: it was altered, or belongs to another purpose. "
        "Enter the credential again.",
        purpose=purpose,
    )
