#!/usr/bin/env python3
"""Verify an exported history of Gatehouse. Needs Python 3.9 or newer and nothing else.

    python3 verify.py [DIRECTORY] [--key BASE64] [--checkpoints FILE_OR_DIRECTORY]

Prints PASS, or FAIL with the first file or row that is wrong, and exits with 0 or 1.

The directory holds:

manifest.json        {"made_at", "files": [{"path", "size", "sha256"}, …]}; every other file of it
manifest.json.sig    {"key", "signature"}: a signature over the manifest (may be missing)
events.jsonl         {"id", "position", "previous", "hash", "body"} per line, in order of position;
                     instead of "body" a line may hold "body_sha256", when its text is left out
checkpoints.jsonl    {"body", "signature", "key"} per line, oldest first
public_keys.json     {key id: base64}

hash = SHA-256(previous ‖ position ‖ id ‖ SHA-256(body)); position and id are 8 bytes, big-endian;
the first previous is 32 zero bytes. A checkpoint is signed with Ed25519 over the word
"gatehouse-checkpoint", a line feed and its body; the manifest over "gatehouse-manifest", a line
feed and its bytes.

Whoever can rewrite a database can rewrite all of this except what you hold yourself: give the
public key (--key) and the checkpoints (--checkpoints) that you received at the time, by e-mail or
from a repository that others keep. Without them a history rebuilt from its beginning would pass.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GENESIS = bytes(32)
UNLISTED = {"manifest.json", "manifest.json.sig"}
BLOCK = 1 << 20


class Broken(Exception):
    """What is wrong first; the message names the file and the row."""


# ── Ed25519 (RFC 8032), verification only ────────────────────────────────────────────────────────

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    left, right = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, product = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = right - left, product - cross, product + cross, right + left
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(encoded: bytes) -> Point | None:
    number = int.from_bytes(encoded, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = _x_of(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def _encoded(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE = _point(_BASE_Y.to_bytes(32, "little"))


def ed25519_verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the signature over the message was made with the key's private half."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public = _point(key)
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or _BASE is None or scalar >= ORDER:
        return False
    if _encoded(_times(8, public)) == _encoded((0, 1, 1, 0)):
        return False  # A key of small order would verify messages that nobody signed.
    hashed = hashlib.sha512(signature[:32] + key + message).digest()
    challenge = int.from_bytes(hashed, "little") % ORDER
    x, y, z, t = public
    found = _add(_times(scalar, _BASE), _times(challenge, (P - x, y, z, P - t)))
    return _encoded(found) == signature[:32]


# ── Files ────────────────────────────────────────────────────────────────────────────────────────


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    total = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(BLOCK):
            total.update(block)
    return total.hexdigest()


def check_manifest(directory: Path, keys: dict[str, bytes]) -> dict[str, Any] | None:
    """Compare every listed file with its digest; return the manifest, or nothing without one."""
    path = directory / "manifest.json"
    if not path.is_file():
        return None
    raw = path.read_bytes()
    manifest = read_json(raw, "manifest.json")
    listed = manifest.get("files")
    if not isinstance(listed, list):
        raise Broken("manifest.json lists no files")
    for entry in listed:
        check_file(directory, entry)
    signature = directory / "manifest.json.sig"
    if signature.is_file():
        signed = read_json(signature.read_bytes(), "manifest.json.sig")
        check_signature(keys, signed, b"gatehouse-manifest\n" + raw, "manifest.json.sig")
    known = {str(entry["path"]) for entry in listed} | UNLISTED
    present = (p.relative_to(directory) for p in sorted(directory.rglob("*")) if p.is_file())
    for extra in present:
        if str(extra) not in known and "__pycache__" not in extra.parts:
            raise Broken(f"{extra} is not in the manifest")
    return manifest


def check_file(directory: Path, entry: Any) -> None:
    """Compare one listed file; a path that leads out of the directory is refused."""
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise Broken("manifest.json has an entry without a path")
    name = entry["path"]
    path = directory / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise Broken(f"manifest.json names {name}, which lies elsewhere")
    if not path.is_file():
        raise Broken(f"{name} is missing")
    if file_digest(path) != str(entry.get("sha256", "")).removeprefix("sha256:"):
        raise Broken(f"{name} was altered: its SHA-256 is not that of the manifest")


def read_json(raw: bytes | str, where: str) -> dict[str, Any]:
    """Read one JSON object."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Broken(f"{where} is not JSON") from None
    if not isinstance(found, dict):
        raise Broken(f"{where} is not a JSON object")
    return found


