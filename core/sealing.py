"""Sealing credentials to a worker's public key.

Whoever holds the public key can seal, nobody can read back without the private key. A sealed box
authenticates no sender and no context, so the purpose stands inside it and callers put whatever
the secret belongs to (host, organisation, environment) into the payload.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from nacl.public import PublicKey, SealedBox

from core.digests import canonical_json
from core.errors import NotNow


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed payload and the id of the key that opens it."""

    key_id: str
    ciphertext: bytes


def seal(purpose: str, payload: dict[str, Any]) -> Sealed:
    """Seal a payload with the newest public key of a purpose.

    Raises NotNow ``sealing.no_key`` when this process has no public key for the purpose.
    """
    keys: dict[str, str] = settings.SEALING_PUBLIC_KEYS.get(purpose, {})
    if not keys:
        raise NotNow(
            "sealing.no_key",
            "Credentials cannot be stored: this installation has no public key for them. "
            "Run “manage.py keys” and name its public.json in GATEHOUSE_PUBLIC_KEYS_FILE.",
            purpose=purpose,
        )
    key_id = max(keys)
    box = SealedBox(PublicKey(base64.b64decode(keys[key_id])))
    return Sealed(key_id, box.encrypt(canonical_json({"purpose": purpose, "payload": payload})))
