"""The script that travels with an export: its own Ed25519, and every file that it reads."""

from __future__ import annotations

import ast
import base64
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from governance.verification import verify

KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key)
# RFC 8032, 7.1: secret key, public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
            "b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
            "1d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_published_vectors_verify(key: str, message: str, signature: str) -> None:
    parts = [bytes.fromhex(text) for text in (key, message, signature)]
    assert verify.ed25519_verifies(*parts)
    assert not verify.ed25519_verifies(parts[0], parts[1] + b"x", parts[2])


@settings(max_examples=15)
@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.integers(0, 511))
def test_it_agrees_with_libsodium_and_any_flipped_bit_fails(
    message: bytes, seed: bytes, bit: int
) -> None:
    key = SigningKey(seed)
    signature = bytearray(key.sign(message).signature)
    assert verify.ed25519_verifies(bytes(key.verify_key), message, bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    assert not verify.ed25519_verifies(bytes(key.verify_key), message, bytes(signature))


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        (bytes(32), bytes(64)),
        (b"\x01" + bytes(31), b"\x01" + bytes(63)),
        (b"\xff" * 32, bytes(64)),
        (PUBLIC, bytes(63)),
        (PUBLIC[:31], bytes(64)),
    ],
    ids=["order 4", "order 1", "no point", "short signature", "short key"],
)
def test_keys_that_sign_everything_and_odd_lengths_are_refused(
    key: bytes, signature: bytes
) -> None:
    assert not verify.ed25519_verifies(key, b"message", signature)


def test_the_script_imports_nothing_but_python_itself() -> None:
    tree = ast.parse(Path(verify.__file__).read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert {str(name).partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


# ── An export by hand ────────────────────────────────────────────────────────────────────────────


def signed(kind: str, body: str) -> dict[str, str]:
    signature = KEY.sign(f"{kind}\n{body}".encode()).signature
    return {"key": "k1", "signature": base64.b64encode(signature).decode()}


def events(first: int, last: int, *, without_text: int = 0) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    previous = bytes(32) if first == 1 else sha256(b"before").digest()
    for position in range(first, last + 1):
        body = json.dumps({"event": "team.created", "n": position, "ü": "é"}, ensure_ascii=False)
        digest = sha256(body.encode()).digest()
        numbers = position.to_bytes(8, "big") + (position + 100).to_bytes(8, "big")
        own = sha256(previous + numbers + digest).digest()
        row = {"id": position + 100, "position": position, "previous": previous.hex()}
        text = {"body_sha256": digest.hex()} if position == without_text else {"body": body}
        rows.append(row | {"hash": own.hex()} | text)
        previous = own
    return rows


def checkpoint(
    number: int, row: dict[str, Any], before: str = "", **changes: Any
) -> dict[str, str]:
    content = {
        "number": number,
        "position": row["position"],
        "hash": row["hash"],
        "at": "2026-10-20T15:31:00Z",
        "previous": before,
    }
    body = json.dumps(content | changes)
    return {"body": body} | signed("gatehouse-checkpoint", body)


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write(place: Path, rows: list[Any], checkpoints: list[Any]) -> Path:
    place.mkdir(exist_ok=True)
    (place / "events.jsonl").write_text(lines(rows), encoding="utf-8")
    (place / "checkpoints.jsonl").write_text(lines(checkpoints))
    keys = {"k1": base64.b64encode(PUBLIC).decode()}
    (place / "public_keys.json").write_text(json.dumps(keys))
    return place


def manifest(place: Path) -> None:
    for name in ("manifest.json", "manifest.json.sig"):
        (place / name).unlink(missing_ok=True)
    files = [
        {"path": path.name, "size": path.stat().st_size, "sha256": verify.file_digest(path)}
        for path in sorted(place.iterdir())
    ]
    raw = json.dumps({"made_at": "2026-10-20T16:00:00Z", "files": files})
    (place / "manifest.json").write_text(raw)
    (place / "manifest.json.sig").write_text(json.dumps(signed("gatehouse-manifest", raw)))


def said(place: Path, **options: Any) -> str:
    try:
        return "; ".join(verify.verify(place, **options))
    except verify.Broken as broken:
        return f"FAIL: {broken}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rows = events(1, 6, without_text=2)
    made = write(tmp_path / "export", rows, [checkpoint(1, rows[3])])
    manifest(made)
    return made


def test_an_untouched_export_passes_and_tells_what_it_rests_on(place: Path) -> None:
    assert said(place).startswith(
        "6 events, positions 1 to 6; 1 checkpoints inside, 0 given by you"
    )
    assert "2 events are newer than the last checkpoint" in said(place)
    assert not said(place, key=base64.b64encode(PUBLIC).decode()).startswith("FAIL")


def test_a_part_of_the_history_passes_too(tmp_path: Path) -> None:
    rows = events(41, 50)
    made = write(tmp_path / "part", rows, [checkpoint(7, rows[-1], "sha256:x")])
    assert said(made).startswith("10 events, positions 41 to 50")
    assert "0 events are newer" in said(made)


def test_an_empty_history_passes(tmp_path: Path) -> None:
    assert said(write(tmp_path / "empty", [], [])).startswith("0 events")


def touch(place: Path, name: str, old: str, new: str) -> None:
    path = place / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_any_altered_missing_or_added_file_is_named(place: Path) -> None:
    touch(place, "events.jsonl", "é", "e")
    assert said(place).startswith("FAIL: events.jsonl was altered")
    manifest(place)
    (place / "more.csv").write_text("x")
    assert said(place) == "FAIL: more.csv is not in the manifest"
    (place / "more.csv").unlink()
    (place / "checkpoints.jsonl").unlink()
    assert said(place) == "FAIL: checkpoints.jsonl is missing"


def test_a_manifest_that_was_written_anew_has_no_signature_that_fits(place: Path) -> None:
    touch(place, "manifest.json", "16:00", "17:00")
    assert said(place) == "FAIL: manifest.json.sig: the signature does not fit"


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("events.jsonl", '"position": 3', '"position": 4', "line 3 (H-103, position 4): follows"),
        ("events.jsonl", '"id": 104', '"id": 9', "line 4 (H-9, position 4): its hash"),
        ("events.jsonl", '"n\\": 5', '"n\\": 6', "line 5 (H-105, position 5): its hash"),
        ("events.jsonl", '"body_sha256": "', '"body_sha256": "zz', "line 2 (H-102, position 2)"),
        ("checkpoints.jsonl", '\\"position\\": 4', '\\"position\\": 5', "signature does not fit"),
        ("checkpoints.jsonl", '"k1"', '"k2"', "a key that is not known (k2)"),
        ("public_keys.json", '"k1"', '"k2"', "a key that is not known (k1)"),
    ],
)
def test_without_a_manifest_the_rows_are_still_checked(
    place: Path, name: str, old: str, new: str, words: str
) -> None:
    (place / "manifest.json").unlink()
    (place / "manifest.json.sig").unlink()
    touch(place, name, old, new)
    assert words in said(place)