def read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, object) for each line of a JSON Lines file."""
    with path.open("rb") as source:
        for number, line in enumerate(source, start=1):
            where = f"{path.name} line {number}"
            yield where, read_json(line, where)


def read_keys(directory: Path, own: str) -> dict[str, bytes]:
    """Return the public keys; with a key of your own, that one alone, and it must be among them."""
    path = directory / "public_keys.json"
    found = read_json(path.read_bytes(), path.name) if path.is_file() else {}
    keys = {name: from_base64(text, f"public_keys.json, {name}") for name, text in found.items()}
    if not own:
        return keys
    wanted = from_base64(own, "--key")
    keys = {name: key for name, key in keys.items() if key == wanted}
    if not keys:
        raise Broken("public_keys.json does not hold the key that you gave")
    return keys


def from_base64(text: object, where: str) -> bytes:
    """Decode base64."""
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error:
        raise Broken(f"{where}: not base64") from None


def check_signature(
    keys: dict[str, bytes], record: dict[str, Any], message: bytes, where: str
) -> None:
    """Demand a valid signature of a known key."""
    key = keys.get(str(record.get("key")))
    if key is None:
        raise Broken(f"{where}: signed with a key that is not known ({record.get('key')})")
    if not ed25519_verifies(key, message, from_base64(record.get("signature"), where)):
        raise Broken(f"{where}: the signature does not fit")


# ── Checkpoints ──────────────────────────────────────────────────────────────────────────────────


@dataclass
class Checkpoints:
    """Verified checkpoints: what the chain must be at some positions."""

    at: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    beyond: list[tuple[int, str, str]] = field(default_factory=list)
    numbers: dict[int, tuple[str, int, str]] = field(default_factory=dict)
    count: int = 0
    last_position: int = 0

    def add(self, where: str, content: dict[str, Any]) -> None:
        """Remember one."""
        position, number = content["position"], content["number"]
        known = self.numbers.setdefault(number, (where, position, content["hash"]))
        if known[1:] != (position, content["hash"]):
            raise Broken(f"{where}: checkpoint {number} is another one than in {known[0]}")
        self.at.setdefault(position, []).append((where, content["hash"]))
        self.beyond.append((position, str(content["at"]), where))
        self.count += 1
        self.last_position = max(self.last_position, position)


def read_checkpoint(where: str, record: dict[str, Any], keys: dict[str, bytes]) -> dict[str, Any]:
    """Check one checkpoint's signature and form; return its content."""
    body = record.get("body")
    if not isinstance(body, str):
        raise Broken(f"{where}: no body")
    check_signature(keys, record, b"gatehouse-checkpoint\n" + body.encode("utf-8"), where)
    content = read_json(body, where)
    kinds = {"number": int, "position": int, "hash": str, "at": str, "previous": str}
    for name, kind in kinds.items():
        if not isinstance(content.get(name), kind):
            raise Broken(f"{where}: {name} is missing")
    return content


def check_checkpoints(path: Path, keys: dict[str, bytes], found: Checkpoints) -> None:
    """Check the export's own checkpoints: signed, in order, each naming the one before."""
    if not path.is_file():
        return
    previous: dict[str, Any] | None = None
    digest = ""
    for where, record in read_lines(path):
        content = read_checkpoint(where, record, keys)
        if previous is not None:
            if content["number"] != previous["number"] + 1 or content["previous"] != digest:
                raise Broken(f"{where}: does not follow checkpoint {previous['number']}")
            if content["position"] < previous["position"]:
                raise Broken(f"{where}: the history became shorter")
        found.add(where, content)
        previous = content
        digest = "sha256:" + hashlib.sha256(record["body"].encode("utf-8")).hexdigest()


