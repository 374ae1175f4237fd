"""Ed25519 signatures of this installation. Only the process that was given the private key signs.

What is signed begins with a word that says what it is, so that a signature over one kind of thing
never fits another.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from django.conf import settings
from nacl.signing import SigningKey

from core.errors import NotNow

PURPOSE = "history"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and the id of the key that verifies it."""

    key_id: str
    value: bytes


def can_sign() -> bool:
    """Tell whether this process holds a key."""
    return bool(settings.SEALING_PRIVATE_KEYS.get(PURPOSE))


def sign(kind: str, content: bytes) -> Signature:
    """Sign ``kind``, a line feed and the content with the newest key.

    Raises NotNow ``signing.no_key`` in a process that does not hold it.
    """
    if not can_sign():
        raise NotNow(
            "signing.no_key",
            "This process cannot sign: only the build worker holds the key of the history. "
            "Make keys with “manage.py keys” and give its build.json to that worker.",
        )
    keys: dict[str, str] = settings.SEALING_PRIVATE_KEYS[PURPOSE]
    key_id = max(keys)
    key = SigningKey(base64.b64decode(keys[key_id]))
    return Signature(key_id, key.sign(kind.encode("ascii") + b"\n" + content).signature)


def public_keys() -> dict[str, str]:
    """Return the public keys that verify, by id, in base64."""
    return dict(settings.SEALING_PUBLIC_KEYS.get(PURPOSE, {}))