def test_a_checkpoint_of_one_s_own_shows_what_is_missing(place: Path, tmp_path: Path) -> None:
    rows = events(1, 8)
    own = tmp_path / "own"
    own.mkdir()
    (own / "checkpoint-8.json").write_text(json.dumps(checkpoint(2, rows[7])))
    assert "that the history has 8 events; here it ends at position 6" in said(place, outside=own)
    later = checkpoint(2, rows[7], at="2026-10-20T16:30:00Z")
    (own / "checkpoint-8.json").write_text(json.dumps(later))
    assert said(place, outside=own).startswith("6 events")


def test_a_key_of_one_s_own_must_be_among_them(place: Path) -> None:
    other = base64.b64encode(bytes(SigningKey.generate().verify_key)).decode()
    assert said(place, key=other) == "FAIL: public_keys.json does not hold the key that you gave"


def test_checkpoints_that_do_not_follow_each_other_are_refused(tmp_path: Path) -> None:
    rows = events(1, 4)
    made = write(tmp_path / "x", rows, [checkpoint(1, rows[1]), checkpoint(2, rows[3], "sha256:0")])
    assert said(made) == "FAIL: checkpoints.jsonl line 2: does not follow checkpoint 1"


@pytest.mark.parametrize("text", ["[]", "{", '"x"', "{}", '{"position": true, "id": 1}'])
def test_rubbish_is_named_and_never_a_traceback(tmp_path: Path, text: str) -> None:
    made = write(tmp_path / "x", [], [])
    (made / "events.jsonl").write_text(text + "\n")
    assert said(made).startswith("FAIL: events.jsonl line 1")