def check_outside(place: Path, keys: dict[str, bytes], found: Checkpoints) -> None:
    """Check the checkpoints that you hold yourself: a file of lines, or a directory of files."""
    paths = sorted(place.glob("*.json")) if place.is_dir() else [place]
    before = found.count
    for path in paths:
        for where, record in read_lines(path):
            found.add(where, read_checkpoint(where, record, keys))
    if found.count == before:
        raise Broken(f"{place} holds no checkpoint")


# ── Events ───────────────────────────────────────────────────────────────────────────────────────


def check_events(path: Path, checkpoints: Checkpoints) -> tuple[int, int]:
    """Recompute the chain and compare it with the checkpoints; return first and last position."""
    first = last = 0
    previous = GENESIS
    for where, record in read_lines(path):
        position, number = record.get("position"), record.get("id")
        if type(position) is not int or type(number) is not int or position < 1 or number < 1:
            raise Broken(f"{where}: position or id is missing")
        where = f"{where} (H-{number}, position {position})"
        stored = bytes_of(record.get("previous"), where)
        if first == 0:
            first, previous = position, GENESIS if position == 1 else stored
        elif position != last + 1:
            raise Broken(f"{where}: follows position {last}")
        if stored != previous:
            raise Broken(f"{where}: does not continue the hash of the row before")
        places = position.to_bytes(8, "big") + number.to_bytes(8, "big")
        own = hashlib.sha256(previous + places + body_digest(record, where)).digest()
        if own != bytes_of(record.get("hash"), where):
            raise Broken(f"{where}: its hash is not that of its content")
        for source, wanted in checkpoints.at.get(position, ()):
            if wanted != own.hex():
                raise Broken(f"{where}: {source} signed another hash for this position")
        previous, last = own, position
    return first, last


def bytes_of(text: object, where: str) -> bytes:
    """Read a hash in hex."""
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        raise Broken(f"{where}: a hash is not hex") from None


def body_digest(record: dict[str, Any], where: str) -> bytes:
    """Hash the body as it stands, or take its digest where the text was left out."""
    body = record.get("body")
    if isinstance(body, str):
        return hashlib.sha256(body.encode("utf-8")).digest()
    if body is None and "body_sha256" in record:
        return bytes_of(record["body_sha256"], where)
    raise Broken(f"{where}: no body")


def check_end(checkpoints: Checkpoints, last: int, made_at: str) -> None:
    """Refuse a history that ends before a checkpoint that is not younger than the export."""
    for position, at, where in sorted(checkpoints.beyond):
        if position > last and not (made_at and at > made_at):
            raise Broken(
                f"{where}: signed {at} that the history has {position} events; "
                f"here it ends at position {last}"
            )


def verify(directory: Path, key: str = "", outside: Path | None = None) -> list[str]:
    """Verify everything; return what was found, in words. Raises Broken at the first fault."""
    keys = read_keys(directory, key)
    manifest = check_manifest(directory, keys)
    checkpoints = Checkpoints()
    check_checkpoints(directory / "checkpoints.jsonl", keys, checkpoints)
    own = checkpoints.count
    if outside is not None:
        check_outside(outside, keys, checkpoints)
    events = directory / "events.jsonl"
    if not events.is_file():
        raise Broken("events.jsonl is missing")
    first, last = check_events(events, checkpoints)
    check_end(checkpoints, last, str((manifest or {}).get("made_at", "")))
    sealed = max((p for p in checkpoints.at if p <= last), default=0)
    words = [f"{last - first + 1 if last else 0} events, positions {first} to {last}"]
    words.append(f"{own} checkpoints inside, {checkpoints.count - own} given by you")
    words.append(f"{last - max(sealed, first - 1)} events are newer than the last checkpoint")
    words += [f"key {name}: {base64.b64encode(k).decode()}" for name, k in sorted(keys.items())]
    if manifest is None:
        words.append("no manifest.json: files beside the history were not checked")
    if outside is None:
        words.append("no checkpoints of your own were given (--checkpoints)")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(description="Verify an exported history of Gatehouse.")
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", default="", help="the public key that you noted, in base64")
    parser.add_argument("--checkpoints", type=Path, help="checkpoints that you keep yourself")
    given = parser.parse_args(arguments)
    try:
        words = verify(given.directory, given.key, given.checkpoints)
    except (Broken, OSError) as problem:
        print(f"FAIL: {problem}")
        return 1
    print("\n".join(["PASS", *words]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
