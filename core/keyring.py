"""Making the key pairs that credentials are sealed to, and the one that signs the history.

One pair per purpose. The public halves go to the web process, which can then store a credential
and never read it; each worker gets the private halves of its own purposes only.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from core import clock
from core.errors import Conflict

PURPOSES: dict[str, str] = {
    "org-production": "deploy",
    "org-sandbox": "deploy",
    "git": "build",
}
"""Purpose and the worker that may unseal it."""

SIGNERS: dict[str, str] = {"history": "build"}
"""Purpose and the worker that signs for it."""

Keys = dict[str, dict[str, str]]
"""Purpose → key id → key in base64."""


def generate() -> tuple[Keys, dict[str, Keys]]:
    """Make one pair per purpose; returns the public keys and, per worker, its private keys."""
    public: Keys = {}
    private: dict[str, Keys] = {role: {} for role in PURPOSES.values()}
    stamp = clock.now().strftime("%Y%m%dT%H%M%SZ")
    for purpose, role in (PURPOSES | SIGNERS).items():
        own, others = _signing_pair() if purpose in SIGNERS else _sealing_pair()
        # The time comes first: the greatest id is the newest key, the one to seal or sign with.
        key_id = f"{stamp}-{others.hex()[:8]}"
        public[purpose] = {key_id: base64.b64encode(others).decode("ascii")}
        private[role][purpose] = {key_id: base64.b64encode(own).decode("ascii")}
    return public, private


def _sealing_pair() -> tuple[bytes, bytes]:
    pair = PrivateKey.generate()
    return bytes(pair), bytes(pair.public_key)


def _signing_pair() -> tuple[bytes, bytes]:
    pair = SigningKey.generate()
    return bytes(pair), bytes(pair.verify_key)


def write(directory: Path) -> list[Path]:
    """Write public.json, deploy.json and build.json; refuses to replace any of them."""
    public, private = generate()
    contents = {"public": public} | private
    paths = {directory / f"{name}.json": keys for name, keys in contents.items()}
    taken = [path.name for path in paths if path.exists()]
    if taken:
        raise Conflict(
            "keys.exist",
            f"There are keys already ({', '.join(taken)}). Sealed credentials would be lost with "
            "them; choose another directory.",
        )
    directory.mkdir(parents=True, exist_ok=True)
    for path, keys in paths.items():
        mode = 0o644 if path.stem == "public" else 0o600
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            json.dump(keys, target, indent=2)
            target.write("\n")
    return list(paths)
